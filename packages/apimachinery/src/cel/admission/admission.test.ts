import { describe, expect, test } from "vitest";
import {
  ADMISSION_RESULT_TYPES,
  AdmissionActivation,
  type AdmissionInput,
  AuthorizationAnswers,
  type AuthorizationCheck,
  applyConfigurationOf,
  type CelValue,
  type CheckDecision,
  CompositedCompiler,
  compileAdmissionExpression,
  jsonPatchOf,
  MATCH_CONDITIONS_COST_BUDGET,
} from "../../index.ts";

const resource = { group: "apps", version: "v1", resource: "deployments" };
const kind = { group: "apps", version: "v1", kind: "Deployment" };
const input: AdmissionInput = {
  request: {
    kind,
    resource,
    requestKind: kind,
    requestResource: resource,
    subResource: "",
    name: "web",
    namespace: "shop",
    operation: "CREATE",
    user: { name: "alice", groups: ["devs"], extra: {} },
    isDryRun: false,
    options: null,
  },
  object: { spec: { replicas: 3 } },
  oldObject: null,
};
const ALL = { hasParams: true, hasAuthorizer: true, hasPatchTypes: true };
const ALLOWED: CheckDecision = { decision: "Allow", reason: "" };

/** What an expression of any type comes to. */
async function evaluated(text: string, more: Partial<AdmissionInput> = {}): Promise<CelValue | string> {
  const { value, error } = await new AdmissionActivation({ ...input, ...more }).evaluate(compileAdmissionExpression(text, ALL));
  return error ?? value;
}

// The words and values of Kubernetes are compared in test/differential/cel/admission.json; here is what it does not have.
describe("the authorizer", () => {
  const may = compileAdmissionExpression("authorizer.requestResource.check('get').allowed()", ALL);
  const mayTwice = compileAdmissionExpression(`${may.text} && authorizer.path('/x').check('get').allowed()`, ALL);

  test("that answers at once needs no promise", () => {
    const activation = new AdmissionActivation({ ...input, authorizer: new AuthorizationAnswers(() => ALLOWED) });
    expect(activation.evaluate(mayTwice)).toEqual({ value: true });
  });

  test("that answers later is waited for, and each check is asked once", async () => {
    const asked: AuthorizationCheck[] = [];
    const authorizer = new AuthorizationAnswers(async (check) => {
      asked.push(check);
      return ALLOWED;
    });
    const first = new AdmissionActivation({ ...input, authorizer });
    const result = first.evaluate(mayTwice);
    expect(result).toBeInstanceOf(Promise);
    expect(await result).toEqual({ value: true });
    expect(asked.map(({ type }) => type)).toEqual(["resource", "path"]);
    // Now all is known, to another policy's expressions as well.
    const second = new AdmissionActivation({ ...input, authorizer });
    expect(second.evaluate(mayTwice)).toEqual({ value: true });
    expect(asked).toHaveLength(2);
  });

  test("is asked again for another user, and not for groups in another order", () => {
    const asked: AuthorizationCheck[] = [];
    const answers = new AuthorizationAnswers((check) => {
      asked.push(check);
      return ALLOWED;
    });
    const check = (user: object): AuthorizationCheck => ({
      type: "path",
      user: { name: "a", groups: ["x", "y"], extra: { k: ["1", "2"] }, ...user },
      verb: "get",
      path: "/",
    });
    const users = [{}, { groups: ["y", "x"] }, { extra: { k: ["2", "1"] } }, { name: "b" }, { uid: "1" }, { groups: ["x"] }, { extra: {} }];
    for (const user of users) answers.decide(check(user));
    expect(asked.map(({ user }) => user)).toEqual([check({}), ...users.slice(3).map(check)].map(({ user }) => user));
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
  ])("that %s ends the evaluation", async (_how, ask) => {
    const activation = new AdmissionActivation({ ...input, authorizer: new AuthorizationAnswers(ask) });
    await expect((async () => activation.evaluate(may))()).rejects.toThrow("broken");
    // What was begun is ended: another evaluation counts its work from the beginning.
    expect(await evaluated("[1, 2].all(x, x > 0)")).toBe(true);
  });

  test("is asked no more often than the budget pays for", async () => {
    let asked = 0;
    const authorizer = new AuthorizationAnswers(async () => {
      asked++;
      return ALLOWED;
    });
    const compiler = new CompositedCompiler();
    const names = Array.from({ length: 50 }, (_, index) => `v${index}`);
    for (const name of names) compiler.declareVariable(name, `authorizer.path('/${name}').check('get').allowed()`, ALL);
    const all = compiler.compile(names.map((name) => `variables.${name}`).join(" && "), ALL);
    const activation = new AdmissionActivation({ ...input, authorizer }, compiler.variables, MATCH_CONDITIONS_COST_BUDGET);
    expect(await activation.evaluate(all)).toMatchObject({ isOutOfBudget: true });
    expect(asked).toBe(8);
  });
});

