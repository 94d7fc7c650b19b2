// The admission policies of a real cluster, evaluated by its kube-apiserver about a custom resource, and by a server of ours about the same kind: both say the same. Each case has a
// policy and a binding of its own, which are about the objects with its label.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { BUILD_LIMIT_MS } from "../../controlplane/build.ts";
import { type ControlPlane, startControlPlane, stopControlPlane } from "../../controlplane/control-plane.ts";
import { temporaryFolder } from "../server.ts";
import { type AdmissionPair, GROUP, NAMESPACE, startAdmissionPair, WIDGETS } from "./admission-pair.ts";

const MINUTE_MS = 60_000;
const API = "admissionregistration.k8s.io/v1";

let plane: ControlPlane;
let pair: AdmissionPair;

interface Case {
  readonly what: string;
  /** Of the policy, beside its constraints. */
  readonly spec: object;
  readonly binding?: object;
  readonly constraints?: object;
  readonly metadata?: object;
  readonly query?: string;
}

const validations = (...all: readonly object[]) => ({ validations: all });
const never = { expression: "false" };
const CONFIG_MAPS = { paramKind: { apiVersion: "v1", kind: "ConfigMap" } };
const named = (name: string, parameterNotFoundAction = "Deny") => ({ paramRef: { name, namespace: NAMESPACE, parameterNotFoundAction } });
const labelled = (tier: string) => ({ paramRef: { selector: { matchLabels: { tier } }, parameterNotFoundAction: "Allow" } });

const VALIDATING: readonly Case[] = [
  { what: "holds", spec: validations({ expression: "object.spec.color == 'red'" }) },
  { what: "does not hold", spec: validations({ expression: "object.spec.color == 'blue'" }) },
  { what: "has a message", spec: validations({ expression: "false", message: " no red " }) },
  {
    what: "has a message that is made",
    spec: validations({ expression: "false", messageExpression: "'no ' + object.spec.color", message: "other" }),
  },
  {
    what: "has a message that cannot be made",
    spec: validations({ expression: "false", messageExpression: "string(object.spec.none)", message: "other" }),
  },
  { what: "has a message of two lines", spec: validations({ expression: "false", messageExpression: "'a\\nb'" }) },
  ...["Forbidden", "RequestEntityTooLarge", "Invalid"].map((reason) => ({ what: `says ${reason}`, spec: validations({ ...never, reason }) })),
  { what: "fails twice", spec: validations({ expression: "object.spec.none == 1" }, never) },
  { what: "is ignored where it fails", spec: { failurePolicy: "Ignore", ...validations({ expression: "object.spec.none == 1" }) } },
  { what: "is not ignored where it denies", spec: { failurePolicy: "Ignore", ...validations({ expression: "object.spec.none == 1" }, never) } },
  { what: "warns", spec: validations({ expression: "false", message: "mind" }), binding: { validationActions: ["Warn", "Audit"] } },
  { what: "warns of failures", spec: validations({ expression: "object.spec.none == 1" }), binding: { validationActions: ["Warn"] } },
  {
    what: "has conditions that hold",
    spec: { matchConditions: [{ name: "c", expression: "request.operation == 'CREATE'" }], ...validations(never) },
  },
  { what: "has a condition that does not", spec: { matchConditions: [{ name: "c", expression: "object.spec.size > 1" }], ...validations(never) } },
  { what: "has a condition that fails", spec: { matchConditions: [{ name: "c", expression: "object.spec.none > 1" }], ...validations(never) } },
  {
    what: "has variables",
    spec: { variables: [{ name: "big", expression: "object.spec.size > 5" }], ...validations({ expression: "variables.big" }) },
  },
  { what: "looks at the namespace", spec: validations({ expression: "namespaceObject.metadata.labels.team == 'two'" }) },
  { what: "asks the authorizer", spec: validations({ expression: "!authorizer.requestResource.check('create').allowed()" }) },
  {
    what: "looks at the request",
    spec: validations({ expression: "request.dryRun && request.options.fieldManager == 'me' && false" }),
    query: "?dryRun=All&fieldManager=me",
  },
  {
    what: "costs too much",
    spec: validations({
      expression:
        "object.metadata.name.size() > 0 && [1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, [1,2,3,4,5,6,7,8,9].all(f, a+b+c+d+e+f > 0))))))",
    }),
  },
  { what: "has annotations", spec: { auditAnnotations: [{ key: "k", valueExpression: "'v'" }], ...validations({ expression: "true" }) } },
  {
    what: "has annotations that fail",
    spec: { auditAnnotations: [{ key: "k", valueExpression: "string(object.spec.none)" }], ...validations({ expression: "true" }) },
  },
  {
    what: "has params by name",
    spec: {
      ...CONFIG_MAPS,
      ...validations({ expression: "object.spec.color == params.data.color", messageExpression: "params.kind + ' wants ' + params.data.color" }),
    },
    binding: named("one"),
  },
  {
    what: "has params by labels",
    spec: {
      ...CONFIG_MAPS,
      ...validations({ expression: "object.spec.color == params.data.color", messageExpression: "'wants ' + params.data.color" }),
    },
    binding: labelled("front"),
  },
  { what: "finds no params, and denies", spec: { ...CONFIG_MAPS, ...validations({ expression: "true" }) }, binding: named("none") },
  { what: "finds no params, and allows", spec: { ...CONFIG_MAPS, ...validations(never) }, binding: named("none", "Allow") },
  { what: "has no params by its binding", spec: { ...CONFIG_MAPS, ...validations({ expression: "params != null" }) } },
  {
    what: "has params of a kind that is not there",
    spec: { paramKind: { apiVersion: "none.example.com/v1", kind: "None" }, ...validations({ expression: "true" }) },
    binding: named("one"),
  },
  {
    what: "has params of a custom resource",
    spec: { paramKind: { apiVersion: `${GROUP}/v1`, kind: "Widget" }, ...validations({ expression: "params.spec.size > 5" }) },
    binding: named("params"),
  },
  { what: "is bound elsewhere", spec: validations(never), binding: { matchResources: { namespaceSelector: { matchLabels: { team: "two" } } } } },
  { what: "is bound here", spec: validations(never), binding: { matchResources: { namespaceSelector: { matchLabels: { team: "one" } } } } },
  { what: "excludes", spec: validations(never), constraints: { excludeResourceRules: [rule()] } },
  { what: "is about names", spec: validations(never), constraints: { resourceRules: [{ ...rule(), resourceNames: ["somebody"] }] } },
  {
    what: "is about an equivalent version",
    spec: validations({ expression: "object.apiVersion.endsWith('v1')" }),
    constraints: { resourceRules: [{ ...rule(), apiVersions: ["v1beta1"] }] },
  },
  {
    what: "is about an exact version",
    spec: validations(never),
    constraints: { matchPolicy: "Exact", resourceRules: [{ ...rule(), apiVersions: ["v1beta1"] }] },
  },
  { what: "has a name that is made up", spec: validations({ expression: "request.name == 'x'" }), metadata: { generateName: "made-" } },
];

