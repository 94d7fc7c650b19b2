import type { Attributes, UserInfo } from "@annex/apiserver";
import { describe, expect, test } from "vitest";
import { formatRule, type Rule, readRules, ruleAllows, urlMatches } from "./rule.ts";

const alice: UserInfo = { name: "alice", groups: [], extra: {} };
const ruleOf = (fields: Partial<Rule>): Rule => ({ verbs: [], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [], ...fields });
const on = (apiGroup: string, ...resources: string[]) => ruleOf({ verbs: ["get"], apiGroups: [apiGroup], resources });
const ask = (what: string, verb = "get", name = ""): Attributes => {
  if (what.startsWith("/")) return { type: "path", user: alice, verb, path: what };
  const [place = "", group = ""] = what.split("@");
  const [resource = "", ...rest] = place.split("/");
  return { type: "resource", user: alice, verb, group, version: "v1", resource, subresource: rest.join("/"), namespace: "", name };
};

describe("what a rule allows", () => {
  test.each<{ rule: Rule; asked: Attributes; allows: boolean }>([
    { rule: on("", "pods"), asked: ask("pods"), allows: true },
    { rule: on("", "pods"), asked: ask("pods", "list"), allows: false },
    { rule: ruleOf({ ...on("", "pods"), verbs: ["*"] }), asked: ask("pods", "anything"), allows: true },
    { rule: on("", "pods"), asked: ask("pods@apps"), allows: false },
    { rule: on("*", "pods"), asked: ask("pods@apps"), allows: true },
    { rule: on("app*", "pods"), asked: ask("pods@apps"), allows: false },
    { rule: on("", "pods"), asked: ask("pods/log"), allows: false },
    { rule: on("", "pods/log"), asked: ask("pods/log"), allows: true },
    { rule: on("", "pods/log"), asked: ask("pods"), allows: false },
    { rule: on("", "pods/*"), asked: ask("pods/log"), allows: false },
    { rule: on("", "*"), asked: ask("pods"), allows: true },
    { rule: on("", "*"), asked: ask("pods/log"), allows: true },
    { rule: on("", "*/log"), asked: ask("pods/log"), allows: true },
    { rule: on("", "*/log"), asked: ask("pods"), allows: false },
    { rule: on("", "*/scale"), asked: ask("pods/log"), allows: false },
    { rule: on("", "*/*"), asked: ask("pods/log"), allows: false },
    { rule: on("", "pod*"), asked: ask("pods"), allows: false },
    { rule: on("", ""), asked: ask("pods"), allows: false },
    { rule: ruleOf({ ...on("", "pods"), resourceNames: ["a", "b"] }), asked: ask("pods", "get", "b"), allows: true },
    { rule: ruleOf({ ...on("", "pods"), resourceNames: ["a"] }), asked: ask("pods", "get", "b"), allows: false },
    { rule: ruleOf({ ...on("", "pods"), resourceNames: ["a"] }), asked: ask("pods", "get", ""), allows: false },
    { rule: ruleOf({ ...on("", "pods"), resourceNames: ["*"] }), asked: ask("pods", "get", "b"), allows: false },
    { rule: ruleOf({ ...on("", "pods"), resourceNames: [""] }), asked: ask("pods", "get", ""), allows: true },
    { rule: ruleOf({ verbs: ["get"], nonResourceURLs: ["/logs"] }), asked: ask("/logs"), allows: true },
    { rule: ruleOf({ verbs: ["get"], nonResourceURLs: ["/logs"] }), asked: ask("/logs/a"), allows: false },
    { rule: ruleOf({ verbs: ["get"], nonResourceURLs: ["/logs"] }), asked: ask("/logs", "post"), allows: false },
    { rule: ruleOf({ verbs: ["*"], nonResourceURLs: ["/logs"] }), asked: ask("/logs", "post"), allows: true },
    { rule: on("*", "*"), asked: ask("/logs"), allows: false },
    { rule: ruleOf({ verbs: ["*"], nonResourceURLs: ["*"] }), asked: ask("pods"), allows: false },
    { rule: ruleOf({ verbs: ["get"], apiGroups: [""] }), asked: ask("pods"), allows: false },
    { rule: ruleOf({}), asked: ask("pods"), allows: false },
  ])("$rule for $asked: $allows", ({ rule, asked, allows }) => expect(ruleAllows(rule, asked)).toBe(allows));

  test.each([
    { url: "*", path: "/anything", matches: true },
    { url: "/api/*", path: "/api/v1", matches: true },
    { url: "/api/*", path: "/api/", matches: true },
    { url: "/api/*", path: "/api", matches: false },
    { url: "/api*", path: "/apis", matches: true },
    { url: "/api/**", path: "/api/v1", matches: true },
    { url: "/*/x", path: "/a/x", matches: false },
    { url: "/*/x", path: "/*/x", matches: true },
    { url: "", path: "/", matches: false },
  ])("path $path by $url: $matches", ({ url, path, matches }) => expect(urlMatches(url, path)).toBe(matches));
});

describe("rules that are not of the right form", () => {
  const good = { verbs: ["get"], apiGroups: [""], resources: ["pods"] };
  test.each<{ why: string; stored: unknown }>([
    { why: "no list", stored: "x" },
    { why: "nothing", stored: undefined },
    { why: "elements that are no rules", stored: [null, 1, "x", []] },
    // Without its names the rule would allow more.
    { why: "names that are no list", stored: [{ ...good, resourceNames: "a" }] },
    { why: "names that are no strings", stored: [{ ...good, resourceNames: [1] }] },
    { why: "verbs that are no strings", stored: [{ ...good, verbs: ["*", null] }] },
    { why: "an object with a length", stored: [{ ...good, verbs: { length: 1, 0: "*" } }] },
  ])("$why allow nothing", ({ stored }) => expect(readRules(stored).filter((rule) => ruleAllows(rule, ask("pods", "get", "a")))).toEqual([]));

  test("leave the others alone, and null is no list", () => {
    expect(readRules([null, { ...good, resourceNames: null }])).toEqual([ruleOf(good)]);
  });
});

test("a rule as messages have it", () => {
  expect(formatRule(ruleOf({ verbs: ["get", 'a"b'], apiGroups: [""], resources: ["pods"], resourceNames: ["x"] }))).toBe(
    '{APIGroups:[""], Resources:["pods"], ResourceNames:["x"], Verbs:["get" "a\\"b"]}',
  );
  expect(formatRule(ruleOf({ verbs: ["get"], nonResourceURLs: ["/x"] }))).toBe('{NonResourceURLs:["/x"], Verbs:["get"]}');
  expect(formatRule(ruleOf({}))).toBe("{}");
});
