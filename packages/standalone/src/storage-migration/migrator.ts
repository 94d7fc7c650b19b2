import { APIError, type Condition, type KubernetesObject, withCondition } from "@annex/apimachinery";
import { formatTime, type MigrationResult, migrate, type ObjectView, type Resource } from "@annex/apiserver";
import type { ControllerServices } from "@annex/apiserver-node";
import { EVERYTHING, findView, runAlways } from "../controller.ts";
import { isFinished, MIGRATION_GROUP, type StorageVersionMigration } from "./storage-version-migration.ts";

export interface StorageMigratorOptions extends ControllerServices {
  /** Every kind that is served. */
  readonly resources: readonly Resource[];
}

/**
 * Carries out the migrations that are ordered, one at a time, each from the beginning to its end. One that a stop interrupted begins anew with the next start, and passes over what it has done.
 *
 * @returns when the signal aborts.
 * Source: kube-controller-manager's storage-version-migrator-controller and migration-runner-controller.
 */
export async function runStorageMigrator(options: StorageMigratorOptions, signal: AbortSignal): Promise<void> {
  await runAlways(() => follow(options, signal), "the storage migrator begins anew", options, signal);
}

async function follow(options: StorageMigratorOptions, signal: AbortSignal): Promise<void> {
  const selection = { ...EVERYTHING, resourceVersion: undefined, sendInitialEvents: undefined };
  const batches = (await verbsOfMigrations(options).watch?.(selection, options.context(signal))) ?? [];
  for await (const { events } of batches) {
    for (const { type, view } of events) if (type !== "DELETED") await carryOut(view.name, options, signal);
  }
}

function verbsOfMigrations({ verbsOf }: StorageMigratorOptions) {
  return verbsOf(MIGRATION_GROUP, "storageversionmigrations");
}

async function carryOut(name: string, options: StorageMigratorOptions, signal: AbortSignal): Promise<void> {
  // What the event says may be long ago.
  const present = await findView(verbsOfMigrations(options), { namespace: "", name }, options.context(signal));
  if (present === undefined || isFinished(migrationOf(present).status)) return;
  const { group, resource: plural } = migrationOf(present).spec.resource;
  const resource = options.resources.find((one) => one.group === group && one.resource === plural);
  if (resource === undefined) {
    await finish(name, "Failed", "the resource is not served", options, signal);
    return;
  }
  await say(name, [RUNNING], options, signal, present.resourceVersion);
  const verbs = options.verbsOf(group, plural);
  const result = await migrate({ resource, verbs, context: () => options.context(signal) });
  await finish(name, result.refused === 0 ? "Succeeded" : "Failed", summaryOf(result), options, signal);
}

function summaryOf({ seen, written, refused, firstRefusal }: MigrationResult): string {
  const done = `${written} of ${seen} objects were written anew`;
  if (firstRefusal === undefined) return done;
  const { namespace, name, error } = firstRefusal;
  // A condition's message is bounded.
  const why = `${done}; ${refused} were refused, the first of them ${namespace === "" ? name : `${namespace}/${name}`}: ${error.message}`;
  return why.slice(0, 1024);
}

type Said = Omit<Condition, "lastTransitionTime">;
const RUNNING: Said = { type: "Running", status: "True", reason: "MigrationRunning", message: "The migration is running" };
const COMPLETED: Said = { type: "Running", status: "False", reason: "MigrationCompleted", message: "Migration completed" };

function finish(name: string, type: "Succeeded" | "Failed", message: string, options: StorageMigratorOptions, signal: AbortSignal): Promise<void> {
  return say(name, [COMPLETED, { type, status: "True", reason: `StorageVersionMigration${type}`, message }], options, signal);
}

/** Writes conditions into the status, as far as the migration is still there. */
async function say(
  name: string,
  said: readonly Said[],
  options: StorageMigratorOptions,
  signal: AbortSignal,
  resourceVersion?: string,
): Promise<void> {
  const now = formatTime(options.clock.now());
  const transform = (live: KubernetesObject | undefined): KubernetesObject => {
    const migration = live as unknown as StorageVersionMigration; // an update of what is there, of the definition
    const { status } = migration;
    const conditions = said.reduce((all, one) => withCondition(all, one, now), status.conditions ?? []);
    const start = status.resourceVersion ?? resourceVersion;
    return { ...migration, status: { ...status, conditions, ...(start === undefined ? {} : { resourceVersion: start }) } } as KubernetesObject;
  };
  try {
    await verbsOfMigrations(options).update?.(
      {
        version: "v1beta1",
        target: { namespace: "", name },
        isDryRun: false,
        isPatch: true,
        fieldManager: { manager: "storage-version-migrator", subresource: "status" },
        transform,
      },
      options.context(signal),
    );
  } catch (error) {
    if (!APIError.is(error, "NotFound")) throw error;
  }
}

function migrationOf({ object }: ObjectView): StorageVersionMigration {
  return object as unknown as StorageVersionMigration; // of the definition, whose schema it satisfies
}
