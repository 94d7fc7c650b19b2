import { prefixOfURL, type Rule } from "./rule.ts";

/** How many strings may be compared for one request. A rule that is looked up in vain among thousands costs none; this is for those made to be costly. */
const MAX_COMPARISONS = 5_000_000;
/** A list longer than this is searched by hash. */
const SHORT = 8;

type Lists = "verbs" | "apiGroups" | "resources" | "resourceNames" | "nonResourceURLs";

/** A rule that somebody has. */
interface Owned {
  readonly verbs: Search;
  readonly apiGroups: Search;
  readonly resources: Search;
  readonly resourceNames: Search;
  /** None: the rule is about all objects. */
  readonly hasNames: boolean;
  readonly paths: Search;
  /** What the paths begin with that stand for all that begin so. */
  readonly prefixes: readonly string[];
}

type Search = ReadonlySet<string> | readonly string[];

/** The rules with a string in one of their lists. */
type Postings = ReadonlyMap<string, readonly Owned[]>;

const NOBODY: readonly Owned[] = [];

/**
 * The rules that somebody has, by what stands in them. Whether they cover another rule is asked of those only that have the rarest of its strings: of thousands of rules
 * this is mostly one or none.
 *
 * Source: what covers what is k8s.io/component-helpers auth/rbac/validation, Covers, which compares every rule with every other.
 */
export class OwnedRules {
  readonly #by: Readonly<Record<Exclude<Lists, "nonResourceURLs">, Postings>>;
  readonly #byPath: Postings;
  readonly #withPrefixes: readonly Owned[];
  readonly #withoutNames: readonly Owned[];
  #comparisons = 0;

  constructor(rules: readonly Rule[]) {
    const by = { verbs: new Map(), apiGroups: new Map(), resources: new Map(), resourceNames: new Map() } satisfies Record<
      string,
      Map<string, Owned[]>
    >;
    const byPath = new Map<string, Owned[]>();
    const owned = rules.map((rule) => {
      const one = ownedOf(rule);
      for (const list of ["verbs", "apiGroups", "resources", "resourceNames"] as const) post(by[list], rule[list], one);
      post(byPath, rule.nonResourceURLs, one);
      return one;
    });
    this.#by = by;
    this.#byPath = byPath;
    this.#withPrefixes = owned.filter(({ prefixes }) => prefixes.length > 0);
    this.#withoutNames = owned.filter(({ hasNames }) => !hasNames);
  }

  /** Whether more was asked than may be compared: then {@link OwnedRules.covers} has answered no without looking. */
  get isExhausted(): boolean {
    return this.#comparisons > MAX_COMPARISONS;
  }

  /** Whether one of the rules allows all that another does. One that is about resources and about paths is no rule that may be written, and to be taken apart before. */
  covers(rule: Rule): boolean {
    const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule;
    const size = 1 + verbs.length + apiGroups.length + resources.length + resourceNames.length;
    for (const candidates of this.#candidates(rule)) {
      for (const owned of candidates) {
        this.#comparisons += size + nonResourceURLs.length * (1 + owned.prefixes.length);
        if (this.isExhausted) return false;
        if (coversAll(owned, rule)) return true;
      }
    }
    return false;
  }

  /** The rules to ask, in parts: those that can cover the string of a rule that the fewest can cover. */
  #candidates({ resourceNames, nonResourceURLs, ...lists }: Rule): readonly (readonly Owned[])[] {
    let fewest: readonly (readonly Owned[])[] = [this.#withoutNames];
    let count = Number.POSITIVE_INFINITY;
    const consider = (...parts: readonly (readonly Owned[])[]) => {
      const size = parts.reduce((sum, { length }) => sum + length, 0);
      if (size < count) [fewest, count] = [parts, size];
    };
    for (const name of resourceNames) consider(this.#withoutNames, this.#by.resourceNames.get(name) ?? NOBODY);
    if (resourceNames.length === 0) consider(this.#withoutNames);
    for (const list of ["verbs", "apiGroups"] as const) {
      const postings = this.#by[list];
      for (const value of lists[list]) consider(postings.get(value) ?? NOBODY, postings.get("*") ?? NOBODY);
    }
    const { resources } = this.#by;
    for (const resource of lists.resources) {
      const ofAny = subresourceOfAny(resource);
      consider(resources.get(resource) ?? NOBODY, resources.get("*") ?? NOBODY, (ofAny !== undefined && resources.get(ofAny)) || NOBODY);
    }
    for (const path of nonResourceURLs) consider(this.#byPath.get(path) ?? NOBODY, this.#withPrefixes);
    return fewest;
  }
}

function ownedOf({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: Rule): Owned {
  return {
    verbs: searchOf(verbs),
    apiGroups: searchOf(apiGroups),
    resources: searchOf(resources),
    resourceNames: searchOf(resourceNames),
    hasNames: resourceNames.length > 0,
    paths: searchOf(nonResourceURLs),
    prefixes: nonResourceURLs.map(prefixOfURL).filter((prefix) => prefix !== undefined),
  };
}

function searchOf(list: readonly string[]): Search {
  return list.length > SHORT ? new Set(list) : list;
}

function has(list: Search, value: string): boolean {
  return "has" in list ? list.has(value) : list.includes(value);
}

function post(postings: Map<string, Owned[]>, values: readonly string[], owned: Owned): void {
  for (const value of values) {
    const known = postings.get(value);
    if (known === undefined) postings.set(value, [owned]);
    // A string that a list has twice.
    else if (known.at(-1) !== owned) known.push(owned);
  }
}

/** Source: auth/rbac/validation, ruleCovers: all of its lists are covered, empty ones are. */
function coversAll(owned: Owned, rule: Rule): boolean {
  return (
    hasStarOrAll(owned.verbs, rule.verbs) &&
    hasStarOrAll(owned.apiGroups, rule.apiGroups) &&
    (has(owned.resources, "*") || rule.resources.every((resource) => coversResource(owned.resources, resource))) &&
    (!owned.hasNames || (rule.resourceNames.length > 0 && hasAll(owned.resourceNames, rule.resourceNames))) &&
    rule.nonResourceURLs.every((url) => has(owned.paths, url) || owned.prefixes.some((prefix) => url.startsWith(prefix)))
  );
}

const hasAll = (list: Search, wanted: readonly string[]): boolean => wanted.every((one) => has(list, one));
const hasStarOrAll = (list: Search, wanted: readonly string[]): boolean => has(list, "*") || hasAll(list, wanted);

function coversResource(resources: Search, wanted: string): boolean {
  if (has(resources, wanted)) return true;
  const ofAny = subresourceOfAny(wanted);
  return ofAny !== undefined && has(resources, ofAny);
}

/** `*\/log` of `pods/log`; undefined of what has no subresource. */
function subresourceOfAny(resource: string): string | undefined {
  const slash = resource.indexOf("/");
  return slash < 0 ? undefined : `*${resource.slice(slash)}`;
}
