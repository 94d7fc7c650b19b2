import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JSONObject, JSONValue } from "../meta/index.ts";
import type { Schema } from "../schema/schema.ts";
import { formatPath } from "./field-path.ts";
import { FieldSet } from "./field-set.ts";
import { structuralType } from "./structural-type.ts";
import { applyOwners, ConflictError, type FieldOwners, type TypedValue, type Updater, updateOwners } from "./updater.ts";

const text: Schema = { type: "string" };
const v1 = {
  type: "object",
  properties: {
    a: text,
    b: text,
    o: { type: "object", properties: { x: text, y: text, tags: { type: "array", items: text, "x-kubernetes-list-type": "set" } } },
    set: { type: "array", items: text, "x-kubernetes-list-type": "set" },
    map: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k"],
      items: { type: "object", properties: { k: text, v: text, w: text } },
    },
    m: { type: "object", additionalProperties: { type: "object", properties: { x: text } } },
  },
} as const satisfies Schema;
const renamed = <T>(fields: Readonly<Record<string, T>>, rename: (name: string) => string): Record<string, T> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [rename(name), value]));
/** Has every field of the first one under another name. */
const v2: Schema = { type: "object", properties: renamed<Schema>(v1.properties, (name) => `${name}2`) };

const updater: Updater = {
  convert(value, apiVersion) {
    if (value.apiVersion === apiVersion) return value;
    const fields = (value.value ?? {}) as Record<string, JSONValue>;
    if (apiVersion === "v2") return { value: renamed(fields, (name) => `${name}2`), type: structuralType(v2), apiVersion };
    if (apiVersion === "v1") return { value: renamed(fields, (name) => name.slice(0, -1)), type: structuralType(v1), apiVersion };
    return undefined;
  },
};

interface Write {
  readonly verb: "apply" | "update";
  readonly self: string;
  readonly value: JSONObject;
  readonly force: boolean;
  readonly version: string;
}
const write =
  (verb: Write["verb"]) =>
  (self: string, value: JSONObject, { force = false, version = "v1" }: { force?: boolean; version?: string } = {}): Write => ({
    verb,
    self,
    value,
    force,
    version,
  });
const apply = write("apply");
const update = write("update");

function carryOut(writes: readonly Write[], owned: FieldOwners = new Map(), using = updater, value: JSONObject = {}) {
  let live: TypedValue = { value, type: structuralType(v1), apiVersion: "v1" };
  let owners = owned;
  let conflicts: string[] | undefined;
  for (const { verb, self, value: wanted, force, version } of writes) {
    const present = using.convert(live, version);
    if (present === undefined) throw new Error(`no version ${version}`);
    const next = { ...present, value: wanted };
    try {
      if (verb === "update") {
        owners = updateOwners(using, present, next, owners, self);
        live = next;
      } else {
        const applied = applyOwners(using, present, next, owners, self, force);
        owners = applied.owners;
        live = { ...present, value: applied.value };
      }
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      conflicts = error.conflicts.map(({ owner, path }) => `${owner} ${formatPath(path)}`);
    }
  }
  const sets = Object.fromEntries([...owners].map(([self, { set }]) => [self, set.toFieldsV1()]));
  return { value: live.value, owners: sets, ...(conflicts === undefined ? {} : { conflicts }) };
}

