// Two versions that say the same in other names: whoever writes in whichever, the object is what it would be had all written in one. The conversions count on every field that
// their types say is there.
import { jsonEquals, t } from "@annex/apimachinery";
import { type Harness, startHarness } from "@annex/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { defineResource } from "../definition/index.ts";

const part = { v: t.optional(t.string()), w: t.integer({ default: 5 }) };
const nest = t.object({ a: t.optional(t.string()), b: t.string({ default: "q" }) }, { default: {} });
const Lamp = defineResource({
  group: "example.com",
  kind: "Lamp",
  scope: "Namespaced",
  versions: {
    v1: {
      storage: true,
      schema: {
        spec: t.object({
          color: t.string(),
          size: t.integer({ default: 1 }),
          note: t.optional(t.string()),
          tags: t.optional(t.set(t.string())),
          parts: t.optional(t.listMap(t.object({ name: t.string(), ...part }), { keys: ["name"] })),
          nest,
        }),
      },
    },
    v1beta1: {
      schema: {
        spec: t.object({
          colour: t.string(),
          measure: t.object({ size: t.integer({ default: 1 }), note: t.optional(t.string()) }, { default: {} }),
          marks: t.optional(t.set(t.string())),
          pieces: t.optional(t.listMap(t.object({ id: t.string(), ...part }), { keys: ["id"] })),
          inner: nest,
        }),
      },
      toStorage: ({ spec: { colour, measure, marks, pieces, inner } }) => ({
        spec: {
          color: colour.slice(),
          size: measure.size,
          ...(measure.note === undefined ? {} : { note: measure.note }),
          ...(marks === undefined ? {} : { tags: marks.map((mark) => mark.slice()) }),
          ...(pieces === undefined ? {} : { parts: pieces.map(({ id, w, ...rest }) => ({ ...rest, name: id.slice(), w: Number(w.toFixed(0)) })) }),
          nest: { ...inner, b: inner.b.slice() },
        },
      }),
      fromStorage: ({ spec: { color, size, note, tags, parts, nest: inner } }) => ({
        spec: {
          colour: color.slice(),
          measure: { size, ...(note === undefined ? {} : { note }) },
          ...(tags === undefined ? {} : { marks: tags.map((tag) => tag.slice()) }),
          ...(parts === undefined ? {} : { pieces: parts.map(({ name, w, ...rest }) => ({ ...rest, id: name.slice(), w: Number(w.toFixed(0)) })) }),
          inner: { ...inner, b: inner.b.slice() },
        },
      }),
    },
  },
});

