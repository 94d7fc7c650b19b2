import { describe, expect, test } from "vitest";
import { APIError, type JSONObject, type KubernetesObject, MAX_ANNOTATIONS_BYTES, type ManagedFieldsEntry } from "../meta/index.ts";
import { schemaWith } from "../testing/apply-schema.ts";
import { applyConfiguration, type ConfigurationApply } from "./apply.ts";
import { FieldSet } from "./field-set.ts";

const schema = schemaWith("a");

const THEN = "2026-01-01T00:00:00Z";
const NOW = "2026-01-02T00:00:00Z";
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

const empty: KubernetesObject = { apiVersion: "g/v1", kind: "T", metadata: {} };
const configuration = (spec: JSONObject, metadata: JSONObject = {}, more: JSONObject = {}): JSONObject => ({
  apiVersion: "g/v1",
  kind: "T",
  metadata: { name: "x", ...metadata },
  spec,
  ...more,
});
const stored = (managedFields: readonly ManagedFieldsEntry[], fields: object, metadata: object = {}): KubernetesObject => ({
  apiVersion: "g/v1",
  kind: "T",
  metadata: { name: "x", uid: "u", resourceVersion: "7", ...(managedFields.length === 0 ? {} : { managedFields }), ...metadata },
  ...fields,
});
const applied = (manager: string, fieldsV1: JSONObject, fields: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry => ({
  manager,
  operation: "Apply",
  apiVersion: "g/v1",
  time: THEN,
  fieldsType: "FieldsV1",
  fieldsV1,
  ...fields,
});
const updated = (manager: string, fieldsV1: JSONObject, fields: Partial<ManagedFieldsEntry> = {}) =>
  applied(manager, fieldsV1, { operation: "Update", ...fields });

const apply = (live: KubernetesObject, wanted: JSONObject, options: Partial<ConfigurationApply> = {}) =>
  applyConfiguration({
    kind: "T",
    live,
    empty,
    configuration: wanted,
    schema,
    manager: "me",
    apiVersion: "g/v1",
    subresource: "",
    now: NOW,
    force: false,
    ...options,
  });

function refusal(act: () => unknown): { reason: string; message: string; causes: unknown } {
  try {
    act();
  } catch (error) {
    if (APIError.is(error)) return { reason: error.reason, message: error.message, causes: error.details?.causes };
    throw error;
  }
  throw new Error("not refused");
}

describe("an apply", () => {
  test("creates: the applier owns what it names, and none of what names the object", () => {
    const object = apply(empty, configuration({ a: "1", tags: ["t"] }, { labels: { l: "1" }, generation: 3 }));
    expect(object).toEqual({
      ...configuration({ a: "1", tags: ["t"] }),
      metadata: {
        name: "x",
        labels: { l: "1" },
        generation: 3,
        managedFields: [
          applied("me", { "f:metadata": { "f:labels": { "f:l": {} } }, "f:spec": { "f:a": {}, "f:tags": { 'v:"t"': {} } } }, { time: NOW }),
        ],
      },
    });
  });

  const mine = applied("me", { "f:spec": { "f:a": {} } });
  const live = stored([mine], { spec: { a: "1", b: "1" } });

  test("that changes nothing gives back live's own managedFields", () => {
    const same = apply(live, configuration({ a: "1" }));
    expect(same).toEqual(live);
    expect(same.metadata.managedFields).toBe(live.metadata.managedFields);
  });

  test("that changes a value has a new time", () => {
    expect(apply(live, configuration({ a: "2" })).metadata.managedFields).toEqual([{ ...mine, time: NOW }]);
  });

  test("of values that are there already owns them, too, and has no time yet", () => {
    const { time: _, ...other } = applied("other", { "f:spec": { "f:a": {} } });
    expect(apply(live, configuration({ a: "1" }), { manager: "other" }).metadata.managedFields).toEqual([other, mine]);
  });

  test("with a null for managedFields has a new time", () => {
    const { managedFields } = apply(live, configuration({ a: "1" }, { managedFields: null })).metadata;
    expect(managedFields).toEqual([{ ...mine, time: NOW }]);
  });

  test("of nothing lets go of everything", () => {
    const nothing = { apiVersion: "g/v1", kind: "T", metadata: { name: "x" } };
    expect(apply(live, nothing)).toEqual(stored([], {}));
    const others = updated("u", { "f:spec": { "f:b": {} } });
    expect(apply(stored([mine, others], { spec: { a: "1", b: "1" } }), nothing)).toEqual(stored([others], { spec: { b: "1" } }));
  });

  test("of what the request cannot write: it is merged, and nobody owns it", () => {
    const object = apply(live, configuration({ a: "1" }, {}, { status: { phase: "p" } }), {
      resetFields: new Map([["g/v1", FieldSet.of(["status"])]]),
    });
    expect(object.status).toEqual({ phase: "p" });
    expect(object.metadata.managedFields).toEqual([{ ...mine, time: NOW }]);
  });

  test("through a subresource has an entry of its own", () => {
    const options = { subresource: "status", resetFields: new Map([["g/v1", FieldSet.of(["spec"], ["metadata"])]]) };
    const object = apply(live, { ...empty, metadata: { name: "x" }, status: { phase: "p" } } as unknown as JSONObject, options);
    expect(object.metadata.managedFields).toEqual([mine, applied("me", { "f:status": { "f:phase": {} } }, { time: NOW, subresource: "status" })]);
  });

  test("without metadata is one of an object without a name", () => {
    expect(apply(empty, { apiVersion: "g/v1", kind: "T", metadata: null, spec: { a: "1" } }).metadata.name).toBeUndefined();
    expect(apply(live, { apiVersion: "g/v1", kind: "T", spec: { a: "2" } }).metadata.name).toBe("x");
  });

  test("of an object whose managers are unknown: what was there is owned by before-first-apply", () => {
    const before = stored([], { spec: { a: "1", b: "1" } });
    expect(apply(before, configuration({ a: "1" })).metadata.managedFields).toEqual([
      { ...applied("me", { "f:spec": { "f:a": {} } }), time: undefined },
      updated("before-first-apply", { "f:spec": { ".": {}, "f:a": {}, "f:b": {} } }, { time: NOW }),
    ]);
    expect(refusal(() => apply(before, configuration({ a: "2" }))).message).toBe(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using g/v1: .spec.a',
    );
  });

  test("but by nobody where managers are not kept", () => {
    const before = stored([], { spec: { a: "1", b: "1" } });
    expect(apply(before, configuration({ a: "2" }), { empty: before }).metadata.managedFields).toEqual([
      applied("me", { "f:spec": { "f:a": {} } }, { time: NOW }),
    ]);
  });
});

describe("conflicts", () => {
  const live = stored(
    [
      applied("one", { "f:spec": { "f:a": {}, "f:tags": { 'v:"t"': {} } } }),
      updated("two", { "f:spec": { "f:a": {}, "f:b": {} } }),
      updated("two", { "f:spec": { "f:b": {} } }, { subresource: "scale" }),
    ],
    { spec: { a: "1", b: "1", tags: ["t"] } },
  );
  const wanted = configuration({ a: "2", b: "2", tags: ["t"] });

  test("one for each field and owner, in Kubernetes' words", () => {
    expect(refusal(() => apply(live, wanted))).toEqual({
      reason: "Conflict",
      message: [
        'Apply failed with 4 conflicts: conflicts with "one":',
        "- .spec.a",
        'conflicts with "two" with subresource "scale" using g/v1:',
        "- .spec.b",
        'conflicts with "two" using g/v1:',
        "- .spec.a",
        "- .spec.b",
      ].join("\n"),
      causes: [
        { reason: "FieldManagerConflict", message: 'conflict with "one"', field: ".spec.a" },
        { reason: "FieldManagerConflict", message: 'conflict with "two" using g/v1', field: ".spec.a" },
        { reason: "FieldManagerConflict", message: 'conflict with "two" using g/v1', field: ".spec.b" },
        { reason: "FieldManagerConflict", message: 'conflict with "two" with subresource "scale" using g/v1', field: ".spec.b" },
      ],
    });
  });

  test("force takes", () => {
    expect(apply(live, wanted, { force: true }).metadata.managedFields).toEqual([
      applied("one", { "f:spec": { "f:tags": { 'v:"t"': {} } } }),
      applied("me", { "f:spec": { "f:a": {}, "f:b": {}, "f:tags": { 'v:"t"': {} } } }, { time: NOW }),
    ]);
  });

  test("at most a thousand are told", () => {
    const labels = Object.fromEntries(Array.from({ length: 1_500 }, (_, index) => [`l${index}`, "1"]));
    const many = stored([updated("u", FieldSet.of(...Object.keys(labels).map((name) => ["metadata", "labels", name])).toFieldsV1())], {}, { labels });
    const others = Object.fromEntries(Object.keys(labels).map((name) => [name, "2"]));
    const { message, causes } = refusal(() => apply(many, configuration({}, { labels: others })));
    expect(message).toMatch(/^Apply failed with 1500 conflicts: /);
    expect(causes).toHaveLength(1_000);
  });
});

describe("is refused:", () => {
  const live = stored([applied("me", { "f:spec": { "f:a": {} } })], { spec: { a: "1" } });
  test.each<{ name: string; wanted: JSONObject; message: string }>([
    { name: "another version", wanted: { ...configuration({}), apiVersion: "g/v2" }, message: "invalid object type: g/v2, Kind=T" },
    { name: "another kind", wanted: { ...configuration({}), kind: "U" }, message: "invalid object type: g/v1, Kind=U" },
    { name: "no type", wanted: {}, message: "invalid object type: /, Kind=" },
    { name: "a type that is none", wanted: { apiVersion: "a/b/c", kind: 1 }, message: "invalid object type: /, Kind=" },
    { name: "managedFields", wanted: configuration({}, { managedFields: [] }), message: "metadata.managedFields must be nil" },
    {
      name: "an unknown field",
      wanted: configuration({ z: 1 }, { namespace: "n" }),
      message: "failed to create typed patch object (n/x; g/v1, Kind=T): .spec.z: field not declared in schema",
    },
    {
      name: "a wrong type",
      wanted: { ...configuration({}), metadata: "x" },
      message: "failed to create typed patch object (/; g/v1, Kind=T): .metadata: expected map, got scalar",
    },
    {
      name: "a duplicate",
      wanted: configuration({ tags: ["a", "a"] }),
      message: 'failed to create typed patch object (/x; g/v1, Kind=T): .spec.tags: duplicate entries for key [="a"]',
    },
  ])("$name", ({ wanted, message }) => expect(refusal(() => apply(live, wanted))).toEqual({ reason: "BadRequest", message, causes: undefined }));

  test("a configuration that does not fit before a stored object that does not, as in Go", () => {
    const live = stored([updated("old", { "f:spec": {} })], { spec: { gone: 1 } });
    expect(() => apply(live, configuration({ c: 1 }))).toThrow(
      "failed to create typed patch object (/x; g/v1, Kind=T): .spec.c: field not declared in schema",
    );
  });

  test("an apply to an object that does not fit its schema", () => {
    const misfit = stored([applied("me", { "f:spec": { "f:a": {} } })], { spec: { a: 1 } });
    expect(refusal(() => apply(misfit, configuration({ a: "1" })))).toMatchObject({
      reason: "Invalid",
      causes: [{ field: "spec.a", message: "Invalid value: the stored object does not fit its schema: .spec.a: expected string, got scalar" }],
    });
  });
});

describe("kubectl, after client-side apply", () => {
  const last = (spec: JSONObject, apiVersion = "g/v1") => JSON.stringify({ ...configuration(spec, { annotations: {} }), apiVersion });
  const live = (annotation: string) =>
    stored(
      [
        updated("kubectl-client-side-apply", {
          "f:metadata": { "f:annotations": { ".": {}, [`f:${LAST_APPLIED}`]: {} } },
          "f:spec": { "f:a": {}, "f:b": {} },
        }),
      ],
      { spec: { a: "1", b: "1" } },
      { annotations: { [LAST_APPLIED]: annotation } },
    );

  test("takes over what client-side apply set, and writes down what it applied", () => {
    const object = apply(live(last({ a: "1", b: "1" })), configuration({ a: "<2>", b: "1" }, { annotations: { z: "1" } }), { manager: "kubectl" });
    expect(object.spec).toEqual({ a: "<2>", b: "1" });
    expect(object.metadata.annotations).toEqual({
      z: "1",
      [LAST_APPLIED]: '{"apiVersion":"g/v1","kind":"T","metadata":{"annotations":{"z":"1"},"name":"x"},"spec":{"a":"\\u003c2\\u003e","b":"1"}}\n',
    });
  });

  test.each([
    { name: "what somebody changed since is a conflict", annotation: last({ a: "0", b: "1" }) },
    { name: "an annotation of another version says nothing", annotation: last({ a: "1", b: "1" }, "g/v0") },
    { name: "nor one that cannot be read", annotation: "{" },
    { name: "nor one that is no object of the kind", annotation: '{"apiVersion":"g/v1","kind":"T","spec":1}' },
  ])("$name", ({ annotation }) => {
    expect(refusal(() => apply(live(annotation), configuration({ a: "2", b: "1" }), { manager: "kubectl" })).reason).toBe("Conflict");
  });

  test("another manager takes nothing over, and writes nothing down", () => {
    const before = live(last({ a: "1", b: "1" }));
    expect(refusal(() => apply(before, configuration({ a: "2" }))).reason).toBe("Conflict");
    expect(apply(before, configuration({ a: "1" })).metadata.annotations).toEqual(before.metadata.annotations);
  });

  test("what was not applied client-side is not written down", () => {
    expect(apply(empty, configuration({ a: "1" }), { manager: "kubectl" }).metadata.annotations).toBeUndefined();
  });

  test("an annotation for which there is no room goes", () => {
    const before = live(last({ a: "1", b: "1" }));
    const large = "x".repeat(MAX_ANNOTATIONS_BYTES - 300);
    const object = apply(before, configuration({ a: "1", b: "1" }, { annotations: { large } }), { manager: "kubectl" });
    expect(object.metadata.annotations).toEqual({ large });
  });
});

describe("other versions", () => {
  const old = schemaWith("old");
  const toVersion: ConfigurationApply["toVersion"] = (object, apiVersion) => {
    const { a, old: older, ...spec } = (object.spec ?? {}) as { a?: string; old?: string };
    const value = a ?? older;
    if (apiVersion === "g/v0")
      return { object: { ...object, apiVersion, spec: { ...spec, ...(value === undefined ? {} : { old: value }) } }, schema: old };
    if (apiVersion === "g/v1") return { object: { ...object, apiVersion, spec: { ...spec, ...(value === undefined ? {} : { a: value }) } }, schema };
    return undefined;
  };
  const theirs = applied("them", { "f:spec": { "f:old": {} } }, { apiVersion: "g/v0" });

  test("a conflict is told as the owner's version names the field", () => {
    const live = stored([theirs], { spec: { a: "1" } });
    expect(refusal(() => apply(live, configuration({ a: "2" }), { toVersion })).message).toBe(
      'Apply failed with 1 conflict: conflict with "them": .spec.old',
    );
  });

  test("what an applier named in another version and does not name now goes", () => {
    const live = stored([applied("me", { "f:spec": { "f:b": {}, "f:old": {} } }, { apiVersion: "g/v0" })], { spec: { a: "1", b: "1" } });
    const object = apply(live, configuration({ b: "1" }), { toVersion });
    expect(object.spec).toEqual({ b: "1" });
    expect(object.metadata.managedFields).toEqual([applied("me", { "f:spec": { "f:b": {} } }, { time: NOW })]);
  });

  test("but not what another owns in a third way", () => {
    const live = stored([applied("me", { "f:spec": { "f:a": {}, "f:b": {} } }), theirs], { spec: { a: "1", b: "1" } });
    expect(apply(live, configuration({ b: "1" }), { toVersion }).spec).toEqual({ a: "1", b: "1" });
  });

  test("entries of a version that is gone are forgotten", () => {
    const live = stored([applied("them", { "f:spec": { "f:a": {} } }, { apiVersion: "g/v9" })], { spec: { a: "1" } });
    expect(apply(live, configuration({ a: "2" }), { toVersion }).metadata.managedFields).toEqual([
      applied("me", { "f:spec": { "f:a": {} } }, { time: NOW }),
    ]);
  });
});