// Every row says what structured-merge-diff 6.3.3 answers.
describe("a value after several writes", () => {
  test.each<{ name: string; writes: readonly Write[]; want: ReturnType<typeof carryOut> }>([
    {
      name: "what an applier no longer names goes",
      writes: [apply("x", { a: "1", b: "1", o: { x: "1" } }), apply("x", { a: "1" })],
      want: { value: { a: "1" }, owners: { x: { "f:a": {} } } },
    },
    {
      name: "but not what another applier names, too",
      writes: [apply("x", { a: "1", b: "1" }), apply("y", { b: "1" }), apply("x", { a: "1" })],
      want: { value: { a: "1", b: "1" }, owners: { x: { "f:a": {} }, y: { "f:b": {} } } },
    },
    {
      name: "nor what an updater changed",
      writes: [apply("x", { a: "1", b: "1" }), update("u", { a: "1", b: "2" }), apply("x", { a: "1" })],
      want: { value: { a: "1", b: "2" }, owners: { u: { "f:b": {} }, x: { "f:a": {} } } },
    },
    {
      name: "an element of a list goes with all of it",
      writes: [apply("x", { map: [{ k: "a", v: "1" }, { k: "b" }] }), apply("x", { map: [{ k: "b" }] })],
      want: { value: { map: [{ k: "b" }] }, owners: { x: { "f:map": { 'k:{"k":"b"}': { ".": {}, "f:k": {} } } } } },
    },
    {
      name: "but not while another owns something in it",
      writes: [apply("x", { map: [{ k: "a", v: "1" }] }), apply("y", { map: [{ k: "a", w: "1" }] }), apply("x", { map: [{ k: "b" }] })],
      want: {
        value: { map: [{ k: "a", w: "1" }, { k: "b" }] },
        owners: { x: { "f:map": { 'k:{"k":"b"}': { ".": {}, "f:k": {} } } }, y: { "f:map": { 'k:{"k":"a"}': { ".": {}, "f:k": {}, "f:w": {} } } } },
      },
    },
    {
      name: "an element that an updater made is joined",
      writes: [update("u", { map: [{ k: "a", w: "1" }] }), apply("x", { map: [{ k: "a", v: "1" }] })],
      want: {
        value: { map: [{ k: "a", v: "1", w: "1" }] },
        owners: {
          u: { "f:map": { ".": {}, 'k:{"k":"a"}': { ".": {}, "f:k": {}, "f:w": {} } } },
          x: { "f:map": { 'k:{"k":"a"}': { ".": {}, "f:k": {}, "f:v": {} } } },
        },
      },
    },
    {
      name: "a conflict with another applier",
      writes: [apply("x", { a: "1", o: { x: "1" } }), apply("y", { a: "2", o: { x: "2", y: "1" } })],
      want: { value: { a: "1", o: { x: "1" } }, owners: { x: { "f:a": {}, "f:o": { "f:x": {} } } }, conflicts: ["x .a", "x .o.x"] },
    },
    {
      name: "a conflict with an updater",
      writes: [update("u", { a: "1" }), apply("x", { a: "2" })],
      want: { value: { a: "1" }, owners: { u: { "f:a": {} } }, conflicts: ["u .a"] },
    },
    {
      name: "the same value is no conflict",
      writes: [apply("x", { a: "1" }), apply("y", { a: "1" })],
      want: { value: { a: "1" }, owners: { x: { "f:a": {} }, y: { "f:a": {} } } },
    },
    {
      name: "force takes",
      writes: [apply("x", { a: "1", b: "1" }), apply("y", { a: "2" }, { force: true })],
      want: { value: { a: "2", b: "1" }, owners: { x: { "f:b": {} }, y: { "f:a": {} } } },
    },
    { name: "an applier of nothing owns nothing", writes: [apply("x", { a: "1" }), apply("x", {})], want: { value: null, owners: {} } },
    {
      name: "an element of a set goes",
      writes: [apply("x", { set: ["a", "b"] }), apply("y", { set: ["b"] }), apply("x", { set: [] })],
      want: { value: { set: ["b"] }, owners: { y: { "f:set": { 'v:"b"': {} } } } },
    },
    {
      name: "an object that keeps only an empty list goes, though its applier still names it",
      writes: [apply("x", { a: "1", o: { x: "1", tags: [] } }), apply("x", { a: "1", o: {} })],
      want: { value: { a: "1" }, owners: { x: { "f:a": {}, "f:o": {} } } },
    },
    {
      name: "an entry of a map goes",
      writes: [apply("x", { m: { a: { x: "1" }, b: {} } }), apply("x", { m: { b: {} } })],
      want: { value: { m: { b: {} } }, owners: { x: { "f:m": { "f:b": {} } } } },
    },
    {
      name: "of another version: what is not named any more goes",
      writes: [apply("x", { a: "1", b: "1" }), apply("x", { a2: "1" }, { version: "v2" })],
      want: { value: { a2: "1" }, owners: { x: { "f:a2": {} } } },
    },
    {
      name: "of another version: what another owns stays",
      writes: [apply("x", { a: "1", b: "1" }), apply("y", { b2: "1" }, { version: "v2" }), apply("x", { a: "1" })],
      want: { value: { a: "1", b: "1" }, owners: { x: { "f:a": {} }, y: { "f:b2": {} } } },
    },
    {
      name: "of another version: a conflict",
      writes: [apply("x", { a: "1" }), apply("y", { a2: "2" }, { version: "v2" })],
      want: { value: { a: "1" }, owners: { x: { "f:a": {} } }, conflicts: ["x .a"] },
    },
    {
      name: "an update takes what it changes from appliers",
      writes: [apply("x", { a: "1", b: "1" }), update("u", { a: "2", b: "1" })],
      want: { value: { a: "2", b: "1" }, owners: { u: { "f:a": {} }, x: { "f:b": {} } } },
    },
    {
      name: "an update removes",
      writes: [apply("x", { a: "1", b: "1" }), update("u", { a: "1" })],
      want: { value: { a: "1" }, owners: { x: { "f:a": {} } } },
    },
  ])("$name", ({ writes, want }) => expect(carryOut(writes)).toEqual(want));
});