const patches = (...expressions: readonly string[]) => ({
  reinvocationPolicy: "Never",
  mutations: expressions.map((expression) => ({ patchType: "JSONPatch", jsonPatch: { expression } })),
});
const applies = (...expressions: readonly string[]) => ({
  reinvocationPolicy: "Never",
  mutations: expressions.map((expression) => ({ patchType: "ApplyConfiguration", applyConfiguration: { expression } })),
});
const GREEN = '[JSONPatch{op: "replace", path: "/spec/color", value: "green"}]';

const MUTATING: readonly Case[] = [
  { what: "patches", spec: patches(GREEN) },
  { what: "patches twice", spec: patches(GREEN, '[JSONPatch{op: "add", path: "/spec/tags", value: [object.spec.color]}]') },
  {
    what: "patches with what it tests",
    spec: patches('[JSONPatch{op: "test", path: "/spec/color", value: "blue"}, JSONPatch{op: "remove", path: "/spec"}]'),
  },
  { what: "patches outside", spec: patches('[JSONPatch{op: "add", path: "/spec/none/deep", value: 1}]') },
  { what: "patches outside, ignored", spec: { failurePolicy: "Ignore", ...patches('[JSONPatch{op: "add", path: "/none/deep", value: 1}]') } },
  {
    what: "patches unknown fields",
    spec: patches('[JSONPatch{op: "add", path: "/spec/unknown", value: 1}, JSONPatch{op: "remove", path: "/spec/size"}]'),
  },
  { what: "fails, and does the rest", spec: patches('[JSONPatch{op: "add", path: "/spec/tags", value: [string(object.spec.none)]}]', GREEN) },
  { what: "applies", spec: applies('Object{spec: Object.spec{color: "green", size: 7}}') },
  { what: "applies labels", spec: applies('Object{metadata: Object.metadata{labels: {"made": "yes"}}}') },
  { what: "applies fields that are not there", spec: applies('Object{spec: Object.spec{none: "x"}}') },
  { what: "applies a wrong type", spec: applies('Object{spec: Object.spec{size: "big"}}') },
  { what: "applies an atomic list", spec: applies('Object{spec: Object.spec{tags: ["a"]}}') },
  { what: "applies names that do not fit", spec: applies("Object{spec: Object.status{size: 1}}") },
  { what: "has conditions that hold", spec: { matchConditions: [{ name: "c", expression: "object.spec.color == 'red'" }], ...patches(GREEN) } },
  { what: "has conditions that do not", spec: { matchConditions: [{ name: "c", expression: "object.spec.color == 'blue'" }], ...patches(GREEN) } },
  { what: "has conditions that fail", spec: { matchConditions: [{ name: "c", expression: "object.spec.none == 'blue'" }], ...patches(GREEN) } },
  {
    what: "has variables",
    spec: { variables: [{ name: "size", expression: "object.spec.size + 4" }], ...applies("Object{spec: Object.spec{size: variables.size}}") },
  },
  { what: "has params", spec: { ...CONFIG_MAPS, ...applies("Object{spec: Object.spec{color: string(params.data.color)}}") }, binding: named("one") },
  { what: "finds no params, and denies", spec: { ...CONFIG_MAPS, ...patches(GREEN) }, binding: named("none") },
  { what: "looks at the namespace", spec: applies('Object{spec: Object.spec{color: namespaceObject.metadata.labels["team"]}}') },
  { what: "is about an equivalent version", spec: patches(GREEN), constraints: { resourceRules: [{ ...rule(), apiVersions: ["v1beta1"] }] } },
  {
    what: "is asked again",
    spec: { ...applies("Object{spec: Object.spec{size: object.spec.size + 1}}"), reinvocationPolicy: "IfNeeded" },
  },
  { what: "breaks the schema", spec: patches('[JSONPatch{op: "replace", path: "/spec/color", value: 7}]') },
];

