import type { JSONObject, JSONValue } from "@annex/apimachinery";
import { describe, expect, test } from "vitest";
import { CRDError, parseCRD } from "./parse-crd.ts";

const text = { type: "string" } as const;
const spec = { type: "object", properties: { a: text, n: { type: "integer" } } } as const;

/** A definition; each argument takes the place of what stands there. */
function gadgets(
  change: { readonly spec?: object; readonly version?: object; readonly names?: object; readonly metadata?: object } = {},
): JSONObject {
  const version = { name: "v1", served: true, storage: true, schema: schema({ type: "object", properties: { spec } }), ...change.version };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "gadgets.example.com", ...change.metadata },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "gadgets", kind: "Gadget", ...change.names },
      versions: [version],
      ...change.spec,
    },
  };
}

const schema = (openAPIV3Schema: object) => ({ openAPIV3Schema }) as JSONObject;
/** A definition with one field of a schema. */
const field = (p: object) => gadgets({ version: { schema: schema({ type: "object", properties: { p } }) } });
const root = (openAPIV3Schema: object, more: object = {}) => gadgets({ version: { schema: schema(openAPIV3Schema), ...more } });
const V = "spec.versions[0]";
const S = `${V}.schema.openAPIV3Schema`;
const P = `${S}.properties[p]`;

function faultsOf(crd: JSONValue): string[] {
  try {
    parseCRD(crd);
    return [];
  } catch (error) {
    if (!(error instanceof CRDError)) throw error;
    return error.message.split("\n");
  }
}

test("what a file leaves out is filled in", () => {
  const { definition, schemas } = parseCRD({ ...gadgets(), status: { conditions: [], acceptedNames: 7 } });
  expect(definition).toMatchObject({
    spec: { names: { plural: "gadgets", kind: "Gadget", singular: "gadget", listKind: "GadgetList" }, conversion: { strategy: "None" } },
    status: {},
  });
  expect(schemas).toEqual([{ type: "object", properties: { spec } }]);
});

test("a webhook of which nothing is said is none", () => {
  expect(faultsOf(gadgets({ spec: { conversion: { strategy: "None", webhook: {} } } }))).toEqual([]);
});

// Taken by kube-apiserver 1.36, though some of it could never be valid.
test.each([
  { p: { type: "string", minLength: 3, maxLength: 1 } },
  { p: { type: "string", maxLength: -1 } },
  { p: { type: "number", multipleOf: 0, exclusiveMinimum: true } },
  { p: { type: "string", enum: [], anyOf: [], pattern: "" } },
  { p: { type: "string", items: text, properties: { a: text } } },
  { p: { type: "string", "x-kubernetes-int-or-string": true } },
  { p: { type: "object", additionalProperties: false } },
  { p: { "x-kubernetes-int-or-string": true, default: 1.5 } },
  { p: { type: "object", properties: { a: { "x-kubernetes-int-or-string": true } }, default: { a: [] } } },
  { p: { type: "object", additionalProperties: true, properties: { a: text } } },
  { p: { type: "object", additionalProperties: { type: "integer", default: "x" } } },
  { p: { type: "object", properties: { a: text }, not: { properties: { b: {} } } } },
  { p: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] } },
  { p: { "x-kubernetes-int-or-string": true, allOf: [{ anyOf: [{ type: "integer" }, { type: "string" }] }, { maxLength: 3 }] } },
  { p: { type: "string", nullable: true, default: null, format: "whatever", example: { a: 1 }, externalDocs: { url: "x" } } },
  {
    p: {
      type: "string",
      "x-kubernetes-validations": [{ rule: "self != oldSelf.orValue('')", message: "m", reason: "FieldValueInvalid", optionalOldSelf: true }],
    },
  },
  { p: { type: "array", items: text, "x-kubernetes-list-type": "set", default: ["a", "a"] } },
  {
    p: {
      type: "object",
      "x-kubernetes-embedded-resource": true,
      "x-kubernetes-preserve-unknown-fields": true,
      default: { apiVersion: "v1", kind: "A", metadata: { creationTimestamp: null, labels: null } },
    },
  },
])("accepts $p", ({ p }) => expect(faultsOf(field(p))).toEqual([]));