const owned = (owners: Readonly<Record<string, { readonly apiVersion?: string; readonly set: JSONObject }>>): FieldOwners =>
  new Map(Object.entries(owners).map(([self, { apiVersion = "v1", set }]) => [self, { apiVersion, set: FieldSet.fromFieldsV1(set) }]));

test("fields that are owned in a version that there is not any more are forgotten", () => {
  const owners = owned({ gone: { apiVersion: "v9", set: { "f:a": {} } }, x: { apiVersion: "v9", set: { "f:b": {} } } });
  expect(carryOut([apply("x", { a: "2" })], owners, updater, { a: "1", b: "1" })).toEqual({
    value: { a: "2", b: "1" },
    owners: { x: { "f:a": {} } },
  });
});

test("a set that was written when the list was granular owns the whole list, once that is atomic", () => {
  const atomic: Schema = { type: "object", properties: { set: { type: "array", items: text, "x-kubernetes-list-type": "atomic" } } };
  const live: TypedValue = { value: { set: ["a", "b"] }, type: structuralType(atomic), apiVersion: "v1" };
  const owners = owned({ x: { set: { "f:set": { 'v:"a"': {} } } } });
  const conflicting = () => applyOwners(updater, live, { ...live, value: { set: ["a"] } }, owners, "y", false);
  expect(conflicting).toThrow(ConflictError);
});

test("what a write cannot change nobody comes to own, loses or is asked about", () => {
  const withoutO: Updater = { ...updater, ignoredFields: new Map([["v1", FieldSet.of(["o"])]]) };
  const owners = owned({ u: { set: { "f:o": { "f:x": {} } } } });
  expect(carryOut([apply("x", { a: "1", o: { x: "2", y: "2" } })], owners, withoutO, { o: { x: "1" } }).owners).toEqual({
    u: { "f:o": { "f:x": {} } },
    x: { "f:a": {} },
  });
});

// The answers of structured-merge-diff 6.3.3, surprising or not.
test.each<{ name: string; live: JSONObject; owners: Readonly<Record<string, { set: JSONObject }>>; want: JSONObject }>([
  {
    name: "a named object of which the applier owned anything goes with what nobody owns in it",
    live: { o: { x: "1", y: "1" }, m: { a: { x: "1" }, b: {} } },
    owners: { x: { set: { "f:o": { "f:x": {} }, "f:m": { "f:a": {} } } } },
    want: { b: "1" },
  },
  {
    name: "but keeps what is owned in it",
    live: { o: { x: "1", y: "1" } },
    owners: { x: { set: { "f:o": { "f:x": {} } } }, u: { set: { "f:o": { "f:y": {} } } } },
    want: { o: { y: "1" }, b: "1" },
  },
  {
    name: "an entry of a map goes, whoever owns a field of it",
    live: { m: { a: { x: "1" } } },
    owners: { x: { set: { "f:m": { "f:a": {} } } }, u: { set: { "f:m": { "f:a": { "f:x": {} } } } } },
    want: { m: null, b: "1" },
  },
  {
    name: "an element that another owns stays, with what nobody owns in it",
    live: { map: [{ k: "a", v: "1", w: "1" }] },
    owners: {
      x: { set: { "f:map": { 'k:{"k":"a"}': { ".": {}, "f:k": {} } } } },
      u: { set: { "f:map": { 'k:{"k":"a"}': { ".": {}, "f:k": {} } } } },
    },
    want: { map: [{ k: "a", v: "1", w: "1" }], b: "1" },
  },
])("$name", ({ live, owners, want }) => expect(carryOut([apply("x", { b: "1" })], owned(owners), updater, live).value).toEqual(want));

