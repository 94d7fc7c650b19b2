import { OwnedRules } from "./owned-rules.ts";
import type { Rule } from "./rule.ts";

/** How many single permissions are looked at, of rules that no other covers as a whole; and how long the texts in them may be together, in characters. Go has no bound but its memory. */
const MAX_PERMISSIONS = 10_000;
const MAX_TEXT = 1024 * 1024;

/** What of some rules somebody does not have; or in words that it is too much to be told, or to be found out. */
export type Missing = readonly Rule[] | string;

/**
 * What of some rules others do not cover: each as a rule with one verb on one thing, those that differ by their verbs put together.
 *
 * Source: k8s.io/component-helpers auth/rbac/validation, Covers; kubernetes pkg/registry/rbac/validation, CompactRules.
 */
export function missingRules(owned: readonly Rule[], wanted: readonly Rule[]): Missing {
  const missing = uncovered(owned, wanted);
  return typeof missing === "string" ? missing : compact(missing);
}

/** As {@link missingRules}, and not put together. */
export function uncovered(owned: readonly Rule[], wanted: readonly Rule[]): Missing {
  const known = new OwnedRules(owned);
  // A rule that another covers as a whole, as nearly every rule is, need not be taken apart.
  const rest = wanted.filter((rule) => !isOfOneKind(rule) || !known.covers(rule));
  if (!known.isExhausted) {
    const sizes = rest.map(sizeOf);
    if (sum(sizes.map(({ permissions }) => permissions)) > MAX_PERMISSIONS || sum(sizes.map(({ text }) => text)) > MAX_TEXT) {
      return `more than ${MAX_PERMISSIONS} permissions`;
    }
    const missing = rest.flatMap(breakDown).filter((single) => !known.covers(single));
    if (!known.isExhausted) return missing;
  }
  return "permissions that take too long to compare with those held";
}

/** Whether a rule is about resources or about paths. One that is about both, which nobody may write, is to be taken apart. */
function isOfOneKind({ nonResourceURLs, resources, resourceNames }: Rule): boolean {
  return nonResourceURLs.length === 0 || resources.length + resourceNames.length === 0;
}

/** What a rule becomes when it is taken apart. */
function sizeOf({ apiGroups, resources, resourceNames, verbs, nonResourceURLs }: Rule): { readonly permissions: number; readonly text: number } {
  const lists = [apiGroups, resources, verbs, ...(resourceNames.length === 0 ? [] : [resourceNames])];
  const onResources = sizeOfProduct(lists);
  const onPaths = sizeOfProduct([nonResourceURLs, verbs]);
  return { permissions: onResources.permissions + onPaths.permissions, text: onResources.text + onPaths.text };
}

function sizeOfProduct(lists: readonly (readonly string[])[]): { readonly permissions: number; readonly text: number } {
  const permissions = lists.reduce((product, { length }) => product * length, 1);
  if (permissions === 0) return { permissions: 0, text: 0 };
  return { permissions, text: permissions * sum(lists.map((list) => sum(list.map(({ length }) => length)) / list.length)) };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Takes a rule apart, in Go's order. */
function breakDown({ apiGroups, resources, resourceNames, verbs, nonResourceURLs }: Rule): Rule[] {
  const singles: Rule[] = [];
  for (const group of apiGroups) {
    for (const resource of resources) {
      for (const verb of verbs) {
        for (const names of resourceNames.length === 0 ? [[]] : resourceNames.map((name) => [name])) {
          singles.push({ verbs: [verb], apiGroups: [group], resources: [resource], resourceNames: names, nonResourceURLs: [] });
        }
      }
    }
  }
  for (const url of nonResourceURLs) {
    for (const verb of verbs) singles.push({ verbs: [verb], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [url] });
  }
  return singles;
}

/** Puts single permissions on the same thing together. */
function compact(singles: readonly Rule[]): readonly Rule[] {
  const byThing = new Map<string, { readonly rule: Rule; readonly verbs: string[] }>();
  const result: Rule[] = [];
  for (const rule of singles) {
    if (rule.nonResourceURLs.length > 0) {
      result.push(rule);
      continue;
    }
    const thing = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames]);
    const known = byThing.get(thing);
    if (known === undefined) byThing.set(thing, { rule, verbs: [...rule.verbs] });
    else for (const verb of rule.verbs) known.verbs.push(verb);
  }
  for (const { rule, verbs } of byThing.values()) result.push({ ...rule, verbs });
  return result;
}
