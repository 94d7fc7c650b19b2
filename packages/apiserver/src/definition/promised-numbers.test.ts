import { t } from "@annex/apimachinery";
import { startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { memoryStorage } from "../storage/index.ts";
import { defineResource } from "./define-resource.ts";

const PROBES = "/apis/example.com/v1/namespaces/default/probes";
/** Beyond what a number holds exactly. */
const LARGE = "9007199254740993";

/** A kind whose author reckons with numbers, as its types let him. */
const Probe = defineResource({
  group: "example.com",
  kind: "Probe",
  scope: "Namespaced",
  versions: {
    v1: {
      schema: {
        spec: t.object({
          double: t.optional(t.number()),
          whole: t.optional(t.integer()),
          either: t.optional(t.intOrString()),
          large: t.optional(t.int64()),
          bounded: t.optional(t.integer({ format: "int64" })),
          set: t.optional(t.set(t.number())),
          metadata: t.optional(t.object({ n: t.number() })),
          inner: t.optional(t.embeddedResource()),
          doubles: t.optional(t.record(t.array(t.number()))),
        }),
      },
      columns: [{ name: "Double", type: "string", value: ({ spec }) => (spec.double ?? 0).toFixed(1) }],
    },
  },
  validate({ object: { spec }, invalid }) {
    if (Math.max(spec.double ?? 0, spec.whole ?? 0) === 13) invalid("spec", "no luck");
    if ((spec.metadata?.n ?? 0) * 0.5 < -1 || (spec.bounded ?? 0) * 0.5 < -1) invalid("spec", "too little");
    if ((spec.inner?.metadata?.generation ?? 0) * 0.5 < -1) invalid("spec.inner", "too old");
    if (spec.either !== undefined && typeof spec.either !== "number" && spec.either.endsWith("!")) invalid("spec.either", "no shouting");
    for (const list of Object.values(spec.doubles ?? {})) if (list.reduce((sum, one) => sum + one, 0.5) < 0) invalid("spec.doubles", "too little");
  },
});

const body = (spec: string) => `{"apiVersion":"example.com/v1","kind":"Probe","metadata":{"name":"a"},"spec":${spec}}`;
const json = { "content-type": "application/json" };

test("one that was stored under another schema is told, though nobody changed it", async () => {
  const storage = memoryStorage();
  const kind = (whole: ReturnType<typeof t.int64>, validate: (spec: { readonly whole: number | bigint }) => void) =>
    defineResource({
      group: "example.com",
      kind: "Count",
      scope: "Namespaced",
      versions: { v1: { schema: { spec: t.object({ whole }) } } },
      validate: ({ object: { spec } }) => validate(spec),
    });
  const path = "/apis/example.com/v1/namespaces/default/counts";
  const count = body(`{"whole":${LARGE}}`).replace("Probe", "Count");
  await using before = await startHarness([kind(t.int64(), () => undefined)], { storage });
  expect((await before.request("POST", path, { body: count, headers: json })).status).toBe(201);
  const bounded = kind(t.integer() as ReturnType<typeof t.int64>, ({ whole }) => void Math.max(whole as number, 1));
  await using after = await startHarness([bounded], { storage });
  const labelled = await after.request("PATCH", `${path}/a`, {
    body: { metadata: { labels: { a: "b" } } },
    headers: { "content-type": "application/merge-patch+json" },
  });
  expect([labelled.status, labelled.json().details?.causes?.map(({ field }) => field)]).toEqual([422, ["spec.whole"]]);
});

test("one that was stored under another schema is borne where no code of the author's sees it, and told in a write of status where some does", async () => {
  const storage = memoryStorage();
  const kind = (whole: ReturnType<typeof t.int64>, admit?: () => undefined) =>
    defineResource({
      group: "example.com",
      kind: "Count",
      scope: "Namespaced",
      statusSubresource: true,
      versions: { v1: { schema: { spec: t.object({ whole }), status: t.object({ phase: t.optional(t.string()) }, { default: {} }) } } },
      ...(admit === undefined ? {} : { admit }),
    });
  const path = "/apis/example.com/v1/namespaces/default/counts";
  const count = body(`{"whole":${LARGE}}`).replace("Probe", "Count").replace('"name":"a"', '"name":"a","finalizers":["example.com/x"]');
  await using before = await startHarness([kind(t.int64())], { storage });
  expect((await before.request("POST", path, { body: count, headers: json })).status).toBe(201);
  const bounded = t.integer() as ReturnType<typeof t.int64>;
  const patch = { headers: { "content-type": "application/merge-patch+json" } };
  await using careful = await startHarness([kind(bounded, () => undefined)], { storage });
  const told = await careful.request("PATCH", `${path}/a/status`, { body: { status: { phase: "On" } }, ...patch });
  expect([told.status, told.json().details?.causes?.map(({ field }) => field)]).toEqual([422, ["spec.whole"]]);
  await using after = await startHarness([kind(bounded)], { storage });
  expect((await after.request("PATCH", `${path}/a`, { body: { metadata: { labels: { a: "b" } } }, ...patch })).status).toBe(200);
  expect((await after.request("DELETE", `${path}/a`)).status).toBe(200);
  expect((await after.request("PATCH", `${path}/a`, { body: { metadata: { finalizers: null } }, ...patch })).status).toBe(200);
  expect((await after.request("GET", `${path}/a`)).status).toBe(404);
});

describe("a whole number beyond 2^53", () => {
  test.each([
    { spec: `{"double":${LARGE}}`, want: { double: 9007199254740992 } },
    { spec: `{"doubles":{"a":[1,-${LARGE}]}}`, code: 422 },
    { spec: `{"doubles":{"a":[1,${LARGE}]}}`, want: { doubles: { a: [1, 9007199254740992] } } },
    { spec: `{"large":${LARGE}}`, want: { large: 9007199254740993n } },
    { spec: `{"whole":${LARGE}}`, code: 422, field: "spec.whole" },
    { spec: `{"whole":-${LARGE}}`, code: 422, field: "spec.whole" },
    { spec: `{"set":[${LARGE}]}`, want: { set: [9007199254740992] } },
    { spec: `{"bounded":${LARGE}}`, code: 422, field: "spec.bounded" },
    { spec: `{"metadata":{"n":${LARGE}}}`, want: { metadata: { n: 9007199254740992 } } },
    { spec: `{"inner":{"apiVersion":"v1","kind":"A","metadata":{"name":"a","generation":-${LARGE}}}}`, code: 422 },
    { spec: '{"inner":{"apiVersion":"v1","kind":"A"}}', want: { inner: { apiVersion: "v1", kind: "A" } } },
    { spec: `{"either":${LARGE}}`, code: 422, field: "spec.either" },
    { spec: '{"whole":9007199254740991}', want: { whole: 9007199254740991 } },
  ])("$spec", async ({ spec, want, code = 201, field }) => {
    await using server = await startHarness([Probe]);
    const answers = [
      await server.request("POST", PROBES, { body: body(spec), headers: json }),
      await server.request("PATCH", `${PROBES}/a?fieldManager=m&force=true`, {
        body: body(spec),
        headers: { "content-type": "application/apply-patch+yaml" },
      }),
    ];
    expect(answers.map(({ status }) => status)).toEqual(code === 422 ? [422, 422] : [201, 200]);
    for (const answer of answers) {
      if (field !== undefined) expect(answer.json().details.causes.map((cause) => cause.field)).toEqual([field]);
      if (want !== undefined)
        expect(answer.text).toContain(
          JSON.stringify(want, (_key, value) => (typeof value === "bigint" ? `#${value}#` : value)).replace(/"#|#"/g, ""),
        );
    }
    const table = await server.request("GET", PROBES, { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } });
    expect(table.status).toBe(200);
    expect(table.json().rows?.length ?? 0).toBe(code === 422 ? 0 : 1);
  });
});
