import { fieldError, type JSONObject, type JSONValue, type KubernetesObject, rule, type Schema, t } from "@annex/apimachinery";
import { defineResource, type Resource, resourceFromCRD } from "@annex/apiserver";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ConversionTestOptions, testConversion } from "./index.ts";

type Convert = (object: never) => object;
const itself = (object: KubernetesObject) => object;

/** v1 is stored; v1beta1 converts as it is told. */
function kind(schemas: { readonly v1: object; readonly v1beta1?: object }, toStorage: Convert = itself, fromStorage: Convert = itself): Resource {
  return defineResource({
    group: "example.com",
    kind: "Thing",
    scope: "Namespaced",
    versions: { v1: { storage: true, schema: schemas.v1 }, v1beta1: { schema: schemas.v1beta1 ?? schemas.v1, toStorage, fromStorage } },
  } as never); // what the types refuse is tried, too
}

function complaintOf(resource: Resource, options: ConversionTestOptions = {}): string {
  try {
    testConversion(resource, { seed: 7, ...options });
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const text = t.optional(t.string());
const everything = t.object({
  required: t.string({ minLength: 2, maxLength: 5 }),
  defaulted: t.integer({ default: 3, minimum: 1 }),
  large: t.optional(t.int64()),
  ratio: t.optional(t.number({ minimum: 0, maximum: 1 })),
  isOn: t.optional(t.boolean()),
  choice: t.optional(t.literals(["a", "b"])),
  pattern: t.optional(t.string({ pattern: "^[a-z]+-[0-9]{2}$" })),
  at: t.optional(t.string({ format: "date-time" })),
  address: t.optional(t.string({ format: "ipv4" })),
  port: t.optional(t.intOrString()),
  maybe: t.optional(t.nullable(t.string())),
  any: t.optional(t.unknown()),
  whole: t.optional(t.embeddedResource()),
  labels: t.optional(t.record(t.string())),
  set: t.optional(t.set(t.string(), { minItems: 2 })),
  ports: t.optional(
    t.listMap(t.object({ name: t.string(), protocol: t.string({ default: "TCP" }), size: t.optional(t.integer()) }), { keys: ["name", "protocol"] }),
  ),
  either: t.optional(t.object({ a: text, b: text }, { oneOf: [{ required: ["a"] }, { required: ["b"] }] })),
});

describe("a conversion without loss", () => {
  test("of fields of every form passes", () => testConversion(kind({ v1: { spec: everything, status: t.object({ phase: text }) } })));

  test("of fields with bounds of every form passes", () => {
    const bounded = t.object({
      below5: t.int64({ maximum: 5 }),
      from5: t.int64({ minimum: 5 }),
      even: t.integer({ multipleOf: 2, minimum: 3, maximum: 5 }),
      half: t.number({ multipleOf: 0.5, minimum: 0.2, maximum: 2.7 }),
      huge: t.number({ minimum: 1e40 }),
      below: t.number({ maximum: -1e40 }),
      minute: t.number({ minimum: 1e-50, maximum: 1e-40 }),
      port: t.intOrString({ minimum: 1, maximum: 65535, maxLength: 15 }),
      none: t.string({ maxLength: 0 }),
      one: t.string({ minLength: 1, maxLength: 1 }),
      long: t.string({ minLength: 500, maxLength: 501 }),
      list: t.array(t.boolean(), { minItems: 8, maxItems: 9 }),
      set: t.set(t.literals(["a", "b", "c"]), { minItems: 2 }),
      map: t.record(t.boolean(), { minProperties: 4, maxProperties: 4 }),
    });
    testConversion(kind({ v1: { spec: bounded } }));
  });

  test("may do arithmetic that loses digits of denormal numbers alone", () => {
    const times =
      (factor: number) =>
      ({ spec }: { spec: { x: number } }) => ({ spec: { x: spec.x * factor } });
    testConversion(kind({ v1: { spec: t.object({ x: t.number() }) } }, times(0.5), times(2)));
  });

  test("of a kind with one version has nothing to say", () => {
    testConversion(defineResource({ group: "example.com", kind: "Thing", scope: "Cluster", versions: { v1: { schema: { spec: everything } } } }));
  });

  test("may be of another form, and put what it has no place for into an annotation", () => {
    const resource = defineResource({
      group: "example.com",
      kind: "Thing",
      scope: "Namespaced",
      versions: {
        v1: { storage: true, schema: { spec: t.object({ seconds: t.integer({ default: 0, minimum: 0 }) }) } },
        v1beta1: {
          schema: { spec: t.object({ ttl: t.string({ default: "0", pattern: "^(0|[1-9][0-9]{0,14})$" }) }) },
          toStorage: ({ spec: { ttl } }) => ({ spec: { seconds: Number(ttl) } }),
          fromStorage: ({ spec: { seconds } }) => ({ spec: { ttl: String(seconds) } }),
        },
      },
    });
    expect(complaintOf(resource)).toContain("v1 to v1beta1 makes what v1beta1 refuses: spec.ttl");
    testConversion(resource, { values: { v1: { "spec.seconds": fc.nat() } } });
  });
});

const range = t.object({ min: t.integer(), max: t.integer({ default: 0 }) }, { rules: [rule("self.min <= self.max")] });

describe("objects that rules in CEL refuse", () => {
  const size = t.integer({ minimum: 0, maximum: 1000 });
  const least = t.object({ min: size, size }, { rules: [rule("self.min + self.size <= 1000")] });
  const bounds = t.object({ min: size, max: size }, { rules: [rule("self.min <= self.max")] });
  type Numbers = { readonly spec: { readonly min: number; readonly max: number; readonly size: number } };
  const toMax = ({ spec: { min, size } }: Numbers) => ({ spec: { min, max: min + size } });
  const toSize = ({ spec: { min, max } }: Numbers) => ({ spec: { min, size: max - min } });

  test("are not converted", () => testConversion(kind({ v1: { spec: bounds }, v1beta1: { spec: least } }, toMax, toSize)));

  test("are told when a conversion makes them", () => {
    const anyOf = t.object({ min: size, size });
    const complaint = complaintOf(
      kind({ v1: { spec: bounds }, v1beta1: { spec: anyOf } }, ({ spec }: Numbers) => ({ spec: { min: spec.min, max: spec.size } })),
    );
    expect(complaint).toMatch(/v1beta1 to v1 makes what v1 refuses: spec: Invalid value: .*failed rule: self.min <= self.max/);
  });

  test("are left out where they are made, so that lists of others are not empty", () => {
    const lose = ({ spec: { list } }: { spec: { list: object[] } }) => ({ spec: { list: list.slice(0, 5) } });
    expect(complaintOf(kind({ v1: { spec: t.object({ list: t.array(range) }) } }, lose))).toContain("v1beta1 loses spec.list in v1: ");
  });

  test("are told when nearly all are", () => {
    const few = t.object({ a: t.string(), b: t.string() }, { rules: [rule("self.a == self.b + 'b'")] });
    expect(() => testConversion(kind({ v1: { spec: few } }))).toThrow(
      "5000 values of spec were made and none satisfies its schema: give an arbitrary in `values`",
    );
  });
});

describe("what is lost is found", () => {
  const time = t.string({ format: "date-time" });
  const span = t.string({ format: "duration" });
  const keys = (change: (key: string) => string | undefined) => (map: object) =>
    Object.fromEntries(Object.entries(map).map(([key, value]) => [change(key), value]));
  const withoutMeta =
    (field: string) =>
    ({ metadata, ...rest }: { metadata?: object }) =>
      metadata === undefined ? rest : { ...rest, metadata: Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== field)) };

  // What reads well and loses: `x && { x }`, `x || undefined`, limits of the other version.
  type Integers = { readonly spec: { readonly n?: number | bigint; readonly list?: readonly { readonly n?: number | bigint }[] } };
  const number = (options?: { minimum: number; maximum: number }) => t.object({ n: t.optional(t.integer(options)) });
  const list = t.object({ list: t.optional(t.array(number())) });
  test.each<{ what: string; spec: object; lose: (object: Integers) => object }>([
    { what: "a zero", spec: number(), lose: ({ spec: { n } }) => ({ spec: { ...(n && { n }) } }) },
    { what: "a zero in a list", spec: list, lose: ({ spec }) => ({ spec: { list: spec.list?.map(({ n }) => ({ n: n || undefined })) } }) },
    { what: "a bound", spec: number({ minimum: 0, maximum: 10_000 }), lose: ({ spec: { n = 0 } }) => ({ spec: { n: n < 10_000 ? n : 9_999 } }) },
    { what: "an element beyond the tenth", spec: list, lose: ({ spec }) => ({ spec: { list: spec.list?.slice(0, 10) } }) },
  ])("$what, whatever the seed", ({ spec, lose }) => {
    const resource = kind({ v1: { spec } }, lose);
    for (let seed = 1; seed <= 10; seed++) expect(complaintOf(resource, { seed })).toContain("v1beta1 loses spec.");
  });

  test("every field, in both directions, each with the smallest object", () => {
    const spec = t.object({ kept: text, color: text, size: t.optional(t.integer()) });
    const resource = kind(
      { v1: { spec }, v1beta1: { spec } },
      ({ spec: { kept, size } }: { spec: JSONObject }) => ({ spec: { kept, size } }),
      ({ spec: { kept, color } }: { spec: JSONObject }) => ({ spec: { kept, color } }),
    );
    const lines = complaintOf(resource).split("\n");
    expect(lines[0]).toBe("conversions of Thing (seed 7):");
    const whose = (version: string) => `{"apiVersion":"example.com/${version}","kind":"Thing","metadata":{"name":"a","namespace":"default"},"spec":`;
    expect(lines.filter((line) => line.startsWith("-")).sort()).toEqual([
      '- v1 loses spec.color in v1beta1: "" comes back as nothing',
      "- v1 loses spec.size in v1beta1: 0 comes back as nothing",
      '- v1beta1 loses spec.color in v1: "" comes back as nothing',
      "- v1beta1 loses spec.size in v1: 0 comes back as nothing",
    ]);
    for (const [index, line] of lines.entries()) {
      const field = /loses spec\.(\w+)/.exec(line)?.[1];
      if (field === undefined) continue;
      const version = /^- (\w+)/.exec(line)?.[1] ?? "";
      expect(lines[index + 1]).toBe(`  of ${whose(version)}${field === "size" ? '{"size":0}' : '{"color":""}'}}`);
    }
  });

  test.each([
    {
      what: "in an element",
      schema: t.array(t.object({ a: text, b: text })),
      lose: (list: JSONObject[]) => list.map(({ a }) => ({ a })),
      field: "spec.x[*].b",
    },
    { what: "an element", schema: t.array(t.string()), lose: (list: string[]) => list.slice(0, 1), field: "spec.x" },
    { what: "the order", schema: t.array(t.string()), lose: (list: string[]) => [...list].sort(), field: "spec.x[*]" },
    { what: "the digits of a 64-bit integer", schema: t.int64(), lose: Number, field: "spec.x" },
    { what: "a null", schema: t.nullable(t.string()), lose: (value: string | null) => value ?? undefined, field: "spec.x" },
    {
      what: "the value of a key",
      schema: t.record(t.string()),
      lose: (map: object) => Object.fromEntries(Object.keys(map).map((key) => [key, ""])),
      field: "spec.x.*",
    },
    {
      what: "a list's other keys",
      schema: t.listMap(t.object({ k: t.string(), v: text }), { keys: ["k"] }),
      lose: (list: JSONObject[]) => list.map(({ k }) => ({ k })),
      field: "spec.x[*].v",
    },
    { what: "a fraction of a second", schema: time, lose: (at: string) => at.replace(/\.\d+/, ""), field: "spec.x" },
    { what: "an offset from UTC", schema: time, lose: (at: string) => at.replace(/[+-]\d\d:\d\d$/, "Z"), field: "spec.x" },
    { what: "a part of a duration", schema: span, lose: (text: string) => /^-?[\d.]+[a-z]+/.exec(text)?.[0], field: "spec.x" },
    { what: "the end of a long text", schema: t.string(), lose: (text: string) => text.slice(0, 253), field: "spec.x" },
    { what: "the last of a hundred characters", schema: t.string({ maxLength: 100 }), lose: (text: string) => text.slice(0, 99), field: "spec.x" },
    { what: "the end of a long name", schema: t.string({ format: "k8s-short-name" }), lose: (text: string) => text.slice(0, 32), field: "spec.x" },
    { what: "the end of a line", schema: t.string(), lose: (text: string) => text.replaceAll("\n", " "), field: "spec.x" },
    { what: "the sixth element", schema: t.array(t.string()), lose: (list: string[]) => list.slice(0, 5), field: "spec.x" },
    {
      what: "the sixth key",
      schema: t.record(t.string()),
      lose: (map: object) => Object.fromEntries(Object.entries(map).slice(0, 5)),
      field: "spec.x.*",
    },
    { what: "capitals of a key", schema: t.record(t.string()), lose: keys((key) => key.toLowerCase()), field: "spec.x.*" },
    { what: "a key behind its prefix", schema: t.record(t.string()), lose: keys((key) => key.split("/")[0]), field: "spec.x.*" },
    { what: "a key behind a dot", schema: t.record(t.string()), lose: keys((key) => key.split(".")[0]), field: "spec.x.*" },
    {
      what: "a key that objects inherit",
      schema: t.record(t.string()),
      lose: (map: Record<string, string>) => {
        const copy: Record<string, string> = {};
        for (const [key, value] of Object.entries(map)) copy[key] = value;
        return copy;
      },
      field: "spec.x.*",
    },
    { what: "the digits of one below 0", schema: t.int64(), lose: (value: number | bigint) => (value < 0 ? Number(value) : value), field: "spec.x" },
    { what: "the sign of a port", schema: t.intOrString(), lose: (value: number | string) => (Number(value) < 0 ? 0 : value), field: "spec.x" },
    { what: "the percent", schema: t.intOrString(), lose: (value: number | string) => String(value).replace("%", ""), field: "spec.x" },
    { what: "a large number", schema: t.number(), lose: (value: number) => Math.min(value, 1e16), field: "spec.x" },
    { what: "a tiny number", schema: t.number(), lose: (value: number) => (Math.abs(value) < 1e-16 ? 0 : value), field: "spec.x" },
    { what: "labels within", schema: t.embeddedResource(), lose: withoutMeta("labels"), field: "spec.x.metadata.labels" },
    { what: "annotations within", schema: t.embeddedResource(), lose: withoutMeta("annotations"), field: "spec.x.metadata.annotations" },
    {
      what: "digits of anything",
      schema: t.unknown(),
      lose: (value: unknown) => (typeof value === "bigint" ? Number(value) : value),
      field: "spec.x",
    },
  ])("$what", ({ schema, lose, field }) => {
    const changed = ({ spec: { x, ...rest } }: { spec: { x?: never } }) => ({ spec: { ...rest, ...(x === undefined ? {} : { x: lose(x) }) } });
    expect(complaintOf(kind({ v1: { spec: t.object({ x: t.optional(schema as Schema) }) } }, changed))).toContain(`v1beta1 loses ${field} in v1: `);
  });

  test("of a CustomResourceDefinition whose versions have different fields", () => {
    const version = (name: string, storage: boolean, fields: object) => ({
      name,
      served: true,
      storage,
      schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: fields } } } },
    });
    const names = { plural: "things", singular: "thing", kind: "Thing", listKind: "ThingList" };
    const versions = [version("v1", true, { a: { type: "string" } }), version("v1beta1", false, { a: { type: "string" }, b: { type: "string" } })];
    const crd = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "things.example.com" },
      spec: { group: "example.com", scope: "Namespaced", names, versions },
    };
    const complaint = complaintOf(resourceFromCRD(crd as unknown as JSONValue));
    expect(complaint).toContain('v1beta1 loses spec.b in v1: "" comes back as nothing');
    expect(complaint.split("\n")).toHaveLength(3);
  });

  test("though it needs values that text at random hardly ever has", () => {
    const resource = kind({ v1: { spec: t.object({ ttl: text }) } }, ({ spec: { ttl } }: { spec: { ttl?: string } }) => ({
      spec: { ttl: ttl !== undefined && /^0\d+$/.test(ttl) ? String(Number(ttl)) : ttl },
    }));
    const values = { v1beta1: { "spec.ttl": fc.stringMatching(/^\d{1,5}$/) } };
    expect(complaintOf(resource, { values })).toContain('v1beta1 loses spec.ttl in v1: "00" comes back as "0"');
  });
});

