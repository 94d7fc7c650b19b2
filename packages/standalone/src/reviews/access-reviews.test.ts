import { ALICE } from "@annex/testing";
import { describe, expect, test } from "vitest";
import type { Allows } from "../testing/account-server.ts";
import { AUTHORIZATION, startAccountServer } from "../testing/account-server.ts";

const SELF = `${AUTHORIZATION}/selfsubjectaccessreviews`;
const ANY = `${AUTHORIZATION}/subjectaccessreviews`;
const LOCAL = `${AUTHORIZATION}/namespaces/here/localsubjectaccessreviews`;

const invalid = (field: string, message: string, reason = "FieldValueInvalid") => ({ reason, message, field });
const NEITHER = invalid(
  "spec.resourceAttributes",
  "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified",
);
const NOBODY = invalid("spec.user", 'Invalid value: "": at least one of user or group must be specified');
const pods = { verb: "get", resource: "pods" };
const F = "spec.resourceAttributes.fieldSelector";
const L = "spec.resourceAttributes.labelSelector";
const NAME =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUES = "Required value: must be specified when `operator` is 'In' or 'NotIn'";
const NO_VALUES = "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
const limited = (more: object) => ({ spec: { resourceAttributes: { verb: "list", resource: "pods", ...more } } });

// Asked of kube-apiserver 1.36, which leaves the kind out of the sentence.
describe("refuses", () => {
  test.each<{ path: string; body: object; causes: object[] }>([
    { path: SELF, body: {}, causes: [NEITHER] },
    { path: SELF, body: { spec: null }, causes: [NEITHER] },
    {
      path: SELF,
      body: { spec: { resourceAttributes: {}, nonResourceAttributes: {} } },
      causes: [
        invalid("spec.nonResourceAttributes", 'Invalid value: {"Path":"","Verb":""}: cannot be specified in combination with resourceAttributes'),
      ],
    },
    {
      path: SELF,
      body: { metadata: { name: "x" }, spec: { resourceAttributes: pods } },
      causes: [invalid("metadata", 'Invalid value: {"name":"x"}: must be empty')],
    },
    {
      path: SELF,
      body: { metadata: { generateName: "x-" }, spec: { resourceAttributes: pods } },
      causes: [invalid("metadata", 'Invalid value: {"generateName":"x-"}: must be empty')],
    },
    { path: ANY, body: {}, causes: [NEITHER, NOBODY] },
    { path: ANY, body: { spec: { user: "alice" } }, causes: [NEITHER] },
    {
      path: ANY,
      body: { metadata: { name: "x" }, spec: { resourceAttributes: pods, nonResourceAttributes: { path: "/" } } },
      causes: [
        invalid("spec.nonResourceAttributes", 'Invalid value: {"Path":"/","Verb":""}: cannot be specified in combination with resourceAttributes'),
        NOBODY,
        invalid("metadata", 'Invalid value: {"name":"x"}: must be empty'),
      ],
    },
    { path: LOCAL, body: {}, causes: [NEITHER, NOBODY] },
    {
      path: LOCAL,
      body: { spec: { user: "alice", resourceAttributes: pods } },
      causes: [invalid("spec.resourceAttributes.namespace", 'Invalid value: "": must match metadata.namespace')],
    },
    {
      path: LOCAL,
      body: { spec: { user: "alice", nonResourceAttributes: { path: "/", verb: "get" } } },
      causes: [invalid("spec.nonResourceAttributes", 'Invalid value: {"Path":"/","Verb":"get"}: disallowed on this kind of request')],
    },
    {
      path: LOCAL,
      body: { metadata: { labels: { a: "b" } }, spec: { user: "alice", resourceAttributes: { ...pods, namespace: "here" } } },
      causes: [invalid("metadata", 'Invalid value: {"namespace":"here","labels":{"a":"b"}}: must be empty except for namespace')],
    },
    {
      path: SELF,
      body: limited({ fieldSelector: {}, labelSelector: {} }),
      causes: [F, L].map((at) =>
        invalid(`${at}.requirements`, `Required value: when ${at} is specified, requirements or rawSelector is required`, "FieldValueRequired"),
      ),
    },
    ...[
      { at: F, selector: "fieldSelector" },
      { at: L, selector: "labelSelector" },
    ].map(({ at, selector }) => ({
      path: SELF,
      body: limited({ [selector]: { rawSelector: "a=b", requirements: [{ key: "a", operator: "In", values: ["b"] }] } }),
      causes: [invalid(`${at}.rawSelector`, 'Invalid value: "a=b": may not specified at the same time as requirements')],
    })),
    {
      path: SELF,
      body: limited({
        fieldSelector: {
          requirements: [
            { key: "", operator: "In" },
            { key: "a", operator: "Exists", values: ["x"] },
            { key: "a", operator: "Foo" },
            { key: "a" },
            { key: "a", operator: "DoesNotExist", values: ["x"] },
          ],
        },
      }),
      causes: [
        invalid(`${F}.requirements[0].key`, "Required value: must be specified", "FieldValueRequired"),
        invalid(`${F}.requirements[0].values`, VALUES, "FieldValueRequired"),
        invalid(`${F}.requirements[1].values`, NO_VALUES, "FieldValueForbidden"),
        invalid(`${F}.requirements[4].values`, NO_VALUES, "FieldValueForbidden"),
      ],
    },
    {
      path: SELF,
      body: limited({
        labelSelector: {
          requirements: [
            { key: "", operator: "In" },
            { key: "a", operator: "Exists", values: ["x"] },
            { key: "a", operator: "Foo" },
            { key: "a b", operator: "In", values: ["/"] },
          ],
        },
      }),
      causes: [
        invalid(`${L}.requirements[0].values`, VALUES, "FieldValueRequired"),
        invalid(`${L}.requirements[0].key`, 'Invalid value: "": name part must be non-empty'),
        invalid(`${L}.requirements[0].key`, `Invalid value: "": ${NAME}`),
        invalid(`${L}.requirements[1].values`, NO_VALUES, "FieldValueForbidden"),
        invalid(`${L}.requirements[3].key`, `Invalid value: "a b": ${NAME}`),
        invalid(`${L}.requirements[3].values[0]`, expect.stringContaining('Invalid value: "/": a valid label must be an empty string')),
      ],
    },
  ])("$path: $body", async ({ path, body, causes }) => {
    await using server = await startAccountServer();
    const answer = (await server.request("POST", path, { body })).json();
    expect([answer.code, answer.details.causes]).toEqual([422, causes]);
    const kind = { [SELF]: "SelfSubjectAccessReview", [ANY]: "SubjectAccessReview", [LOCAL]: "LocalSubjectAccessReview" }[path];
    expect(answer.message).toMatch(new RegExp(`^${kind}\\.authorization\\.k8s\\.io "[^"]*" is invalid: `));
  });

  test("what is not for everybody", async () => {
    await using server = await startAccountServer();
    expect((await server.request("POST", ANY, { body: {}, user: ALICE })).json().message).toBe(
      'subjectaccessreviews.authorization.k8s.io is forbidden: User "alice" cannot create resource "subjectaccessreviews" in API group "authorization.k8s.io" at the cluster scope',
    );
    expect((await server.request("POST", `${AUTHORIZATION}/localsubjectaccessreviews`, { body: {} })).status).toBe(405);
    for (const path of [SELF, ANY, LOCAL]) expect((await server.request("GET", path)).status).toBe(405);
  });
});