function rule() {
  return { operations: ["CREATE", "UPDATE"], apiGroups: [GROUP], apiVersions: ["*"], resources: ["*/*"] };
}

const constraintsOf = (label: string, more: object = {}) => ({ resourceRules: [rule()], objectSelector: { matchLabels: { case: label } }, ...more });
const validating = VALIDATING.map((one, index) => ({ ...one, label: `validating-${index}` }));
const mutating = MUTATING.map((one, index) => ({ ...one, label: `mutating-${index}` }));
const PROBE = "probe";

async function bind(kind: "Validating" | "Mutating", name: string, spec: object, constraints: object, binding: object): Promise<void> {
  const path = `/apis/${API}/${kind.toLowerCase()}admissionpolic`;
  const metadata = { name, labels: { pair: "yes" } };
  await pair.admin.post(`${path}ies`, {
    apiVersion: API,
    kind: `${kind}AdmissionPolicy`,
    metadata,
    spec: { ...spec, matchConstraints: constraints },
  });
  await pair.admin.post(`${path}ybindings`, {
    apiVersion: API,
    kind: `${kind}AdmissionPolicyBinding`,
    metadata,
    spec: { policyName: name, ...binding },
  });
}

beforeAll(
  async () => {
    plane = await startControlPlane(await temporaryFolder(), { log: console.log });
    pair = await startAdmissionPair(plane);
    for (const [name, color] of [
      ["one", "blue"],
      ["two", "red"],
      ["three", "green"],
    ] as const) {
      const metadata = { name, ...(name === "one" ? {} : { labels: { tier: "front" } }) };
      await pair.admin.post(`/api/v1/namespaces/${NAMESPACE}/configmaps`, { apiVersion: "v1", kind: "ConfigMap", metadata, data: { color } });
    }
    await pair.admin.post(WIDGETS, { apiVersion: `${GROUP}/v1`, kind: "Widget", metadata: { name: "params" }, spec: { size: 3 } });
    for (const { label, spec, constraints, binding } of mutating)
      await bind("Mutating", label, spec, constraintsOf(label, constraints), binding ?? {});
    for (const { label, spec, constraints, binding } of validating)
      await bind("Validating", label, spec, constraintsOf(label, constraints), { validationActions: ["Deny"], ...binding });
    await bind("Validating", PROBE, validations({ ...never, reason: "RequestEntityTooLarge" }), constraintsOf(PROBE), {
      validationActions: ["Deny"],
    });
    await vi.waitFor(
      async () => {
        const { theirs, ours } = await pair.ask("POST", WIDGETS, widget(PROBE));
        expect([theirs.status, ours.status]).toEqual([413, 413]);
      },
      { timeout: MINUTE_MS, interval: 200 },
    );
  },
  BUILD_LIMIT_MS + 3 * MINUTE_MS,
);

afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
  if (plane !== undefined) await stopControlPlane(plane.folder);
}, MINUTE_MS);

const widget = (label: string, metadata: object = { name: `w-${label}` }) => ({
  apiVersion: `${GROUP}/v1`,
  kind: "Widget",
  metadata: { ...metadata, labels: { case: label } },
  spec: { color: "red" },
});

describe.each([
  { kind: "validating", cases: validating },
  { kind: "mutating", cases: mutating },
])("a $kind policy of a cluster that", ({ cases }) => {
  test.each(cases)("$what", async ({ label, metadata, query = "" }) => {
    const { theirs, ours } = await pair.ask("POST", `${WIDGETS}${query}`, widget(label, metadata));
    expect(ours).toEqual(theirs);
  });
});