test("an element keeps the key by which it is owned, where nobody owns that", () => {
  const element = { "f:map": { 'k:{"k":"a"}': { ".": {} } } };
  const live = { map: [{ k: "a", v: "1" }] };
  expect(carryOut([apply("x", { b: "1" })], owned({ x: { set: element }, u: { set: element } }), updater, live).value).toEqual({ ...live, b: "1" });
  const key = owned({ x: { set: { "f:map": { 'k:{"k":"a"}': { "f:k": {} } } } } });
  expect(carryOut([apply("x", { b: "1" })], key, updater, live).value).toEqual({ b: "1" });
});

test("what somebody owns that is not there is theirs when it comes", () => {
  expect(carryOut([apply("x", { a: "1" })], owned({ u: { set: { "f:a": {} } } })).conflicts).toEqual(["u .a"]);
});

test("where nothing changes, the value itself comes back", () => {
  const live: TypedValue = { value: { a: "1", set: ["b", "a"] }, type: structuralType(v1), apiVersion: "v1" };
  expect(applyOwners(updater, live, { ...live, value: { a: "1", set: ["a"] } }, new Map(), "x", false).value).toBe(live.value);
});

/** Versions of one form: where anybody owns something in another one, values are converted and looked at, where nobody does, sets tell. */
const alike: Updater = { convert: (value, apiVersion) => ({ ...value, apiVersion }) };
const name = fc.constantFrom("p", "q", "r");
const word = fc.constantFrom("1", "2");
const some = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
const tags = (minLength: number) => fc.uniqueArray(name, { minLength, maxLength: 2 });
const written = (minLength: number) =>
  fc
    .record({
      a: some(word),
      b: some(word),
      o: some(fc.record({ x: some(word), y: some(word), tags: some(tags(minLength)) })),
      set: some(fc.uniqueArray(name)),
      map: some(fc.uniqueArray(fc.record({ k: name, v: some(word), w: some(word) }), { selector: ({ k }) => k })),
      m: some(fc.dictionary(name, fc.record({ x: some(word) }))),
    })
    .map((value) => JSON.parse(JSON.stringify(value)) as JSONObject);
const writes = (minLength: number) =>
  fc.array(fc.record({ isApply: fc.boolean(), self: fc.constantFrom("A", "B"), value: written(minLength) }), { minLength: 2, maxLength: 6 });

// An object that holds nothing but an empty list is in no set: where all is spared that somebody owns it stays, and else goes with its last field.
test.each<{ sparesOwned: Updater["sparesOwned"]; shortest: number }>([
  { sparesOwned: undefined, shortest: 0 },
  { sparesOwned: "whereVersionsLose", shortest: 0 },
  { sparesOwned: "always", shortest: 1 },
])("what goes is the same whether sets tell it or values do: $sparesOwned", ({ sparesOwned, shortest }) => {
  fc.assert(
    fc.property(writes(shortest), (all) => {
      const steps = all.map(({ isApply, self, value }) => (isApply ? apply : update)(self, value, { force: true }));
      const elsewhere = new Map([["Z", { apiVersion: "v3", set: FieldSet.of(["nowhere"]) }]]);
      const inPlace = carryOut(steps, new Map(), alike);
      expect(carryOut(steps, elsewhere, { ...alike, sparesOwned }).value).toEqual(inPlace.value);
    }),
    { numRuns: 300 },
  );
});
