import type { AuthorizationCheck } from "@annex/apimachinery";
import type { Attributes } from "@annex/apiserver";
import { expect, test } from "vitest";
import { authorizationAnswers } from "./authorization.ts";

const user = { name: "alice", groups: ["devs"], extra: {} };
const pods = { user, verb: "list", group: "", version: "*", resource: "pods", subresource: "", namespace: "x", name: "" } as const;
const check: AuthorizationCheck = { type: "resource", ...pods };
const field = { field: "spec.nodeName", operator: "=", value: "n" } as const;
const label = { key: "a", operator: "exists", values: [] } as const;

test.each<{ what: string; asked: AuthorizationCheck; want: object }>([
  { what: "of a resource", asked: check, want: check },
  {
    what: "with its selectors",
    asked: { ...check, fieldSelector: { requirements: [field] }, labelSelector: { requirements: [label] } },
    want: { ...check, fieldSelector: [field], labelSelector: [label] },
  },
  { what: "without a selector that selects all", asked: { ...check, labelSelector: { requirements: [] } }, want: check },
  {
    what: "without a selector that cannot be read",
    asked: { ...check, fieldSelector: { error: "?" }, labelSelector: { requirements: [label] } },
    want: { ...check, labelSelector: [label] },
  },
  { what: "of a path", asked: { type: "path", user, verb: "get", path: "/x" }, want: { type: "path", user, verb: "get", path: "/x" } },
])("an expression's check $what is asked so of the authorizer", ({ asked, want }) => {
  const seen: Attributes[] = [];
  const answers = authorizationAnswers(
    {
      authorize: (attributes) => {
        seen.push(attributes);
        return { decision: "Allow", reason: "" };
      },
    },
    new AbortController().signal,
  );
  expect(answers.decide(asked)).toEqual({ decision: "Allow", reason: "" });
  expect(seen).toEqual([want]);
});
