import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JSONObject, KubernetesObject, ManagedFieldsEntry, ObjectMeta } from "../meta/index.ts";
import { schemaWith } from "../testing/apply-schema.ts";
import { FieldSet } from "./field-set.ts";
import { keepManagedFieldsTimes, type ManagedFieldsUpdate, updateManagedFields } from "./update.ts";

const schema = schemaWith("a");

const THEN = "2026-01-01T00:00:00Z";
const NOW = "2026-01-02T00:00:00Z";

const object = (fields: object = {}, metadata: ObjectMeta = {}): KubernetesObject => ({
  apiVersion: "g/v1",
  kind: "T",
  metadata: { name: "x", ...metadata },
  ...fields,
});
const stored = (managedFields: readonly ManagedFieldsEntry[], fields: object, metadata: ObjectMeta = {}) =>
  object(fields, { uid: "u", managedFields, ...metadata });
const entry = (manager: string, fieldsV1: JSONObject, fields: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry => ({
  manager,
  operation: "Update",
  apiVersion: "g/v1",
  time: THEN,
  fieldsType: "FieldsV1",
  fieldsV1,
  ...fields,
});

const update = (live: KubernetesObject | undefined, next: KubernetesObject, options: Partial<ManagedFieldsUpdate> = {}) =>
  updateManagedFields({ live, next, schema, manager: "me", apiVersion: "g/v1", subresource: "", now: NOW, ...options });

describe("a create", () => {
  test("owns all it sets, but for what names the object or is the server's", () => {
    const metadata = {
      generateName: "x-",
      namespace: "n",
      uid: "u",
      generation: 1,
      resourceVersion: "1",
      creationTimestamp: NOW,
      selfLink: "/",
      labels: { a: "1" },
      finalizers: ["f"],
      ownerReferences: [{ apiVersion: "v1", kind: "K", name: "o", uid: "o" }],
    };
    expect(update(undefined, object({ spec: { a: "1", tags: ["t"] }, status: {} }, metadata))).toEqual([
      entry(
        "me",
        {
          "f:metadata": {
            "f:finalizers": { ".": {}, 'v:"f"': {} },
            "f:generateName": {},
            "f:labels": { ".": {}, "f:a": {} },
            "f:ownerReferences": { ".": {}, 'k:{"uid":"o"}': {} },
          },
          "f:spec": { ".": {}, "f:a": {}, "f:tags": { ".": {}, 'v:"t"': {} } },
          "f:status": {},
        },
        { time: NOW },
      ),
    ]);
  });

  test("what an empty object of the kind holds already nobody owns", () => {
    const fields = update(object({ spec: {}, status: {} }), object({ spec: { a: "1" }, status: {} }))[0]?.fieldsV1;
    expect(fields).toEqual({ "f:spec": { "f:a": {} } });
  });

  test("of nothing but a name has no entry", () => expect(update(undefined, object())).toEqual([]));

  test("without a name the manager is unknown", () => expect(update(undefined, object({ spec: {} }), { manager: "" })[0]?.manager).toBe("unknown"));

  test("through a subresource, or of what the request cannot change", () => {
    const created = update(undefined, object({ spec: { a: "1" }, status: { phase: "x" } }), {
      subresource: "status",
      resetFields: new Map([["g/v1", FieldSet.of(["spec"], ["metadata"])]]),
    });
    expect(created).toEqual([entry("me", { "f:status": { ".": {}, "f:phase": {} } }, { time: NOW, subresource: "status" })]);
  });
});

describe("an update", () => {
  const mine = entry("me", { "f:spec": { ".": {}, "f:a": {} } });
  const other = entry("other", { "f:spec": { "f:b": {}, "f:tags": { ".": {}, 'v:"t"': {} } } });
  const live = stored([mine, other], { spec: { a: "1", b: "1", tags: ["t"] } });

  test("that changes nothing gives back live's own list", () => {
    expect(update(live, object({ spec: { b: "1", a: "1", tags: ["t"] } }))).toBe(live.metadata.managedFields);
    expect(update(live, structuredClone(live))).toBe(live.metadata.managedFields);
    expect(update(live, structuredClone(live), { manager: "third" })).toBe(live.metadata.managedFields);
  });

  test.each<{ name: string; spec: object; want: readonly ManagedFieldsEntry[] }>([
    { name: "of a field of one's own: the time is new", spec: { a: "2", b: "1", tags: ["t"] }, want: [other, { ...mine, time: NOW }] },
    {
      name: "of another's field takes it over",
      spec: { a: "1", b: "2", tags: ["t"] },
      want: [
        entry("other", { "f:spec": { "f:tags": { ".": {}, 'v:"t"': {} } } }),
        entry("me", { "f:spec": { ".": {}, "f:a": {}, "f:b": {} } }, { time: NOW }),
      ],
    },
    { name: "that removes a field of one's own", spec: { b: "1", tags: ["t"] }, want: [entry("me", { "f:spec": {} }), other] },
    { name: "that removes all another owns drops the entry", spec: { a: "1" }, want: [mine] },
  ])("$name", ({ spec, want }) => {
    expect(update(live, object({ spec }, { uid: "u" }))).toEqual(want);
  });

  test("of an applied field takes it from its applier", () => {
    const applied = entry("me", { "f:spec": { "f:a": {} } }, { operation: "Apply" });
    expect(update(stored([applied], { spec: { a: "1" } }), object({ spec: { a: "2" } }))).toEqual([
      entry("me", { "f:spec": { "f:a": {} } }, { time: NOW }),
    ]);
  });

  test("through a subresource has an entry of its own", () => {
    const next = object({ spec: { a: "9", b: "1", tags: ["t"] }, status: { phase: "p" } });
    expect(update(live, next, { subresource: "status", resetFields: new Map([["g/v1", FieldSet.of(["metadata"], ["spec"])]]) })).toEqual([
      mine,
      other,
      entry("me", { "f:status": { ".": {}, "f:phase": {} } }, { time: NOW, subresource: "status" }),
    ]);
  });

  test("keeps at most ten update managers", () => {
    let current = object({ spec: { a: "0" } }, { uid: "u", managedFields: update(undefined, object({ spec: { a: "0" } })) });
    for (let index = 1; index <= 15; index++) {
      const next = object({ spec: { a: "0" } }, { uid: "u", labels: { ...current.metadata.labels, [`l${index}`]: "" } });
      const managedFields = update(current, next, { manager: `m${index}`, now: `2026-01-03T00:00:${String(index).padStart(2, "0")}Z` });
      current = { ...next, metadata: { ...next.metadata, managedFields } };
    }
    const names = current.metadata.managedFields?.map(({ manager }) => manager);
    expect(names).toEqual(["ancient-changes", "m7", "m8", "m9", "m10", "m11", "m12", "m13", "m14", "m15"]);
  });

  test("under a schema that live does not fit is stored without managedFields", () => {
    expect(update(stored([mine], { spec: { a: 1 } }), object({ spec: { a: "1" } }))).toEqual([]);
    expect(update(live, object({ spec: { unknown: "1" } }))).toEqual([]);
  });

  test("does not track an object that nobody tracked", () => expect(update(object({}, { uid: "u" }), object({ spec: { a: "1" } }))).toEqual([]));

  test("duplicates in a live set are borne", () => {
    const owned = entry("me", { "f:spec": { "f:tags": { ".": {}, 'v:"t"': {} } } });
    const duplicated = stored([owned], { spec: { tags: ["t", "t"] } });
    expect(update(duplicated, object({ spec: { tags: ["t"] } }))).toEqual([{ ...owned, time: NOW }]);
  });
});

describe("what the client sent", () => {
  const live = stored([entry("a", { "f:spec": { "f:a": {} } })], { spec: { a: "1" } });
  const sent = (managedFields: unknown, options: Partial<ManagedFieldsUpdate> = {}) =>
    // `as`: a client may send anything.
    update(live, object({ spec: { a: "1", b: "1" } }, { uid: "u", managedFields: managedFields as ManagedFieldsEntry[] }), options);
  const added = entry("me", { "f:spec": { "f:b": {} } }, { time: NOW });
  const kept = [entry("a", { "f:spec": { "f:a": {} } }), added];

  test.each<{ name: string; managedFields: unknown; want: readonly ManagedFieldsEntry[] }>([
    { name: "nothing: live's", managedFields: undefined, want: kept },
    { name: "null: live's", managedFields: null, want: kept },
    { name: "live's own", managedFields: structuredClone(live.metadata.managedFields), want: kept },
    { name: "an empty list clears, and an update does not track again", managedFields: [], want: [] },
    { name: "and so does one empty entry", managedFields: [{}], want: [] },
    { name: "however its fields are empty", managedFields: [{ manager: "", time: null }], want: [] },
    { name: "two empty entries are invalid: live's", managedFields: [{}, {}], want: kept },
    { name: "an invalid entry: live's", managedFields: [entry("z", { spec: {} })], want: kept },
    {
      name: "another list replaces live's, in canonical form",
      managedFields: [entry("z", { "f:spec": { "f:b": {}, "f:a": {} } }, { time: "2025-12-31T23:00:00-01:00" })],
      want: [entry("z", { "f:spec": { "f:a": {} } }), added],
    },
    { name: "an entry of no fields is dropped", managedFields: [entry("z", {})], want: [added] },
  ])("$name", ({ managedFields, want }) => expect(sent(managedFields)).toEqual(want));

  test("does not count in a write to a subresource", () =>
    expect(sent([], { subresource: "status" }).map(({ manager }) => manager)).toEqual(["a", "me"]));
});

describe("other versions", () => {
  const old = schemaWith("old");
  const toVersion = (value: KubernetesObject, apiVersion: string) => {
    if (apiVersion !== "g/v0") return undefined;
    const { a, ...spec } = value.spec as { a?: string };
    return { object: { ...value, apiVersion, spec: { ...spec, ...(a === undefined ? {} : { old: a }) } }, schema: old };
  };
  const theirs = entry("them", { "f:spec": { "f:b": {}, "f:old": {} } }, { apiVersion: "g/v0" });
  const gone = entry("gone", { "f:spec": { "f:a": {} } }, { apiVersion: "g/v9" });
  const live = stored([theirs, gone], { spec: { a: "1", b: "1" } });

  test("a manager loses fields as its own version names them", () => {
    const want = [entry("them", { "f:spec": { "f:b": {} } }, { apiVersion: "g/v0" }), entry("me", { "f:spec": { "f:a": {} } }, { time: NOW })];
    expect(update(live, object({ spec: { a: "2", b: "1" } }), { toVersion })).toEqual(want);
  });

  test("entries of a version that is not served are dropped", () => {
    expect(update(live, structuredClone(live), { toVersion })).toEqual([theirs]);
    expect(update(live, structuredClone(live))).toEqual([]);
  });

  test("the same manager in two versions is two", () => {
    const mine = { ...theirs, manager: "me" };
    expect(
      update(stored([mine], { spec: { a: "1" } }), object({ spec: { a: "1", tags: [] } }), { toVersion }).map(({ apiVersion }) => apiVersion),
    ).toEqual(["g/v0", "g/v1"]);
  });
});

test("who writes owns what it wrote, and no input is changed", () => {
  const word = fc.constantFrom("x", "y");
  const spec = fc.record({ a: word, b: word, tags: fc.uniqueArray(word) }, { requiredKeys: [], noNullPrototype: true });
  const write = fc.record({ spec, manager: fc.constantFrom("m1", "m2", "m3"), isApplied: fc.boolean() });
  fc.assert(
    fc.property(fc.array(write, { minLength: 1, maxLength: 8 }), (writes) => {
      let live: KubernetesObject | undefined;
      for (const [index, { spec, manager }] of writes.entries()) {
        const next = object({ spec }, { uid: "u" });
        const before = JSON.stringify([live, next]);
        const managedFields = update(live, next, { manager, now: `2026-01-01T00:00:0${index}Z` });
        expect(JSON.stringify([live, next])).toBe(before);
        // Every field that is set has exactly one owner: nobody applies here.
        const sets = managedFields.map(({ fieldsV1 = {} }) => FieldSet.fromFieldsV1(fieldsV1));
        const all = sets.reduce((sum, set) => sum.union(set), FieldSet.empty);
        expect(sets.reduce((sum, set) => sum + set.size, 0)).toBe(all.size);
        const want = FieldSet.of(["spec"], ...Object.keys(spec).map((name) => ["spec", name]));
        expect(want.difference(all).toFieldsV1()).toEqual({});
        live = { ...next, metadata: { ...next.metadata, managedFields } };
      }
    }),
  );
});

describe("keepManagedFieldsTimes", () => {
  const live = stored([entry("a", { "f:spec": { "f:a": {} } })], { spec: { a: "1" } });
  const touched = stored([entry("a", { "f:spec": { "f:a": {} } }, { time: NOW })], { spec: { a: "1" } });

  test("takes back times where nothing else changed", () =>
    expect(keepManagedFieldsTimes(live, touched).metadata.managedFields).toBe(live.metadata.managedFields));

  test.each<{ name: string; next: KubernetesObject }>([
    { name: "another field", next: { ...touched, spec: { a: "2" } } },
    { name: "another owner", next: stored([entry("b", { "f:spec": { "f:a": {} } }, { time: NOW })], { spec: { a: "1" } }) },
    { name: "an entry more", next: stored([...(touched.metadata.managedFields ?? []), entry("b", {})], { spec: { a: "1" } }) },
    { name: "live's own list", next: { ...live, kind: "T" } },
    { name: "no list", next: object({ spec: { a: "1" } }, { uid: "u" }) },
  ])("leaves $name as it is", ({ next }) => expect(keepManagedFieldsTimes(live, next)).toBe(next));
});