describe("known losses", () => {
  const resource = kind({ v1: { spec: t.object({ a: text, b: t.optional(t.object({ c: text })) }) } }, ({ spec: { a } }: { spec: JSONObject }) => ({
    spec: { a },
  }));

  test("are let pass with what is below them, of the version and in the one that they name", () => {
    const complaint = complaintOf(resource);
    expect(complaint).toContain("v1beta1 loses spec.b in v1");
    const back = { of: "v1", in: "v1beta1", field: "spec.b" };
    testConversion(resource, { knownLosses: [{ of: "v1beta1", in: "v1", field: "spec.b" }, back] });
    expect(complaintOf(resource, { knownLosses: [back] })).toContain("v1beta1 loses spec.b in v1");
  });

  test.each([
    { options: { knownLosses: [{ of: "v2", in: "v1", field: "spec.a" }] }, message: 'Thing has no version "v2"' },
    { options: { knownLosses: [{ of: "v1", in: "v1beta1", field: "spec.typo" }] }, message: "Thing v1 has no field spec.typo" },
    { options: { values: { v1: { "spec.b.typo": fc.nat() } } }, message: "Thing v1 has no field spec.b.typo" },
  ])("and values have to name what there is: $message", ({ options, message }) => {
    expect(() => testConversion(resource, options)).toThrow(new TypeError(message));
  });
});

