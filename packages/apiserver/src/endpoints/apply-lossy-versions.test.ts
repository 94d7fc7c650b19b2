// A version that lacks fields of another. What somebody just applied is there, whoever owns something in whichever version; Go refuses such applies.
import { t } from "@annex/apimachinery";
import { startHarness } from "@annex/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { defineResource, type Resource, resourceFromCRD } from "../definition/index.ts";

const text = { type: "string" };
const items = (properties: object) => ({
  type: "array",
  nullable: true,
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["name"],
  items: { type: "object", required: ["name"], properties: { name: text, ...properties } },
});
// Nullable: what an apply takes all from is null in a custom resource, as in Go, and would be refused.
const version = (name: string, isStorage: boolean, spec: object) => ({
  name,
  served: true,
  storage: isStorage,
  schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", nullable: true, properties: spec } } } },
});
const Beast = resourceFromCRD({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "beasts.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "beasts", singular: "beast", kind: "Beast", listKind: "BeastList" },
    versions: [
      version("v1", true, {
        title: text,
        size: text,
        nest: { type: "object", nullable: true, properties: { a: text, b: text } },
        parts: items({ v: text, w: text }),
      }),
      version("v1beta1", false, { size: text, nest: { type: "object", nullable: true, properties: { a: text } }, parts: items({ v: text }) }),
      version("v1alpha1", false, { title: text }),
    ],
  },
} as never);

const nest = { a: t.optional(t.string()), b: t.optional(t.string()) };
/** The same by an author's functions, of other names in v1beta1. */
const Brute = defineResource({
  group: "example.com",
  kind: "Beast",
  scope: "Namespaced",
  versions: {
    v1: {
      storage: true,
      schema: {
        spec: t.object({
          title: t.optional(t.string()),
          size: t.optional(t.string()),
          nest: t.optional(t.object(nest)),
          parts: t.optional(t.listMap(t.object({ name: t.string(), v: t.optional(t.string()), w: t.optional(t.string()) }), { keys: ["name"] })),
        }),
      },
    },
    v1beta1: {
      schema: {
        spec: t.object({
          size: t.optional(t.string()),
          nest: t.optional(t.object({ a: nest.a })),
          parts: t.optional(t.listMap(t.object({ name: t.string(), v: t.optional(t.string()) }), { keys: ["name"] })),
        }),
      },
      toStorage: ({ spec }) => ({ spec }),
      fromStorage: ({ spec: { size, nest: inner, parts } }) => ({
        spec: {
          ...(size !== undefined && { size }),
          ...(inner !== undefined && { nest: inner.a === undefined ? {} : { a: inner.a } }),
          ...(parts !== undefined && { parts: parts.map(({ name, v }) => ({ name, ...(v !== undefined && { v }) })) }),
        },
      }),
    },
    v1alpha1: {
      schema: { spec: t.object({ title: t.optional(t.string()) }) },
      toStorage: ({ spec }) => ({ spec }),
      fromStorage: ({ spec: { title } }) => ({ spec: title === undefined ? {} : { title } }),
    },
  },
});

type Spec = Readonly<Record<string, unknown>>;
const some = fc.constantFrom("1", "2");
const part = (fields: Record<string, fc.Arbitrary<string>>) =>
  fc.uniqueArray(fc.record({ name: fc.constantFrom("p", "q"), ...fields }, { requiredKeys: ["name"] }), {
    selector: ({ name }) => name,
    minLength: 1,
    maxLength: 2,
  });
const specs = {
  v1: fc.record(
    { title: some, size: some, nest: fc.record({ a: some, b: some }, { requiredKeys: [] }), parts: part({ v: some, w: some }) },
    { requiredKeys: [] },
  ),
  v1beta1: fc.record({ size: some, nest: fc.record({ a: some }, { requiredKeys: [] }), parts: part({ v: some }) }, { requiredKeys: [] }),
};
const apply = (name: "v1" | "v1beta1") =>
  fc.record({ version: fc.constant(name), manager: fc.constantFrom("one", "two", "three"), spec: specs[name] as fc.Arbitrary<Spec | undefined> });
const label = fc.record({ version: fc.constantFrom("v1beta1", "v1alpha1"), manager: fc.constantFrom("one", "labels"), spec: fc.constant(undefined) });
const steps = fc.array(fc.oneof({ weight: 4, arbitrary: apply("v1") }, { weight: 2, arbitrary: apply("v1beta1") }, label), {
  minLength: 2,
  maxLength: 7,
});

test.each<{ what: string; resource: Resource }>([
  { what: "a CustomResourceDefinition", resource: Beast },
  { what: "an author's conversions", resource: Brute },
])("what is applied is there: $what", { timeout: 60_000 }, async ({ resource }) => {
  await using server = await startHarness([resource]);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const name = `beast-${++runs}`;
      const at = (one: string) => `/apis/example.com/${one}/namespaces/default/beasts/${name}`;
      const mentioned = (one: string, spec: unknown) => ({ apiVersion: `example.com/${one}`, kind: "Beast", metadata: { name }, spec });
      const first = await server.request("POST", at("v1beta1").replace(/\/[^/]*$/, ""), { body: mentioned("v1beta1", { size: "1" }) });
      expect(first.status).toBe(201);
      for (const [index, { version: one, manager, spec }] of all.entries()) {
        if (spec === undefined) {
          const body = { metadata: { labels: { step: String(index) } } };
          const headers = { "content-type": "application/merge-patch+json" };
          expect((await server.request("PATCH", `${at(one)}?fieldManager=${manager}`, { body, headers })).status).toBe(200);
          continue;
        }
        const headers = { "content-type": "application/apply-patch+yaml" };
        const answer = await server.request("PATCH", `${at(one)}?fieldManager=${manager}&force=true`, { body: mentioned(one, spec), headers });
        expect(answer.status, answer.text).toBe(200);
        for (const told of [answer.json(), (await server.request("GET", at(one))).json()]) expect(told.spec ?? {}).toMatchObject(withoutEmpty(spec));
      }
    }),
    { numRuns: 150 },
  );
});

/** Lists in any order, and no empty objects: those of which somebody lets go of the last field go, as in Go, although another names them. */
function withoutEmpty({ parts, nest: inner, ...rest }: Spec): object {
  const isEmpty = typeof inner !== "object" || inner === null || Object.keys(inner).length === 0;
  return {
    ...rest,
    ...(isEmpty ? {} : { nest: inner }),
    ...(Array.isArray(parts) ? { parts: expect.arrayContaining(parts.map((one: object) => expect.objectContaining(one))) } : {}),
  };
}
