import { t } from "@annex/apimachinery";
import { ALICE, type Harness, startHarness, steppedClock } from "@annex/testing";
import { describe, expect, test } from "vitest";
import type { Authorizer } from "../authorization/index.ts";
import { defineResource, scaleSubresource } from "../definition/index.ts";
import { memoryStorage, type Storage } from "../storage/index.ts";

const schema = {
  spec: t.object({
    color: t.optional(t.string()),
    size: t.integer({ default: 1 }),
    tags: t.optional(t.set(t.string())),
    replicas: t.optional(t.integer()),
  }),
  status: t.object({ phase: t.optional(t.string()) }),
};
const Thing = defineResource({
  group: "example.com",
  kind: "Thing",
  scope: "Namespaced",
  statusSubresource: true,
  subresources: { scale: scaleSubresource({ specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" }) },
  versions: {
    v1: { storage: true, schema },
    v1beta1: {
      schema: { spec: t.object({ colour: t.optional(t.string()), size: t.integer({ default: 1 }) }), status: schema.status },
      toStorage: ({ spec: { colour, ...spec }, ...object }) => ({ ...object, spec: { ...spec, color: colour } }),
      fromStorage: ({ spec: { color, size }, ...object }) => ({ ...object, spec: { size, colour: color } }),
    },
  },
});
const THINGS = "/apis/example.com/v1/namespaces/default/things";
const APPLY = { "content-type": "application/apply-patch+yaml" };

const thing = (spec: object, metadata: object = {}, apiVersion = "example.com/v1") => ({
  apiVersion,
  kind: "Thing",
  metadata: { name: "a", ...metadata },
  spec,
});
const apply = (server: Harness, body: unknown, manager = "me", more = "", path = `${THINGS}/a`) =>
  server.request("PATCH", `${path}?fieldManager=${manager}${more}`, { headers: APPLY, body });
const owned = (response: { json: () => { metadata: { managedFields?: unknown } } }) =>
  (response.json().metadata.managedFields as { manager: string; fieldsV1: unknown; subresource?: string }[]).map(
    ({ manager, fieldsV1, subresource }) => ({
      manager,
      fieldsV1,
      ...(subresource === undefined ? {} : { subresource }),
    }),
  );

describe("server-side apply", () => {
  test("creates what is in deletion already, as no POST does; such an object stays for its grace period", async () => {
    await using server = await startHarness([Thing]);
    const inDeletion = { deletionTimestamp: "2020-01-01T00:00:00Z", deletionGracePeriodSeconds: 5 };
    const posted = await server.request("POST", THINGS, { body: thing({}, { ...inDeletion, name: "b" }) });
    expect(posted.json().metadata).not.toHaveProperty("deletionTimestamp");
    const created = await apply(server, thing({}, { ...inDeletion, finalizers: ["example.com/x"] }));
    expect([created.status, created.json().metadata]).toEqual([201, expect.objectContaining(inDeletion)]);
    // The timestamp is in the past: only the grace period ends, and generation counts no second beginning.
    const deleted = await server.request("DELETE", `${THINGS}/a`);
    expect(deleted.json().metadata).toMatchObject({ ...inDeletion, deletionGracePeriodSeconds: 0, generation: 1 });
    const without = await apply(server, thing({}, { ...inDeletion, name: "c" }), "me", "", `${THINGS}/c`);
    expect([without.status, without.json().metadata]).toEqual([201, expect.objectContaining(inDeletion)]);
    expect((await apply(server, thing({ size: 3 }, { ...inDeletion, name: "c" }), "me", "", `${THINGS}/c`)).status).toBe(200);
    expect((await server.request("GET", `${THINGS}/c`)).status).toBe(200);
    expect((await server.request("DELETE", `${THINGS}/c`)).status).toBe(200);
    expect((await server.request("GET", `${THINGS}/c`)).status).toBe(404);
  });

  test("a deletion that is applied for later begins when somebody deletes", async () => {
    await using server = await startHarness([Thing], { clock: steppedClock(Date.parse("2024-05-06T07:08:09Z")) });
    const later = { deletionTimestamp: "2124-01-01T00:00:00Z", finalizers: ["example.com/x"] };
    expect((await apply(server, thing({}, later))).status).toBe(201);
    const { metadata } = (await server.request("DELETE", `${THINGS}/a`)).json();
    expect(metadata).toMatchObject({ deletionTimestamp: "2024-05-06T07:08:09Z", deletionGracePeriodSeconds: 0, generation: 2 });
  });

  test("creates with 201, then changes with 200, and defaults belong to nobody", async () => {
    await using server = await startHarness([Thing]);
    const created = await apply(server, thing({ color: "red" }));
    expect(created.status, created.text).toBe(201);
    expect(created.json()).toMatchObject({ metadata: { name: "a", namespace: "default", generation: 1 }, spec: { color: "red", size: 1 } });
    expect(owned(created)).toEqual([{ manager: "me", fieldsV1: { "f:spec": { "f:color": {} } } }]);
    const changed = await apply(server, thing({ size: 2 }));
    expect([changed.status, changed.json().spec]).toEqual([200, { size: 2 }]);
    expect(owned(changed)).toEqual([{ manager: "me", fieldsV1: { "f:spec": { "f:size": {} } } }]);
  });

  test("in YAML, too", async () => {
    await using server = await startHarness([Thing]);
    const body = "apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: a\nspec:\n  color: red\n";
    const created = await server.request("PATCH", `${THINGS}/a?fieldManager=me`, { headers: APPLY, body });
    expect([created.status, created.json().spec]).toEqual([201, { color: "red", size: 1 }]);
  });

  test("that changes nothing is no write", async () => {
    const clock = steppedClock();
    await using server = await startHarness([Thing], { clock });
    const created = (await apply(server, thing({ color: "red" }))).json();
    await clock.step(5_000);
    expect((await apply(server, thing({ color: "red" }))).json()).toEqual(created);
  });

  test("is refused where another owns, and taken by force", async () => {
    await using server = await startHarness([Thing]);
    await apply(server, thing({ color: "red" }));
    const refused = await apply(server, thing({ color: "blue" }), "other");
    expect([refused.status, refused.json().message]).toEqual([409, 'Apply failed with 1 conflict: conflict with "me": .spec.color']);
    const forced = await apply(server, thing({ color: "blue" }), "other", "&force=true");
    expect([forced.status, owned(forced)]).toEqual([200, [{ manager: "other", fieldsV1: { "f:spec": { "f:color": {} } } }]]);
  });

  test("in a dry run neither creates nor changes", async () => {
    await using server = await startHarness([Thing]);
    expect((await apply(server, thing({ color: "red" }), "me", "&dryRun=All")).status).toBe(201);
    expect((await server.request("GET", `${THINGS}/a`)).status).toBe(404);
    await apply(server, thing({ color: "red" }));
    expect((await apply(server, thing({ color: "blue" }), "me", "&dryRun=All")).json().spec).toEqual({ color: "blue", size: 1 });
    expect((await server.request("GET", `${THINGS}/a`)).json().spec).toEqual({ color: "red", size: 1 });
  });

  test("in two versions of one object", async () => {
    await using server = await startHarness([Thing]);
    await apply(server, thing({ color: "red", size: 2 }));
    const path = `${THINGS.replace("v1", "v1beta1")}/a`;
    const refused = await apply(server, thing({ colour: "blue" }, {}, "example.com/v1beta1"), "other", "", path);
    expect([refused.status, refused.json().message]).toEqual([409, 'Apply failed with 1 conflict: conflict with "me": .spec.color']);
    const moved = await apply(server, thing({ colour: "red" }, {}, "example.com/v1beta1"), "me", "", path);
    expect([moved.status, moved.json().spec]).toEqual([200, { colour: "red", size: 1 }]);
    expect(owned(moved)).toEqual([{ manager: "me", fieldsV1: { "f:spec": { "f:colour": {} } } }]);
  });

  test("takes away all that an author's conversion reads, in an object of two versions", async () => {
    await using server = await startHarness([Thing]);
    const old = `${THINGS.replace("v1", "v1beta1")}/a`;
    await apply(server, thing({ colour: "red", size: 3 }, {}, "example.com/v1beta1"), "me", "", old);
    const emptied = await apply(server, { apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "a" } });
    expect([emptied.status, emptied.json().spec]).toEqual([200, { size: 1 }]);
    expect(emptied.json().metadata.managedFields).toBeUndefined();
  });

  test("takes away in two versions what conversions that rely on required fields can not see whole", async () => {
    const Probe = defineResource({
      group: "example.com",
      kind: "Probe",
      scope: "Namespaced",
      versions: {
        v1: {
          storage: true,
          schema: { spec: t.object({ size: t.optional(t.integer()), color: t.string(), list: t.array(t.object({ name: t.string() })) }) },
        },
        v1beta1: {
          schema: { spec: t.object({ size: t.optional(t.integer()), colour: t.string(), names: t.array(t.string()) }) },
          toStorage: ({ spec: { size, colour, names } }) => ({
            spec: { size, color: colour.toLowerCase(), list: names.map((name) => ({ name: name.toLowerCase() })) },
          }),
          fromStorage: ({ spec: { size, color, list } }) => ({
            spec: { size, colour: color.toLowerCase(), names: list.map(({ name }) => name.toLowerCase()) },
          }),
        },
      },
    });
    await using server = await startHarness([Probe]);
    const probe = (version: string, spec: object, manager: string) =>
      apply(
        server,
        { apiVersion: `example.com/${version}`, kind: "Probe", metadata: { name: "a" }, spec },
        manager,
        "&force=true",
        `/apis/example.com/${version}/namespaces/default/probes/a`,
      );
    await probe("v1", { color: "blue", list: [{ name: "x" }] }, "one");
    expect((await probe("v1beta1", { size: 3, colour: "blue" }, "two")).json().spec).toEqual({ size: 3, colour: "blue", names: ["x"] });
    const left = await probe("v1beta1", { colour: "blue" }, "two");
    expect([left.status, left.json().spec]).toEqual([200, { colour: "blue", names: ["x"] }]);
    const wrong = await probe("v1beta1", { colour: "blue", names: [null] }, "two");
    expect([wrong.status, wrong.json().message]).toEqual([
      422,
      'Probe.example.com "a" is invalid: spec.names[0]: Invalid value: "null": spec.names[0] in body must be of type string: "null"',
    ]);
  });

  test("shows the resourceVersion of a new object to a dry run only", async () => {
    await using server = await startHarness([Thing]);
    const dry = await apply(server, thing({}, { resourceVersion: "5" }), "me", "&dryRun=All");
    expect([dry.status, dry.json().metadata.resourceVersion]).toEqual([201, "5"]);
    const made = await apply(server, thing({}, { resourceVersion: "5" }));
    expect([made.status, made.json().metadata.resourceVersion]).toEqual([201, expect.not.stringMatching(/^5$/)]);
  });

  test("of status at its place", async () => {
    await using server = await startHarness([Thing], { clock: steppedClock() });
    const status = { ...thing({}), status: { phase: "Done" } };
    expect((await apply(server, status, "me", "", `${THINGS}/a/status`)).status).toBe(404);
    const created = await apply(server, { ...thing({ color: "red" }), status: { phase: "Done" } });
    expect(created.json().status).toEqual({});
    const applied = await apply(server, status, "controller", "", `${THINGS}/a/status`);
    expect(applied.json()).toMatchObject({ spec: { color: "red" }, status: { phase: "Done" } });
    expect(owned(applied)).toEqual([
      { manager: "controller", fieldsV1: { "f:status": { "f:phase": {} } }, subresource: "status" },
      { manager: "me", fieldsV1: { "f:spec": { "f:color": {} } } },
    ]);
  });

  test("takes the spellings that an author's kind takes, and of a compiled-in one only the schema's", async () => {
    const withText = (isBuiltIn: boolean) =>
      defineResource({
        group: "example.com",
        kind: "Thing",
        scope: "Namespaced",
        isBuiltIn,
        versions: {
          v1: {
            schema: { spec: t.object({ size: t.optional(t.string()) }) },
            normalize: ({ spec, ...object }) => ({ ...object, spec: { size: String((spec as { size?: unknown } | undefined)?.size) } }),
          },
        },
      });
    await using server = await startHarness([withText(false)]);
    const applied = await apply(server, thing({ size: 5 }));
    expect(applied.json().spec, applied.text).toEqual({ size: "5" });
    expect(owned(applied)).toEqual([{ manager: "me", fieldsV1: { "f:spec": { "f:size": {} } } }]);
    await using strict = await startHarness([withText(true)]);
    expect((await apply(strict, thing({ size: 5 }))).json().message).toContain(".spec.size: expected string, got scalar");
  });

  test("of a scale", async () => {
    await using server = await startHarness([Thing]);
    await apply(server, thing({ color: "red", replicas: 2 }));
    const scale = (replicas: number) => ({ apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "a" }, spec: { replicas } });
    const refused = await apply(server, scale(3), "scaler", "", `${THINGS}/a/scale`);
    expect([refused.status, refused.json().message]).toEqual([409, 'Apply failed with 1 conflict: conflict with "me": .spec.replicas']);
    const scaled = await apply(server, scale(3), "scaler", "&force=true", `${THINGS}/a/scale`);
    expect([scaled.status, scaled.json().spec]).toEqual([200, { replicas: 3 }]);
    expect(owned(await server.request("GET", `${THINGS}/a`))).toEqual([
      { manager: "scaler", fieldsV1: { "f:spec": { "f:replicas": {} } }, subresource: "scale" },
      { manager: "me", fieldsV1: { "f:spec": { "f:color": {} } } },
    ]);
    const stopped = await apply(server, scale(0), "scaler", "", `${THINGS}/a/scale`);
    expect(stopped.status, stopped.text).toBe(200);
    expect((await server.request("GET", `${THINGS}/a`)).json().spec).toMatchObject({ replicas: 0 });
    expect((await apply(server, scale(3), "scaler", "", `${THINGS}/b/scale`)).status).toBe(404);
  });

  test.each<{ name: string; body: unknown; more?: string; code: number; message: RegExp | string }>([
    {
      name: "a body that is no YAML",
      body: "a: b: c",
      code: 400,
      message: "error decoding YAML: error converting YAML to JSON: yaml: mapping values are not allowed in this context",
    },
    { name: "a body that is no object", body: "[1]", code: 400, message: "error decoding YAML: the configuration must be an object" },
    { name: "nothing", body: "", code: 400, message: "invalid object type: /, Kind=" },
    { name: "another kind", body: { ...thing({}), kind: "Other" }, code: 400, message: "invalid object type: example.com/v1, Kind=Other" },
    {
      name: "another name",
      body: thing({}, { name: "b" }),
      code: 400,
      message: "the name of the object (b) does not match the name on the URL (a)",
    },
    {
      name: "another namespace",
      body: thing({}, { namespace: "b" }),
      code: 400,
      message: "the namespace of the provided object does not match the namespace sent on the request",
    },
    {
      name: "an object of another uid",
      body: thing({}, { uid: "u" }),
      code: 409,
      message:
        'Operation cannot be fulfilled on things.example.com "a": uid mismatch: the provided object specified uid u, and no existing object was found',
    },
    {
      name: "an unknown field, whatever fieldValidation says",
      body: thing({ shade: "x" }),
      more: "&fieldValidation=Ignore",
      code: 400,
      message: "failed to create typed patch object (/a; example.com/v1, Kind=Thing): .spec.shade: field not declared in schema",
    },
    {
      name: "a key twice",
      body: "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\nspec:\n  color: a\n  color: b\n",
      more: "&fieldValidation=Strict",
      code: 400,
      message: 'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 6: key "color" already set in map',
    },
    {
      name: "a value that metadata cannot have",
      body: thing({}, { creationTimestamp: "yesterday" }),
      code: 400,
      message: 'failed to convert the applied object: parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
    },
    { name: "what the schema refuses", body: thing({ size: 1.5 }), code: 422, message: /^Thing.example.com "a" is invalid: .*spec.size: / },
  ])("refuses $name", async ({ body, more = "", code, message }) => {
    await using server = await startHarness([Thing]);
    const response = await apply(server, body, "me", more);
    expect(response.json()).toMatchObject({ code, message: typeof message === "string" ? message : expect.stringMatching(message) });
    expect((await server.request("GET", `${THINGS}/a`)).status).toBe(404);
  });

  test("warns of a key that stands twice", async () => {
    await using server = await startHarness([Thing]);
    const body = '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"a"},"spec":{"size":3,"size":4}}';
    const response = await server.request("PATCH", `${THINGS}/a?fieldManager=me`, { headers: APPLY, body });
    expect(response.headers.warning).toEqual(['299 - "line 1: key \\"size\\" already set in map"']);
  });

  test("a resourceVersion must be the present one's", async () => {
    await using server = await startHarness([Thing]);
    const { resourceVersion } = (await apply(server, thing({ color: "a" }, { resourceVersion: "1" }))).json().metadata;
    expect((await apply(server, thing({ color: "b" }, { resourceVersion: "1" }))).status).toBe(409);
    expect((await apply(server, thing({ color: "b" }, { resourceVersion }))).status).toBe(200);
  });

  test("who may patch may not therefore create", async () => {
    const authorizer: Authorizer = {
      authorize: async (attributes) => ({
        decision: attributes.type === "resource" && attributes.verb === "create" ? "NoOpinion" : "Allow",
        reason: "",
      }),
    };
    await using server = await startHarness([Thing], { authorizer });
    const response = await server.request("PATCH", `${THINGS}/a?fieldManager=me`, { headers: APPLY, body: thing({ color: "red" }), user: ALICE });
    expect([response.status, response.json().message]).toEqual([
      403,
      'things.example.com "a" is forbidden: User "alice" cannot create resource "things" in API group "example.com" in the namespace "default"',
    ]);
    // What is wrong with the object is told before, as in Go.
    const invalid = thing({}, { labels: { "bad key!": "1" } });
    expect((await server.request("PATCH", `${THINGS}/a?fieldManager=me`, { headers: APPLY, body: invalid, user: ALICE })).status).toBe(422);
  });

  test("of an object that somebody else creates meanwhile changes that one", async () => {
    let raced: Harness | undefined;
    const memory = memoryStorage();
    const storage: Storage = Object.assign(Object.create(memory), {
      revisions: () => memory.revisions(),
      list: memory.list.bind(memory),
      watch: memory.watch.bind(memory),
      put: async (...args: Parameters<Storage["put"]>) => {
        const server = raced;
        raced = undefined;
        if (server !== undefined) await apply(server, thing({ size: 5 }), "other");
        return memory.put(...args);
      },
    });
    await using server = await startHarness([Thing], { storage });
    raced = server;
    const response = await apply(server, thing({ color: "red" }));
    expect([response.status, response.json().spec]).toEqual([200, { color: "red", size: 5 }]);
  });
});
