import { describe, expect, test } from "vitest";
import { type AuthorizationCheck, admissionEnvironment, type CheckDecision, compileExpression } from "../../index.ts";
import { authorizerValue, requestResourceValue } from "./authorizer.ts";

const alice = { name: "alice", groups: ["devs"], extra: {} };
const environment = admissionEnvironment({ hasAuthorizer: true });

/** What an expression comes to, and what it asks. */
function asked(text: string, decision: CheckDecision = { decision: "NoOpinion", reason: "" }) {
  const checks: AuthorizationCheck[] = [];
  const decide = (check: AuthorizationCheck) => {
    checks.push(check);
    return decision;
  };
  const { program, fault } = compileExpression(environment, text);
  if (program === undefined) throw new Error(fault);
  const { value, error, cost } = program.evaluate({
    authorizer: authorizerValue(alice, decide),
    "authorizer.requestResource": requestResourceValue(alice, decide, {
      group: "apps",
      resource: "deployments",
      subresource: "scale",
      namespace: "shop",
      name: "web",
    }),
  });
  return { value: value ?? error, cost, checks };
}

const resource = { type: "resource", user: alice, verb: "get", group: "", version: "*", resource: "pods", subresource: "", namespace: "", name: "" };

// What a kube-apiserver 1.36 asks and answers is compared in test/differential/cel/admission.json.
describe("a check asks for", () => {
  test.each<readonly [text: string, check: object]>([
    ["authorizer.path('/x').check('get')", { type: "path", user: alice, verb: "get", path: "/x" }],
    ["authorizer.group('').resource('pods').check('get')", resource],
    [
      "authorizer.group('apps').resource('a').subresource('b').namespace('c').name('d').check('list')",
      { ...resource, verb: "list", group: "apps", resource: "a", subresource: "b", namespace: "c", name: "d" },
    ],
    [
      "authorizer.requestResource.name('').check('get')",
      { ...resource, group: "apps", resource: "deployments", subresource: "scale", namespace: "shop", name: "" },
    ],
    [
      "authorizer.serviceAccount('shop', 'bot').group('').resource('pods').check('get')",
      {
        ...resource,
        user: { name: "system:serviceaccount:shop:bot", groups: ["system:serviceaccounts", "system:serviceaccounts:shop"], extra: {} },
      },
    ],
    [
      "authorizer.group('').resource('pods').fieldSelector('b!=1,a=2').check('get')",
      {
        ...resource,
        fieldSelector: {
          requirements: [
            { field: "a", operator: "=", value: "2" },
            { field: "b", operator: "!=", value: "1" },
          ],
        },
      },
    ],
    [
      "authorizer.group('').resource('pods').labelSelector('a in (c,b)').check('get')",
      { ...resource, labelSelector: { requirements: [{ key: "a", operator: "in", values: ["b", "c"] }] } },
    ],
    [
      "authorizer.group('').resource('pods').labelSelector('a b').check('get')",
      { ...resource, labelSelector: { error: "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt" } },
    ],
  ])("%s", (text, check) => expect(asked(text).checks).toEqual([check]));
});

describe("a decision", () => {
  const check = "authorizer.path('/x').check('get')";
  test.each<readonly [decision: CheckDecision, allowed: boolean, reason: string, errored: boolean, error: string]>([
    [{ decision: "Allow", reason: "r" }, true, "r", false, ""],
    [{ decision: "Deny", reason: "r" }, false, "r", false, ""],
    [{ decision: "NoOpinion", reason: "" }, false, "", false, ""],
    [{ decision: "NoOpinion", reason: "", error: "away" }, false, "", true, "away"],
    [{ decision: "Allow", reason: "", error: "" }, true, "", true, ""],
  ])("%o", (decision, ...read) => {
    expect(["allowed", "reason", "errored", "error"].map((method) => asked(`${check}.${method}()`, decision).value)).toEqual(read);
  });

  test("costs so much that an expression may ask for two, and the third is not asked", () => {
    expect(asked(`${check}.allowed()`).cost).toBe(350_003);
    const three = asked(`[1, 2, 3].exists(x, ${check}.allowed())`);
    expect(three.value).toBe("operation cancelled: actual cost limit exceeded");
    expect(three.checks).toHaveLength(2);
  });
});