const letters = (all: string) => fc.constantFrom(...all);
const parts = fc.uniqueArray(fc.record({ name: letters("klm"), v: letters("12"), w: fc.constantFrom(5, 6) }, { requiredKeys: ["name"] }), {
  selector: ({ name }) => name,
  minLength: 1,
  maxLength: 2,
});
const spec = fc.record(
  {
    color: letters("rgb"),
    size: fc.constantFrom(1, 2, 3),
    note: letters("xyz"),
    tags: fc.uniqueArray(letters("abcd"), { minLength: 1, maxLength: 3 }),
    parts,
    nest: fc.record({ a: letters("st"), b: letters("st") }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
type Spec = Partial<{ color: string; size: number; note: string; tags: string[]; parts: { name: string; v?: string; w?: number }[]; nest: object }>;

function inBeta({ color, size, note, tags, parts: pieces, nest: inner }: Spec): object {
  const measure = { ...(size === undefined ? {} : { size }), ...(note === undefined ? {} : { note }) };
  return {
    ...(color === undefined ? {} : { colour: color }),
    ...(Object.keys(measure).length === 0 ? {} : { measure }),
    ...(tags === undefined ? {} : { marks: tags }),
    ...(pieces === undefined ? {} : { pieces: pieces.map(({ name, ...rest }) => ({ id: name, ...rest })) }),
    ...(inner === undefined ? {} : { inner }),
  };
}

const step = fc.record({
  spec: spec as fc.Arbitrary<Spec>,
  manager: fc.constantFrom("one", "two", "three"),
  isForced: fc.boolean(),
  version: fc.constantFrom("v1", "v1beta1"),
});
const at = (version: string, name: string) => `/apis/example.com/${version}/namespaces/default/lamps/${name}`;

async function apply(server: Harness, name: string, version: string, body: object, manager: string, isForced: boolean) {
  const object = { apiVersion: `example.com/${version}`, kind: "Lamp", metadata: { name }, spec: body };
  const answer = await server.request("PATCH", `${at(version, name)}?fieldManager=${manager}${isForced ? "&force=true" : ""}`, {
    headers: { "content-type": "application/apply-patch+yaml" },
    body: object,
  });
  const { spec: left } = (await server.request("GET", at("v1", name))).json() as { spec?: Spec };
  return {
    status: answer.status,
    spec: left && { ...left, tags: left.tags?.toSorted(), parts: left.parts?.toSorted((a, b) => a.name.localeCompare(b.name)) },
  };
}

test("an apply in one version is the apply in the other", { timeout: 60_000 }, async () => {
  await using server = await startHarness([Lamp]);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const number = ++runs;
      for (const { spec: wanted, manager, isForced, version } of [
        { spec: { color: "r" }, manager: "one", isForced: false, version: "v1" },
        ...steps,
      ]) {
        const mixed = await apply(server, `mixed-${number}`, version, version === "v1" ? wanted : inBeta(wanted), manager, isForced);
        const alone = await apply(server, `alone-${number}`, "v1", wanted, manager, isForced);
        if (!jsonEquals(mixed, alone)) throw new Error(`in two versions ${JSON.stringify(mixed)}\nin one ${JSON.stringify(alone)}`);
      }
    }),
    { numRuns: 60 },
  );
});

// One field of v2 is made of two of v1: of a part of them it is another, which says nothing of the whole.
const Door = defineResource({
  group: "example.com",
  kind: "Door",
  scope: "Namespaced",
  versions: {
    v1: {
      storage: true,
      schema: { spec: t.object({ port: t.integer({ default: 80 }), label: t.optional(t.string()), note: t.optional(t.string()) }) },
    },
    v2: {
      schema: { spec: t.object({ tag: t.string(), note: t.optional(t.string()) }) },
      toStorage: ({ spec: { tag, ...rest } }) => {
        const [port, label] = tag.split("/");
        return { spec: { ...rest, port: Number(port), ...(label ? { label } : {}) } };
      },
      fromStorage: ({ spec: { port, label, ...rest } }) => ({ spec: { ...rest, tag: `${port.toString()}/${label ?? ""}` } }),
    },
  },
});

test.each([
  {
    what: "what the applier still names",
    others: [],
    last: { label: "x" },
    want: { note: "n", port: 80, label: "x" },
    owners: ["A f:label", "B f:note"],
  },
  {
    what: "what somebody else named, too",
    others: [{ manager: "C", spec: { label: "x" } }],
    last: {},
    want: { note: "n", port: 80, label: "x" },
    owners: ["B f:note", "C f:label"],
  },
])("an apply takes nothing away but what is nobody's: $what", async ({ others, last, want, owners }) => {
  await using server = await startHarness([Door]);
  const write = async (version: string, manager: string, spec: object) => {
    const answer = await server.request("PATCH", `/apis/example.com/${version}/namespaces/default/doors/a?fieldManager=${manager}`, {
      headers: { "content-type": "application/apply-patch+yaml" },
      body: { apiVersion: `example.com/${version}`, kind: "Door", metadata: { name: "a" }, spec },
    });
    expect(answer.status, answer.text).toBeLessThan(300);
    return answer.json();
  };
  await write("v1", "A", { port: 8080, label: "x" });
  await write("v2", "B", { note: "n" });
  for (const { manager, spec } of others) await write("v1", manager, spec);
  const { spec, metadata } = await write("v1", "A", last);
  expect(spec).toEqual(want);
  const owned = metadata.managedFields.flatMap(({ manager, fieldsV1 }: { manager: string; fieldsV1: { "f:spec"?: object } }) =>
    Object.keys(fieldsV1["f:spec"] ?? {}).map((field) => `${manager} ${field}`),
  );
  expect(owned.toSorted()).toEqual(owners);
});
