import { APIError, type JSONObject, jsonEquals, type KubernetesObject, labelSelectorOf, notFound } from "@annex/apimachinery";
import { applyChange, type RequestContext, type ResourceVerbs } from "@annex/apiserver";
import type { ControllerServices } from "@annex/apiserver-node";
import { EVERYTHING, runAlways } from "../controller.ts";
import type { PolicyRule } from "./policy-rule.ts";
import { ClusterRole } from "./role.ts";

export interface AggregationOptions extends Omit<ControllerServices, "verbsOf"> {
  /** The verbs of cluster roles. */
  readonly clusterRoles: () => ResourceVerbs;
}

const FIELD_MANAGER = { manager: "clusterrole-aggregation-controller", subresource: "" };
/** How long the gathered rules of one role may be as JSON, in characters. What is longer Kubernetes cannot store: 1.5 MiB is what etcd takes in one request. */
const MAX_RULES_TEXT = 1.5 * 1024 * 1024;
/** How many passes a chain of aggregated roles (view, edit, admin) may take before the first request. What is left is done by the controller. */
const MAX_PASSES = 10;

/**
 * Gives the cluster roles with an aggregation rule the rules of those that its selectors match.
 *
 * @returns when the signal aborts.
 * Source: kubernetes pkg/controller/clusterroleaggregation.
 */
export async function runAggregation(options: AggregationOptions, signal: AbortSignal): Promise<void> {
  const tooLong: TooLong = new Set();
  const follow = async () => {
    const selection = { ...EVERYTHING, resourceVersion: undefined, sendInitialEvents: undefined };
    const batches = (await options.clusterRoles().watch?.(selection, options.context(signal))) ?? [];
    for await (const { events } of batches) if (events.length > 0) await aggregate(options, tooLong, signal);
  };
  await runAlways(follow, "the aggregation of cluster roles begins anew", options, signal);
}

/** Aggregates until nothing changes: one aggregated role may be part of another. */
export async function aggregateAll(options: AggregationOptions, signal: AbortSignal): Promise<void> {
  const tooLong: TooLong = new Set();
  for (let pass = 0; pass < MAX_PASSES; pass++) if ((await aggregate(options, tooLong, signal)) === 0) return;
}

/** The roles of which the log says already that they gather too much. */
type TooLong = Set<string>;

/**
 * One pass. A role that cannot be written is logged, and tried again upon the next change; one that gathers too much is logged once, and keeps the rules it has.
 *
 * @returns how many roles changed.
 */
async function aggregate({ clusterRoles, context, log }: AggregationOptions, tooLong: TooLong, signal: AbortSignal): Promise<number> {
  const verbs = clusterRoles();
  const listed = await verbs.list?.({ ...EVERYTHING, limit: 0, continue: "", consistency: { type: "MostRecent" } }, context(signal));
  // Names are in the order of their keys, which is Go's. The objects are of the kind's schema.
  const roles = (listed?.items ?? []).map(({ object }) => object as unknown as ClusterRole);
  const former = new Set(tooLong);
  tooLong.clear();
  let changed = 0;
  for (const role of roles) {
    if (role.aggregationRule === undefined) continue;
    const { name = "" } = role.metadata;
    const rules = rulesFor(role, roles);
    if (rules === undefined) {
      tooLong.add(name);
      if (!former.has(name)) log.warn({ name, maxCharacters: MAX_RULES_TEXT }, "a cluster role keeps its rules: those that it gathers are too long");
    }
    if (rules === undefined || jsonEquals(rules, role.rules)) continue;
    try {
      if ((await apply(name, rules, verbs, context(signal))) !== role.metadata.resourceVersion) changed++;
    } catch (error) {
      if (signal.aborted) throw error;
      if (!APIError.is(error, "NotFound")) log.warn({ error, name }, "a cluster role could not be aggregated");
    }
  }
  return changed;
}

/** The rules of all roles that one gathers, each once; null when there are none, undefined when they are too long to be stored. */
export function rulesFor(role: ClusterRole, roles: readonly ClusterRole[]): readonly PolicyRule[] | null | undefined {
  const rules = new Map<string, PolicyRule>();
  let text = 0;
  for (const object of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = labelSelectorOf(object);
    if (selector === undefined) continue;
    for (const { metadata, rules: theirs } of roles) {
      if (metadata.name === role.metadata.name || !selector.matches(metadata.labels)) continue;
      for (const rule of theirs ?? []) {
        const key = textOf(rule);
        if (rules.has(key)) continue;
        rules.set(key, rule);
        text += JSON.stringify(rule).length;
        if (text > MAX_RULES_TEXT) return undefined;
      }
    }
  }
  return rules.size === 0 ? null : [...rules.values()];
}

/** The same text for the same rule, whatever the order of its fields. */
function textOf({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): string {
  return JSON.stringify([verbs, apiGroups, resources, resourceNames, nonResourceURLs]);
}

/**
 * Rules that it gathered before, and does not any more, go with it; those of somebody else stay while it gathers none.
 *
 * @returns the resourceVersion of the role now.
 * @throws {APIError} `NotFound` where it is gone.
 */
async function apply(name: string, rules: readonly PolicyRule[] | null, verbs: ResourceVerbs, context: RequestContext): Promise<string | undefined> {
  const { kind, storageVersion: version } = ClusterRole;
  const { apiVersion } = version;
  // Rules of the schema are JSON all through.
  const gathered = rules === null ? {} : { rules: rules as unknown as JSONObject[] };
  const configuration = { apiVersion, kind, metadata: { name }, ...gathered };
  const change = applyChange({ resource: ClusterRole, version, configuration, force: true, fieldManager: FIELD_MANAGER, now: context.now });
  const transform = (live: KubernetesObject | undefined, empty?: KubernetesObject): KubernetesObject => {
    if (live === undefined) throw notFound(ClusterRole, name);
    // Whoever took the aggregation rule away meanwhile writes the rules now.
    return live.aggregationRule === undefined ? live : change.transform(live, empty);
  };
  const input = { version: version.name, target: { namespace: "", name }, isDryRun: false, fieldManager: FIELD_MANAGER, isPatch: true };
  return (await verbs.update?.({ ...input, ...change, transform }, context))?.view.resourceVersion;
}
