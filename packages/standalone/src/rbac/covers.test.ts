import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { missingRules, uncovered } from "./covers.ts";
import { formatRule, type Rule, urlMatches } from "./rule.ts";

const ruleOf = (lists: Partial<Rule>): Rule => ({ verbs: [], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [], ...lists });
const onSecret = (name: string): Rule => ruleOf({ verbs: ["get"], apiGroups: [""], resources: ["secrets"], resourceNames: [name] });
const many = <T>(length: number, make: (at: number) => T): T[] => Array.from({ length }, (_, at) => make(at));

/** Every single permission against every rule, as Go does. */
function uncoveredInGo(owned: readonly Rule[], wanted: readonly Rule[]): string[] {
  const has = (list: readonly string[], value: string) => list.includes("*") || list.includes(value);
  const covers = (
    owner: Rule,
    { verbs: [verb = ""], apiGroups: [group = ""], resources: [resource = ""], resourceNames: [name], nonResourceURLs: [url] }: Rule,
  ) => {
    if (!has(owner.verbs, verb)) return false;
    if (url !== undefined) return owner.nonResourceURLs.some((one) => urlMatches(one, url));
    const slash = resource.indexOf("/");
    const isResource = has(owner.resources, resource) || (slash >= 0 && owner.resources.includes(`*${resource.slice(slash)}`));
    return (
      has(owner.apiGroups, group) && isResource && (owner.resourceNames.length === 0 || (name !== undefined && owner.resourceNames.includes(name)))
    );
  };
  const singles = wanted.flatMap(({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }) => [
    ...apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) =>
          (resourceNames.length === 0 ? [[]] : resourceNames.map((name) => [name])).map((names) =>
            ruleOf({ verbs: [verb], apiGroups: [group], resources: [resource], resourceNames: names }),
          ),
        ),
      ),
    ),
    ...nonResourceURLs.flatMap((url) => verbs.map((verb) => ruleOf({ verbs: [verb], nonResourceURLs: [url] }))),
  ]);
  return singles.filter((single) => !owned.some((owner) => covers(owner, single))).map(formatRule);
}

test("finds what a comparison of everything with everything finds", () => {
  const filler = many(9, (at) => `x${at}`);
  /** @param more stands before each list, so that it is a long one. */
  const rulesWith = (more: readonly string[]) => {
    const some = (...values: string[]) => fc.subarray(values).map((list) => [...more, ...list]);
    const onResources = fc.record({
      verbs: some("get", "list", "*"),
      apiGroups: some("", "g", "*"),
      resources: some("p", "p/s", "*/s", "q/s", "*"),
      resourceNames: fc.oneof(fc.constant([]), some("a", "b")),
    });
    const onPaths = fc.record({ verbs: some("get", "list", "*"), nonResourceURLs: some("/x", "/x/*", "/x/y", "/x/**", "*") });
    return fc.array(fc.oneof(onResources.map(ruleOf), onPaths.map(ruleOf)), { maxLength: 4 });
  };
  let found = 0;
  let covered = 0;
  fc.assert(
    fc.property(fc.oneof(rulesWith([]), rulesWith(filler)), rulesWith([]), (owned, wanted) => {
      const missing = uncovered(owned, wanted);
      if (typeof missing === "string") return;
      const expected = uncoveredInGo(owned, wanted);
      if (expected.length > 0) found++;
      else if (wanted.length > 0) covered++;
      expect(missing.map(formatRule)).toEqual(expected);
    }),
    { numRuns: 1_000 },
  );
  expect(Math.min(found, covered)).toBeGreaterThan(100);
});

describe("of thousands of rules", () => {
  // Each with each would be a billion comparisons: half a minute.
  test("those that are held are found, and those that are not", () => {
    const owned = many(35_000, (at) => onSecret(`a${at}`));
    expect(missingRules(owned, owned.toReversed())).toEqual([]);
    expect(missingRules(owned, [...owned, onSecret("b")])).toEqual([onSecret("b")]);
    expect(
      missingRules(
        owned,
        many(35_000, () => ruleOf({ verbs: ["get"], apiGroups: [""], resources: ["nodes"] })),
      ),
    ).toBe("more than 10000 permissions");
  });

  test("nobody looks for longer than a bound", () => {
    // Every string of what is wanted is in half of what is held, but never together.
    const owned = many(20_000, (at) => ruleOf({ verbs: [at % 2 ? "get" : "list"], apiGroups: [""], resources: [at % 2 ? "secrets" : "pods"] }));
    const wanted = many(10_000, () => ruleOf({ verbs: ["get"], apiGroups: [""], resources: ["pods"] }));
    expect(missingRules(owned, wanted)).toBe("permissions that take too long to compare with those held");
  });

  test("long lists are searched by hash", () => {
    const verbs = many(100_000, () => "get");
    const owned = [ruleOf({ verbs: [...verbs, "list"], apiGroups: [""], resources: ["pods"] })];
    expect(missingRules(owned, [ruleOf({ verbs: verbs.map(() => "list"), apiGroups: [""], resources: ["pods"] })])).toEqual([]);
  });
});