describe("variables", () => {
  const policy = (variables: Readonly<Record<string, string>>) => {
    const compiler = new CompositedCompiler();
    for (const [name, text] of Object.entries(variables)) compiler.declareVariable(name, text, ALL);
    return compiler;
  };

  test("are evaluated when they are asked for, and once", () => {
    const compiler = policy({ sum: "object.spec.replicas + 1", unused: "[1, 2, 3].map(x, x)" });
    const costOf = (...texts: readonly string[]) => {
      const activation = new AdmissionActivation(input, compiler.variables, 1000);
      for (const text of texts) expect(activation.evaluate(compiler.compile(text, ALL))).toHaveProperty("value", true);
      return 1000 - activation.budget;
    };
    expect(costOf("variables.sum == 4")).toBe(3 + 4);
    expect(costOf("variables.sum == 4", "variables.sum == 4")).toBe(3 + 4 + 3);
    expect(costOf("true")).toBe(0);
  });

  test("keep what they cost when the expression is begun anew", async () => {
    const compiler = policy({ dear: "[1, 2, 3].all(x, x > 0)" });
    const text = "variables.dear && authorizer.path('/x').check('get').allowed()";
    const budgetAfter = async (authorizer: AuthorizationAnswers) => {
      const activation = new AdmissionActivation({ ...input, authorizer }, compiler.variables);
      expect(await activation.evaluate(compiler.compile(text, ALL))).toEqual({ value: true });
      return activation.budget;
    };
    expect(await budgetAfter(new AuthorizationAnswers(async () => ALLOWED))).toBe(await budgetAfter(new AuthorizationAnswers(() => ALLOWED)));
  });

  test("count their own work, beside that of who asks for them", () => {
    const compiler = policy({ worked: "lists.range(1000).all(x, lists.range(100).size() == 100)" });
    const long = { ...input, object: { text: "a".repeat(400_000) } };
    const both = compiler.compile("[object.text].all(t, t.indexOf('b') < 0) && variables.worked && [object.text].all(t, t.indexOf('b') < 0)", ALL);
    const alone = compiler.compile("[object.text].all(t, t.indexOf('b') < 0) && true && [object.text].all(t, t.indexOf('b') < 0)", ALL);
    const costOf = (text: typeof both) => {
      const activation = new AdmissionActivation(long, compiler.variables);
      expect(activation.evaluate(text)).toEqual({ value: true });
      return 10_000_000 - activation.budget;
    };
    // Asking for it costs 2, which are within what the work around it is worth.
    const variable = costOf(compiler.compile("variables.worked", ALL)) - 2;
    expect(costOf(alone)).toBeGreaterThan(500);
    expect(costOf(both)).toBe(costOf(alone) + variable);
  });

  test("have one name each", () => expect(() => policy({ a: "1" }).declareVariable("a", "2", ALL)).toThrow("the variable a is declared twice"));
});

test("nothing is evaluated beyond the budget", () => {
  const activation = new AdmissionActivation(input, new Map(), 5);
  const dear = compileAdmissionExpression("[1].map(x, x) == [1]", ALL);
  expect(activation.evaluate(dear)).toMatchObject({ isOutOfBudget: true });
  expect(activation.evaluate(compileAdmissionExpression("true", ALL))).toMatchObject({ isOutOfBudget: true });
  expect(activation.budget).toBe(-1);
});