test.each<{ what: string; crd: JSONObject }>([
  { what: "a kind in lower case", crd: gadgets({ names: { kind: "gadget" } }) },
  { what: "versions of which none is served", crd: gadgets({ version: { served: false } }) },
  {
    what: "names restricted",
    crd: root({ type: "object", properties: { metadata: { type: "object", properties: { name: { type: "string", maxLength: 3 } } } } }),
  },
  { what: "anything", crd: root({ "x-kubernetes-preserve-unknown-fields": true }) },
  { what: "preserveUnknownFields: false", crd: gadgets({ spec: { preserveUnknownFields: false } }) },
  {
    what: "an approved group of Kubernetes",
    crd: gadgets({
      spec: { group: "a.k8s.io" },
      metadata: { name: "gadgets.a.k8s.io", annotations: { "api-approved.kubernetes.io": "unapproved, a test" } },
    }),
  },
])("accepts $what", ({ crd }) => expect(faultsOf(crd)).toEqual([]));

describe("refuses", () => {
  test.each<{ crd: JSONValue; want: string }>([
    {
      crd: root({ type: "object" }, { subresources: { status: { a: 1 } } }),
      want: "spec.versions[0].subresources.status.a: Forbidden: unknown field",
    },
    { crd: 7, want: "must be an object" },
    { crd: { apiVersion: "v1", kind: "Secret" }, want: 'kind: Unsupported value: "Secret": supported values: "CustomResourceDefinition"' },
    {
      crd: { ...gadgets(), apiVersion: "apiextensions.k8s.io/v1beta1" },
      want: 'apiVersion: Unsupported value: "apiextensions.k8s.io/v1beta1": supported values: "apiextensions.k8s.io/v1"',
    },
    { crd: { ...gadgets(), spec: 7 }, want: "json: cannot unmarshal number into field spec of type object" },
    { crd: gadgets({ version: { served: "yes" } }), want: "json: cannot unmarshal string into field spec.versions[0].served of type boolean" },
    { crd: gadgets({ spec: { foo: 1 } }), want: "spec.foo: Forbidden: unknown field" },
    { crd: gadgets({ metadata: { name: "x" } }), want: 'metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group' },
    { crd: gadgets({ spec: { group: "example" } }), want: 'spec.group: Invalid value: "example": should be a domain with at least one dot' },
    { crd: gadgets({ spec: { group: null } }), want: "spec.group: Required value" },
    { crd: gadgets({ spec: { scope: "Galaxy" } }), want: 'spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"' },
    { crd: gadgets({ spec: { versions: [] } }), want: "spec.versions: Invalid value: []: must have exactly one version marked as storage version" },
    {
      crd: gadgets({ version: { storage: false } }),
      want: 'spec.versions: Invalid value: ["v1"]: must have exactly one version marked as storage version',
    },
    { crd: gadgets({ version: { schema: null } }), want: `${S}: Required value` },
    {
      crd: gadgets({ version: { deprecationWarning: "old" } }),
      want: `${V}.deprecationWarning: Invalid value: "old": can only be set for deprecated versions`,
    },
    {
      crd: gadgets({ version: { deprecated: true, deprecationWarning: "a\nb" } }),
      want: `${V}.deprecationWarning: Invalid value: "a\\nb": must only contain printable UTF-8 characters; non-printable character found at index 1`,
    },
    { crd: gadgets({ names: { plural: null } }), want: "spec.names.plural: Required value" },
    { crd: gadgets({ names: { listKind: "Gadget" } }), want: 'spec.names.listKind: Invalid value: "Gadget": kind and listKind may not be the same' },
    {
      crd: gadgets({ spec: { conversion: { strategy: "Webhook" } } }),
      want: 'spec.conversion.strategy: Unsupported value: "Webhook": supported values: "None"',
    },
    { crd: gadgets({ spec: { conversion: {} } }), want: "spec.conversion.strategy: Required value" },
    {
      crd: gadgets({ spec: { conversion: { strategy: "None", webhook: { clientConfig: {} } } } }),
      want: "spec.conversion.webhook.clientConfig: Forbidden: should not be set when strategy is not set to Webhook",
    },
    {
      crd: gadgets({ spec: { conversion: { strategy: "Foo", webhook: { conversionReviewVersions: ["v1"] } } } }),
      want: "spec.conversion.webhook.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook",
    },
    {
      crd: root({ type: "object", properties: { a: { type: "null" } } }),
      want: `${S}.properties[a].type: Forbidden: type cannot be set to null, use nullable as an alternative`,
    },
    {
      crd: gadgets({ spec: { preserveUnknownFields: true } }),
      want: "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
    },
    {
      crd: gadgets({ spec: { group: "a.k8s.io" }, metadata: { name: "gadgets.a.k8s.io" } }),
      want: 'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
    },
    {
      crd: gadgets({ version: { additionalPrinterColumns: [{ name: "A", type: "text", jsonPath: ".a" }] } }),
      want: `${V}.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string`,
    },
    {
      crd: gadgets({ version: { additionalPrinterColumns: [{ name: "A", type: "string", jsonPath: "a" }] } }),
      want: `${V}.additionalPrinterColumns[0].jsonPath: Invalid value: "a": must be a simple json path starting with .`,
    },
    {
      crd: gadgets({ version: { additionalPrinterColumns: [{ name: "A", type: "string", jsonPath: "..a" }] } }),
      want: `${V}.additionalPrinterColumns[0].jsonPath: Invalid value: "..a": JSONPath "..a": recursive descent ('..') is not supported`,
    },
    {
      crd: gadgets({ version: { selectableFields: [{ jsonPath: ".spec.x" }] } }),
      want: `${V}.selectableFields[0].jsonPath: Invalid value: ".spec.x": is an invalid path: does not refer to a valid field`,
    },
    {
      crd: gadgets({ version: { selectableFields: [{ jsonPath: ".spec['a']" }] } }),
      want: `${V}.selectableFields[0].jsonPath: Invalid value: ".spec['a']": is an invalid path: array notation is not allowed`,
    },
    {
      crd: gadgets({ version: { selectableFields: [{ jsonPath: ".spec.a" }, { jsonPath: ".spec.a" }] } }),
      want: `${V}.selectableFields[1].jsonPath: Duplicate value: ".spec.a"`,
    },
    {
      crd: gadgets({ version: { selectableFields: [{ jsonPath: ".spec" }] } }),
      want: `${V}.selectableFields[0].jsonPath: Invalid value: ".spec": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.`,
    },
    { crd: gadgets({ version: { subresources: { scale: {} } } }), want: `${V}.subresources.scale.specReplicasPath: Required value` },
    {
      crd: gadgets({ version: { subresources: { scale: { specReplicasPath: ".spec.n", statusReplicasPath: ".spec.n" } } } }),
      want: `${V}.subresources.scale.statusReplicasPath: Invalid value: ".spec.n": should be a json path under .status`,
    },
    {
      crd: gadgets({ version: { subresources: { scale: { specReplicasPath: ".spec[0].n", statusReplicasPath: ".status.n[0]" } } } }),
      want: `${V}.subresources.scale.specReplicasPath: Invalid value: ".spec[0].n": should be a json path under .spec`,
    },
    { crd: root({}), want: `${S}.type: Required value: must not be empty at the root` },
    { crd: root({ type: "object", additionalProperties: text }), want: `${S}.additionalProperties: Forbidden: must not be used at the root` },
    { crd: root({ type: "object", nullable: true }), want: `${S}.nullable: Forbidden: nullable cannot be true at the root` },
    { crd: root({ type: "object", default: {} }), want: `${S}.default.apiVersion: Required value` },
    {
      crd: root({ type: "object", properties: { metadata: { type: "object", properties: { labels: { type: "object" } } } } }),
      want: `${S}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
    },
    {
      crd: root({ type: "object", properties: { metadata: { type: "object", properties: { name: { type: "string", default: "x" } } } } }),
      want: `${S}.properties[metadata].properties[name].default: Forbidden: must not be set in top-level metadata`,
    },
    {
      crd: root({ type: "object", maxProperties: 3 }, { subresources: { status: {} } }),
      want: `${S}.maxProperties: Forbidden: not allowed at the root of the schema if the status subresource is enabled`,
    },
    {
      crd: root({ type: "object", properties: { a: text }, oneOf: [{ properties: { b: {} } }] }),
      want: `${S}.properties[b]: Required value: because it is defined in ${S}.oneOf[0].properties[b]`,
    },
    { crd: field({ type: "array", items: [text] }), want: `${P}.items: Forbidden: items must be a schema object and not an array` },
    { crd: field({ type: "string", maxLength: "x" }), want: `${P}.maxLength: Invalid value: "string": must be a whole number` },
    { crd: field({ type: "string", $ref: "#" }), want: `${P}.$ref: Forbidden: $ref is not supported` },
    { crd: field({ type: "string", readOnly: true }), want: `${P}.readOnly: Forbidden: unknown field` },
    {
      crd: field({ type: "string", "x-kubernetes-validations": [{ message: "m" }] }),
      want: `${P}.x-kubernetes-validations[0].rule: Required value: rule is not specified`,
    },
    {
      crd: field({ type: "string", "x-kubernetes-validations": [{ rule: "true", fields: "" }] }),
      want: `${P}.x-kubernetes-validations[0].fields: Forbidden: unknown field`,
    },
    {
      crd: field({ type: "object", properties: { a: { type: "string", default: "q" } }, required: ["a"], default: {} }),
      want: `${P}.default.a: Required value`,
    },
    {
      crd: field({ type: "string", "x-kubernetes-validations": [{ rule: "true", reason: "" }] }),
      want: `${P}.x-kubernetes-validations[0].reason: Unsupported value: "": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`,
    },
    {
      crd: field({ type: "array", items: text, "x-kubernetes-list-type": "" }),
      want: `${P}.x-kubernetes-list-type: Unsupported value: "": supported values: "atomic", "set", "map"`,
    },
    {
      crd: field({ type: "object", properties: { a: { type: "string", default: 1 } }, required: ["b"], default: { a: "x" } }),
      want: `${P}.default.b: Required value`,
    },
    {
      crd: field({ type: "object", "x-kubernetes-preserve-unknown-fields": false }),
      want: `${P}.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined`,
    },
  ])("$want", ({ crd, want }) => expect(faultsOf(crd)).toContain(want));
});

test("every fault is told, each once", () => {
  const bad = gadgets({ spec: { group: "x", scope: "" }, names: { kind: "A b" } });
  const faults = faultsOf(bad);
  expect(faults.map((line) => line.split(":")[0])).toEqual([
    "metadata.name",
    "spec.group",
    "spec.scope",
    "spec.names.singular",
    "spec.names.kind",
    "spec.names.listKind",
  ]);
  expect(new Set(faults).size).toBe(faults.length);
});

test("a schema that nests deeper than anybody's is refused, not run out of stack on", () => {
  let deep: JSONObject = text;
  for (let level = 0; level < 5000; level++) deep = { type: "array", items: deep };
  expect(faultsOf(field(deep))).toEqual([expect.stringContaining("Forbidden: must not be nested deeper than 64 levels")]);
});