describe("answers", () => {
  const allows: Allows = (attributes) => {
    if (attributes.type === "resource" && attributes.group === "authorization.k8s.io") return { decision: "Allow", reason: "" };
    if (attributes.user.name === "denied") return { decision: "Deny", reason: "never" };
    return attributes.user.groups.includes("devs") ? { decision: "Allow", reason: "devs may" } : undefined;
  };
  const nonResourceAttributes = { path: "/x", verb: "get" };

  test.each<{ path: string; body: object; spec: object; status: object }>([
    { path: SELF, body: { spec: { resourceAttributes: {} } }, spec: { resourceAttributes: {} }, status: { allowed: true, reason: "devs may" } },
    {
      path: SELF,
      body: { spec: { nonResourceAttributes }, status: { allowed: false, denied: true } },
      spec: { nonResourceAttributes },
      status: { allowed: true, reason: "devs may" },
    },
    {
      path: ANY,
      body: { spec: { user: "bob", resourceAttributes: pods } },
      spec: { user: "bob", resourceAttributes: pods },
      status: { allowed: false },
    },
    {
      path: ANY,
      body: { spec: { groups: ["devs"], nonResourceAttributes } },
      spec: { groups: ["devs"], nonResourceAttributes },
      status: { allowed: true, reason: "devs may" },
    },
    {
      path: ANY,
      body: { spec: { user: "denied", extra: { a: null }, nonResourceAttributes } },
      spec: { user: "denied", extra: { a: null }, nonResourceAttributes },
      status: { allowed: false, denied: true, reason: "never" },
    },
    ...[
      { fieldSelector: { rawSelector: "!!" }, evaluationError: `${F} ignored due to parse error` },
      { labelSelector: { rawSelector: "!!" }, evaluationError: `${L} ignored due to parse error` },
      { fieldSelector: { rawSelector: "a=b" }, labelSelector: { rawSelector: "a in (b)" }, evaluationError: undefined },
      {
        fieldSelector: { requirements: [{ key: "a", operator: "Foo" }] },
        labelSelector: {
          requirements: [
            { key: "a", operator: "Foo" },
            { key: "a", operator: "Exists" },
          ],
        },
        evaluationError: `${F} ignored due to parse error; ${L} partially ignored due to parse error`,
      },
      {
        fieldSelector: {
          requirements: [
            { key: "a", operator: "In", values: ["x", "y"] },
            { key: "b", operator: "In", values: ["z"] },
          ],
        },
        evaluationError: `${F} partially ignored due to parse error`,
      },
    ].map(({ evaluationError, ...selectors }) => ({
      path: SELF,
      body: limited(selectors),
      spec: limited(selectors).spec,
      status: { allowed: true, reason: "devs may", ...(evaluationError === undefined ? {} : { evaluationError }) },
    })),
  ])("$path: $body", async ({ path, body, spec, status }) => {
    await using server = await startAccountServer({ allows });
    const answer = await server.request("POST", path, { body, user: ALICE });
    const kind = path === SELF ? "SelfSubjectAccessReview" : "SubjectAccessReview";
    expect([answer.status, answer.json()]).toEqual([201, { kind, apiVersion: "authorization.k8s.io/v1", metadata: {}, spec, status }]);
  });

  test("in its namespace, a namespaced one", async () => {
    await using server = await startAccountServer({ allows });
    const spec = { user: "alice", groups: ["devs"], resourceAttributes: { ...pods, namespace: "here" } };
    expect((await server.request("POST", LOCAL, { body: { spec } })).json()).toMatchObject({
      kind: "LocalSubjectAccessReview",
      metadata: { namespace: "here" },
      spec,
      status: { allowed: true },
    });
  });

  test("asks for whom and for what it was asked", async () => {
    const asked: unknown[] = [];
    await using server = await startAccountServer({ allows: (attributes) => void asked.push(attributes) });
    const resourceAttributes = { namespace: "n", verb: "v", group: "g", version: "1", resource: "r", subresource: "s", name: "x" };
    await server.request("POST", ANY, { body: { spec: { user: "u", groups: ["g"], uid: "i", extra: { k: ["1", "2"] }, resourceAttributes } } });
    await server.request("POST", ANY, { body: { spec: { user: "u", resourceAttributes: pods } } });
    await server.request("POST", ANY, { body: { spec: { user: "u", nonResourceAttributes } } });
    const nobody = { name: "u", groups: [], extra: {} };
    expect(asked).toEqual([
      { type: "resource", user: { name: "u", uid: "i", groups: ["g"], extra: { k: ["1", "2"] } }, ...resourceAttributes },
      { type: "resource", user: nobody, namespace: "", group: "", version: "*", subresource: "", name: "", ...pods },
      { type: "path", user: nobody, ...nonResourceAttributes },
    ]);
  });
});

