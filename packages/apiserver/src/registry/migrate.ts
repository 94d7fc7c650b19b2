import { APIError, parseFieldSelector, parseLabelSelector } from "@annex/apimachinery";
import type { Resource } from "../definition/resource.ts";
import type { ObjectView } from "../object-view.ts";
import type { ListResult, RequestContext, ResourceVerbs } from "./verbs.ts";

export interface MigrationOptions {
  /** What is migrated, and its verbs. Of a kind that cannot be listed and updated nothing is. */
  readonly resource: Resource;
  readonly verbs: ResourceVerbs;
  /** As whom, and until when: its signal ends the migration, which may begin anew at any time. */
  readonly context: () => RequestContext;
}

export interface MigrationResult {
  /** How many objects there were. */
  readonly seen: number;
  /** How many were written anew. */
  readonly written: number;
  /** How many could not be written because they are refused now. They stay as they are, and are read as before. */
  readonly refused: number;
  /** What the first of these was told; undefined when there is none. */
  readonly firstRefusal: { readonly namespace: string; readonly name: string; readonly error: APIError } | undefined;
}

/** How many objects are held at a time, and how many of them are written at a time: enough that storage writes them together. */
const PAGE = 500;
const CONCURRENCY = 16;
const FIELD_MANAGER = { manager: "storage-version-migrator", subresource: "" };
const EVERYTHING = { namespace: "", labelSelector: parseLabelSelector(""), fieldSelector: parseFieldSelector("", new Set()) };

/**
 * Writes all stored objects of a resource anew that would be written otherwise now: afterwards every one is stored in the storage version.
 *
 * Each is an update that changes nothing, through admission and validation as any other: checked against the state that it was read in, so that no write of somebody else's is lost, and with what
 * Kubernetes' migration shows: a new resourceVersion and a MODIFIED event of what was stored otherwise, nothing of all else. What was migrated is passed over, so that a migration that was
 * interrupted is begun anew. Rests on the storage version being served; where it is not, objects go through the preferred one, and lose what that cannot hold.
 *
 * @throws {APIError} when storage cannot be asked or written; whatever the verbs throw that is no refusal of one object.
 * Source: KEP-4192; kube-controller-manager's storage-version-migrator-controller.
 */
export async function migrate(options: MigrationOptions): Promise<MigrationResult> {
  const tally: Tally = { seen: 0, written: 0, refused: 0, firstRefusal: undefined };
  const { list, update } = options.verbs;
  if (list === undefined || update === undefined) return tally;
  for (let next = ""; ; ) {
    const page = await pageFrom(next, options);
    if (page === undefined) {
      // The moment that the pages show is too long ago: once more, past what is done.
      next = "";
      tally.seen = 0;
      continue;
    }
    tally.seen += page.items.length;
    await migratePage(
      page.items.filter(({ isStale }) => isStale),
      options,
      tally,
    );
    next = page.continue;
    if (next === "") return tally;
  }
}

type Tally = { -readonly [K in keyof MigrationResult]: MigrationResult[K] };

/** @returns undefined when the token of the page before is too old. */
async function pageFrom(token: string, { verbs, context }: MigrationOptions): Promise<ListResult | undefined> {
  try {
    return await verbs.list?.({ ...EVERYTHING, limit: PAGE, continue: token, consistency: { type: "MostRecent" } }, context());
  } catch (error) {
    if (token !== "" && APIError.is(error, "Expired")) return undefined;
    throw error;
  }
}

async function migratePage(stale: readonly ObjectView[], options: MigrationOptions, tally: Tally): Promise<void> {
  for (let start = 0; start < stale.length; start += CONCURRENCY) {
    await Promise.all(stale.slice(start, start + CONCURRENCY).map((view) => migrateOne(view, options, tally)));
  }
}

async function migrateOne({ namespace, name, resourceVersion }: ObjectView, options: MigrationOptions, tally: Tally): Promise<void> {
  const { resource, verbs, context } = options;
  const version = (resource.versions.includes(resource.storageVersion) ? resource.storageVersion : resource.versions[0])?.name ?? "";
  const target = { namespace, name };
  try {
    const result = await verbs.update?.(
      { version, target, isDryRun: false, isPatch: true, fieldManager: FIELD_MANAGER, transform: (live) => live as NonNullable<typeof live> },
      context(),
    );
    if (result !== undefined && result.view.resourceVersion !== resourceVersion) tally.written++;
  } catch (error) {
    // Gone meanwhile.
    if (APIError.is(error, "NotFound")) return;
    if (!APIError.is(error, "Invalid", "Forbidden", "BadRequest", "RequestEntityTooLarge", "Conflict")) throw error;
    tally.refused++;
    tally.firstRefusal ??= { namespace, name, error };
  }
}