describe("a conversion", () => {
  const schemas = { v1: { spec: t.object({ a: text }) } };

  test("that throws is told with its object", () => {
    const complaint = complaintOf(
      kind(schemas, itself, ({ spec: { a } }: { spec: { a?: string } }) => ({ spec: { a: String(a?.slice(0)) }, x: (a as string).length })),
    );
    expect(complaint).toMatch(/v1 to v1beta1 throws TypeError: .*\n {2}of .*"metadata":\{"name":"a","namespace":"default"\}\}\n/);
  });

  test("that changes what it is given is told", () => {
    const change = (object: { spec: { a?: string } }) => {
      object.spec.a = "changed";
      return object;
    };
    expect(complaintOf(kind(schemas, change))).toContain("v1beta1 to v1 throws TypeError: ");
  });

  test("that makes fields and values that the other version refuses is told, even if it finds them back", () => {
    const stricter = kind({ v1: { spec: t.object({ a: t.optional(t.string({ maxLength: 1 })) }) }, v1beta1: { spec: t.object({ a: text }) } });
    expect(complaintOf(stricter)).toContain("v1beta1 to v1 makes what v1 refuses: spec.a: Too long: may not be more than 1 byte");
    const hidden = kind(
      schemas,
      ({ spec }: { spec: object }) => ({ spec: {}, hidden: spec }),
      ({ hidden = {} }: { hidden?: object }) => ({ spec: hidden }),
    );
    expect(complaintOf(hidden)).toContain("v1beta1 to v1 makes hidden, which v1 does not have");
  });

  test("that answers differently each time is told", () => {
    let calls = 0;
    const atFirst = ({ spec }: { spec: object }) => ({ spec: calls++ === 0 ? { a: "at first" } : spec });
    expect(complaintOf(kind(schemas, atFirst))).toContain("v1beta1 to v1 and back is not the same each time");
  });

  test("need not keep what the kind's own validate refuses", () => {
    const resource = defineResource({
      group: "example.com",
      kind: "Thing",
      scope: "Namespaced",
      versions: {
        v1: { storage: true, schema: { spec: t.object({ a: t.optional(t.integer()) }) } },
        v1beta1: {
          schema: { spec: t.object({ a: t.optional(t.integer()) }) },
          toStorage: ({ spec: { a } }) => ({ spec: { a: a === undefined || a % 2 === 0 ? a : 1 } }),
          fromStorage: ({ spec: { a } }) => ({ spec: { a: a === undefined || a % 2 === 0 ? a : 1 } }),
        },
      },
      validate: ({ object: { spec }, invalid }) => {
        if (spec.a !== undefined && spec.a % 2 !== 0) invalid("spec.a", fieldError.invalid("spec.a", spec.a, "must be even").message);
      },
    });
    testConversion(resource);
    expect(complaintOf({ ...resource, hooks: {} })).toContain("loses spec.a");
    const refusesAll: Resource["hooks"] = { validate: ({ invalid }) => invalid("spec.a", "never") };
    expect(complaintOf({ ...resource, hooks: refusesAll }, { runs: 30 })).toMatch(
      /^- v1 to v1beta1 is hardly tried: (\d+) of \1 objects of v1 that were made are refused by the kind's rules: give arbitraries in `values`$/m,
    );
  });
});

test("a schema that hardly any value satisfies is told, and not tried without end", () => {
  const resource = kind({ v1: { spec: t.object({ a: t.string({ not: { minLength: 0 } }) }) } });
  expect(() => testConversion(resource)).toThrow("5000 values of spec.a were made and none satisfies its schema: give an arbitrary in `values`");
});