// RBAC looks at no selectors; other authorizers may.
test.each<{ selectors: object; want: object }>([
  {
    selectors: { fieldSelector: { rawSelector: "b=1,a!=2" }, labelSelector: { rawSelector: "y in (2,1),!x" } },
    want: {
      fieldSelector: [
        { field: "a", operator: "!=", value: "2" },
        { field: "b", operator: "=", value: "1" },
      ],
      labelSelector: [
        { key: "x", operator: "!", values: [] },
        { key: "y", operator: "in", values: ["1", "2"] },
      ],
    },
  },
  {
    selectors: {
      fieldSelector: {
        requirements: [
          { key: "b", operator: "In", values: ["1"] },
          { key: "a", operator: "NotIn", values: ["2"] },
          { key: "c", operator: "Exists" },
        ],
      },
      labelSelector: {
        requirements: [
          { key: "y", operator: "NotIn", values: ["1"] },
          { key: "x", operator: "Foo" },
          { key: "x", operator: "Exists" },
        ],
      },
    },
    want: {
      fieldSelector: [
        { field: "b", operator: "=", value: "1" },
        { field: "a", operator: "!=", value: "2" },
      ],
      labelSelector: [
        { key: "y", operator: "notin", values: ["1"] },
        { key: "x", operator: "exists", values: [] },
      ],
    },
  },
  { selectors: { fieldSelector: { rawSelector: "!!" }, labelSelector: { requirements: [{ key: "x", operator: "Foo" }] } }, want: {} },
  { selectors: { fieldSelector: { rawSelector: "," } }, want: {} },
])("the authorizer is told of $selectors as far as they can be understood", async ({ selectors, want }) => {
  const asked: unknown[] = [];
  await using server = await startAccountServer({ allows: (attributes) => void asked.push(attributes) });
  await server.request("POST", ANY, { body: { spec: { user: "u", resourceAttributes: { ...pods, ...selectors } } } });
  const attributes = {
    type: "resource",
    user: { name: "u", groups: [], extra: {} },
    namespace: "",
    group: "",
    version: "*",
    subresource: "",
    name: "",
  };
  expect(asked).toEqual([{ ...attributes, ...pods, ...want }]);
});

test.each<{ what: string; requirements: object[] }>([
  { what: "values", requirements: [{ key: "k", operator: "In", values: Array.from({ length: 200_000 }, () => "!i") }] },
  { what: "requirements", requirements: Array.from({ length: 20_000 }, () => ({ key: "", operator: "In" })) },
])("of many bad $what a thousand faults are told", async ({ requirements }) => {
  await using server = await startAccountServer();
  for (const selector of ["labelSelector", "fieldSelector"].slice(0, requirements.length === 1 ? 1 : 2)) {
    const answer = await server.request("POST", SELF, { body: limited({ [selector]: { requirements } }) });
    const { code, details } = answer.json() as { readonly code: number; readonly details?: { readonly causes: readonly unknown[] } };
    expect([code, details?.causes.length]).toEqual([422, 1_000]);
  }
});