describe("the types that expressions have to have", () => {
  test.each<readonly [keyof typeof ADMISSION_RESULT_TYPES, text: string, fault: string]>([
    ["validation", "1", "must evaluate to bool but got int"],
    ["matchCondition", "object", "must evaluate to bool but got dyn"],
    ["messageExpression", "null", "must evaluate to string but got null_type"],
    ["auditAnnotation", "[1]", "must evaluate to one of [string null_type] but got list(int)"],
    ["jsonPatch", "JSONPatch{}", "must evaluate to list(JSONPatch) but got JSONPatch"],
    ["applyConfiguration", "Object.spec{}", "must evaluate to Object but got Object.spec"],
  ])("%s: %s", (what, text, fault) => {
    expect(compileAdmissionExpression(text, ALL, ADMISSION_RESULT_TYPES[what]).compilation.fault).toBe(fault);
  });

  test.each([
    ["validation", "object == null"],
    ["messageExpression", "'a'"],
    ["auditAnnotation", "null"],
    ["jsonPatch", "[JSONPatch{}]"],
    ["applyConfiguration", "Object{}"],
  ] as const)("%s may be %s", (what, text) => {
    expect(compileAdmissionExpression(text, ALL, ADMISSION_RESULT_TYPES[what]).compilation.fault).toBeUndefined();
  });
});

test("a namespace is seen without what is nobody's business", async () => {
  const namespaceObject = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "shop", uid: "u", managedFields: [], ownerReferences: [] },
    status: { phase: "Active" },
  };
  expect(
    await evaluated("dyn(namespaceObject) == {'metadata': {'name': 'shop', 'uid': 'u'}, 'spec': {}, 'status': {'phase': 'Active'}}", {
      namespaceObject,
    }),
  ).toBe(true);
});

describe("patches", () => {
  const patch = async (text: string) => jsonPatchOf(await evaluated(text));
  const configuration = async (text: string) => applyConfigurationOf(await evaluated(text));

  test("keep large numbers", async () => {
    expect(await configuration("Object{a: 9007199254740993, b: 18446744073709551615u}")).toEqual({
      patch: { a: 9007199254740993n, b: 18446744073709551615n },
    });
    expect(await patch("[JSONPatch{op: 'add', value: 9007199254740993}]")).toEqual({ patch: [{ op: "add", path: "", value: "9007199254740993" }] });
  });

  test("have objects within lists and maps", async () => {
    expect(await patch("[JSONPatch{op: 'add', path: '/a', value: [Object.a{b: {'c': [[Object.a.b.c{}]]}}]}]")).toEqual({
      patch: [{ op: "add", path: "/a", value: [{ b: { c: [[{}]] } }] }],
    });
  });

  test("have null", async () => expect(await configuration("Object{a: null}")).toEqual({ patch: { a: null } }));

  test("are not as large as lists can be made", async () => {
    const doubled = `${"[".repeat(40)}['x']${"].map(x, x + x)[0]".repeat(40)}`;
    const error = "the patch is larger than 3145728 bytes";
    expect(await configuration(`Object{a: ${doubled}}`)).toEqual({ error });
    expect(await patch(`[JSONPatch{op: 'add', value: ${doubled}}]`)).toEqual({ error });
  });

  test.each([
    ["Object{a: type(1)}", "type"],
    ["Object{a: double('NaN')}", "double that is no number"],
    ["Object{a: {1: 2}}", "map with keys of type int"],
    ["Object{a: authorizer}", "kubernetes.authorization.Authorizer"],
  ])("are JSON: %s", async (text, what) => {
    const value = await evaluated(text, { authorizer: new AuthorizationAnswers(() => ALLOWED) });
    expect(applyConfigurationOf(value)).toEqual({ error: `JSONPath valueExpression evaluated to a type that could not marshal to JSON: ${what}` });
  });

  test("are of the types that are asked for", async () => {
    expect(await configuration("1")).toHaveProperty("error", "unsupported return type from ApplyConfiguration expression: int");
    expect(await patch("[1]")).toHaveProperty("error", "type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch");
    expect(await patch("1")).toHaveProperty("error", "type mismatch: JSONPatchType.expression should evaluate to array");
  });
});
