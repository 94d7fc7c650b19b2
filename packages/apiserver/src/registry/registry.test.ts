import { type KubernetesObject, t } from "@annex/apimachinery";
import { ALICE, type Harness, settled, startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import type { AdmissionPlugin } from "../admission/admission.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import { defineResource } from "../definition/index.ts";
import { memoryStorage, type Storage, StorageError } from "../storage/index.ts";

const Thing = defineResource({
  group: "example.com",
  kind: "Thing",
  scope: "Namespaced",
  statusSubresource: true,
  versions: {
    v1: {
      schema: { spec: t.object({ color: t.optional(t.string()), n: t.optional(t.integer()) }), status: t.object({ phase: t.optional(t.string()) }) },
    },
  },
  validate: ({ object, previous, invalid }) => {
    if (object.spec.color === "none") invalid("spec.color", "must be a color");
    if (previous !== undefined && object.spec.color !== previous.spec.color)
      invalid("spec.color", "field is immutable", { reason: "FieldValueForbidden" });
  },
});
const THINGS = "/apis/example.com/v1/namespaces/default/things";

const thing = (name: string | undefined, spec: object = {}, metadata: object = {}) => ({
  apiVersion: "example.com/v1",
  kind: "Thing",
  metadata: { ...(name === undefined ? {} : { name }), ...metadata },
  spec,
});
const merge = { "content-type": "application/merge-patch+json" };

async function created(server: Harness, ...args: Parameters<typeof thing>) {
  const response = await server.request("POST", THINGS, { body: thing(...args) });
  expect(response.status, response.text).toBe(201);
  return response.json();
}

describe("create", () => {
  test("what the server decides is the server's", async () => {
    await using server = await startHarness([Thing]);
    const sent = {
      uid: "u",
      creationTimestamp: "2001-01-01T00:00:00Z",
      deletionTimestamp: "2001-01-01T00:00:00Z",
      generation: 9,
      selfLink: "/x",
      labels: {},
    };
    const { metadata, status } = await created(server, "a", {}, sent);
    expect(Object.keys(metadata).sort()).toEqual(["creationTimestamp", "generation", "managedFields", "name", "namespace", "resourceVersion", "uid"]);
    expect(metadata).toMatchObject({ generation: 1, namespace: "default" });
    expect(metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(metadata.creationTimestamp).not.toBe(sent.creationTimestamp);
    expect(status).toEqual({});
  });

  test("status is nobody's yet, whatever was sent", async () => {
    await using server = await startHarness([Thing]);
    const body = { ...thing("a", { n: 1 }), status: { phase: "Done" } };
    const object = (await server.request("POST", THINGS, { body })).json();
    expect(object.status).toEqual({});
    expect(object.metadata.managedFields.map(({ fieldsV1 }) => fieldsV1)).toEqual([{ "f:spec": { ".": {}, "f:n": {} } }]);
  });

  test.each([
    { body: thing("a", {}, { resourceVersion: "5" }), code: 400, message: "resourceVersion should not be set on objects to be created" },
    {
      body: thing("a", {}, { namespace: "other" }),
      code: 400,
      message: "the namespace of the provided object does not match the namespace sent on the request",
    },
    {
      body: thing(undefined),
      code: 422,
      message: 'Thing.example.com "" is invalid: metadata.name: Required value: name or generateName is required',
    },
    {
      body: thing("a", { color: "none" }),
      code: 422,
      message: 'Thing.example.com "a" is invalid: spec.color: Invalid value: "none": must be a color',
    },
  ])("$code $message", async ({ body, code, message }) => {
    await using server = await startHarness([Thing]);
    expect((await server.request("POST", THINGS, { body })).json()).toMatchObject({ code, message });
    expect((await server.request("GET", THINGS)).json().items).toEqual([]);
  });

  test("a taken name is 409, and says when its owner is on its way out", async () => {
    await using server = await startHarness([Thing]);
    await created(server, "a", {}, { finalizers: ["example.com/hold"] });
    const again = () => server.request("POST", THINGS, { body: thing("a") });
    expect((await again()).json()).toMatchObject({ code: 409, reason: "AlreadyExists", message: 'things.example.com "a" already exists' });
    await server.request("DELETE", `${THINGS}/a`);
    expect((await again()).json()).toMatchObject({ code: 409, message: 'object is being deleted: things.example.com "a" already exists' });
  });

  test("a generated name is tried anew, and given up on with a retry", async () => {
    let byte = 0;
    const random = { uuid: () => crypto.randomUUID(), bytes: (length: number) => new Uint8Array(length).fill(byte) };
    const canonicalize = (object: KubernetesObject) => ({
      ...object,
      metadata: { ...object.metadata, labels: { "example.com/name": object.metadata.name ?? "" } },
    });
    const labelled = { ...Thing, hooks: { ...Thing.hooks, canonicalize } };
    await using server = await startHarness([labelled], { random: { ...random, bytes: (length) => new Uint8Array(length).fill(byte++ >> 2) } });
    const names = [];
    for (let count = 0; count < 3; count++) {
      const { name, labels } = (await created(server, undefined, {}, { generateName: "x-" })).metadata;
      names.push(name);
      expect(labels).toEqual({ "example.com/name": name });
    }
    expect(new Set(names).size).toBe(3);
    expect(names[0]).toBe("x-bbbbb");

    byte = 0;
    await using stuck = await startHarness([Thing], { random });
    await created(stuck, undefined, {}, { generateName: "x-" });
    const refused = (await stuck.request("POST", THINGS, { body: thing(undefined, {}, { generateName: "x-" }) })).json();
    expect(refused).toMatchObject({
      code: 409,
      message: 'things.example.com "x-bbbbb" already exists, the server was not able to generate a unique name for the object',
      details: { name: "x-bbbbb", retryAfterSeconds: 1 },
    });
  });

  test("a dry run keeps nothing, and finds out what a real one would", async () => {
    await using server = await startHarness([Thing]);
    const dry = await server.request("POST", `${THINGS}?dryRun=All`, { body: thing("a") });
    expect(dry.status).toBe(201);
    expect(dry.json().metadata).not.toHaveProperty("resourceVersion");
    expect((await server.request("GET", THINGS)).json().items).toEqual([]);
    await created(server, "a");
    expect((await server.request("POST", `${THINGS}?dryRun=All`, { body: thing("a") })).status).toBe(409);
  });

  test("owner references that stand twice stand once, with a warning", async () => {
    await using server = await startHarness([Thing]);
    const owner = { apiVersion: "v1", kind: "Owner", name: "o", uid: "u" };
    const body = thing("a", {}, { ownerReferences: [owner, { ...owner, name: "p" }, owner] });
    const response = await server.request("POST", THINGS, { body });
    expect(response.json().metadata.ownerReferences).toEqual([owner, { ...owner, name: "p" }]);
    expect(response.headers.warning).toEqual([
      expect.stringMatching(/^299 - "\.metadata\.ownerReferences contains duplicate entries;.* duplicate UID\(s\) observed: u"$/),
    ]);

    // None stands twice, all name the same object: looking through them takes no longer than reading them.
    const many = Array.from({ length: 20_000 }, (_, index) => ({ ...owner, name: `o-${index}` }));
    const began = performance.now();
    const kept = await server.request("POST", THINGS, { body: thing("many", {}, { ownerReferences: many }) });
    expect(kept.json().metadata.ownerReferences).toHaveLength(many.length);
    expect(performance.now() - began).toBeLessThan(5_000);

    const warning = async (method: string, headers: Record<string, string> = {}) => {
      const name = `${THINGS}/absent`;
      const path = method === "PATCH" ? `${THINGS}/${(await created(server, undefined, {}, { generateName: "p-" })).metadata.name}` : name;
      const sent = method === "PATCH" ? { metadata: { ownerReferences: [owner, owner] } } : thing("absent", {}, { ownerReferences: [owner, owner] });
      const answer = await server.request(method, path, { body: sent, headers });
      return { status: answer.status, warning: answer.headers.warning };
    };
    // Before anything else is done with what was sent; and of a patch, when it is known what it makes.
    expect(await warning("PUT")).toEqual({ status: 404, warning: [expect.stringMatching(/contains duplicate entries; API server/)] });
    expect(await warning("PATCH", { "content-type": "application/merge-patch+json" })).toEqual({
      status: 200,
      warning: [expect.stringMatching(/contains duplicate entries after mutating admission happens; API server/)],
    });
  });

  test("a resourceVersion is no client's to give; 0 and what is no number are none", async () => {
    await using server = await startHarness([Thing]);
    const post = async (name: string, resourceVersion: string) =>
      (await server.request("POST", THINGS, { body: thing(name, {}, { resourceVersion }) })).status;
    expect([await post("a", "5"), await post("b", "abc"), await post("c", "0")]).toEqual([400, 201, 201]);
  });

  test("deletionGracePeriodSeconds of an object that is being deleted stays", async () => {
    await using server = await startHarness([Thing]);
    await created(server, "a", {}, { finalizers: ["example.com/hold"] });
    await server.request("DELETE", `${THINGS}/a`);
    const headers = { "content-type": "application/merge-patch+json" };
    const patch = (seconds: number) =>
      server.request("PATCH", `${THINGS}/a`, { body: { metadata: { deletionGracePeriodSeconds: seconds } }, headers });
    expect((await patch(0)).status).toBe(200);
    expect((await patch(5)).json()).toMatchObject({
      code: 422,
      message: 'Thing.example.com "a" is invalid: metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable',
      details: { causes: [{ field: "metadata.deletionGracePeriodSeconds" }, { field: "metadata.deletionGracePeriodSeconds" }] },
    });
  });

  test("a name that is taken, of an object that could have had another", async () => {
    await using server = await startHarness([Thing]);
    await created(server, "a");
    const refused = await server.request("POST", THINGS, { body: thing("a", {}, { generateName: "x-" }) });
    expect(refused.json()).toMatchObject({ code: 409, details: { name: "a", retryAfterSeconds: 1 } });
    await created(server, "b", {}, { finalizers: ["example.com/hold"] });
    await server.request("DELETE", `${THINGS}/b`);
    const isLeaving = (await server.request("POST", THINGS, { body: thing("b", {}, { generateName: "x-" }) })).json();
    expect(isLeaving).toMatchObject({
      message: expect.stringMatching(/^object is being deleted: things\.example\.com "b" already exists, the server was/),
    });
  });
});

describe("update", () => {
  const put = (server: Harness, body: object, query = "") => server.request("PUT", `${THINGS}/a${query}`, { body });

  test("a PUT needs the present resourceVersion, and a right uid", async () => {
    await using server = await startHarness([Thing]);
    const object = await created(server, "a");
    const { uid, resourceVersion } = object.metadata;
    const at = (metadata: object) => put(server, thing("a", { n: 1 }, metadata));
    expect((await at({})).json()).toMatchObject({
      code: 422,
      message: expect.stringContaining("metadata.resourceVersion: Invalid value: 0: must be specified for an update"),
    });
    expect((await at({ resourceVersion: "0" })).json()).toMatchObject({ code: 422 });
    expect((await at({ resourceVersion: "1" })).json()).toMatchObject({ code: 409, reason: "Conflict" });
    expect((await at({ resourceVersion, uid: "other" })).json()).toMatchObject({
      code: 409,
      message: `Operation cannot be fulfilled on things.example.com "a": Precondition failed: UID in precondition: other, UID in object meta: ${uid}`,
    });
    expect((await at({ resourceVersion })).status).toBe(200);
  });

  test("generation counts what is neither metadata nor status", async () => {
    await using server = await startHarness([Thing]);
    const object = await created(server, "a", { n: 1 });
    const patch = async (body: object, place = "a") =>
      (await server.request("PATCH", `${THINGS}/${place}`, { body, headers: merge })).json().metadata.generation;
    expect(object.metadata.generation).toBe(1);
    expect(await patch({ metadata: { labels: { x: "1" } } })).toBe(1);
    expect(await patch({ status: { phase: "Done" } }, "a/status")).toBe(1);
    expect(await patch({ metadata: { generation: 7 } })).toBe(1);
    expect(await patch({ spec: { n: 2 } })).toBe(2);
  });

  test("status is written through its subresource alone, and nothing else there", async () => {
    await using server = await startHarness([Thing]);
    const object = await created(server, "a", { n: 1 });
    const main = (await put(server, { ...object, status: { phase: "Done" } })).json();
    expect(main).toEqual(object);
    const status = (
      await put(server, { ...object, spec: { n: 5 }, metadata: { ...object.metadata, labels: { x: "1" } }, status: { phase: "Done" } }, "/status")
    ).json();
    expect(status).toMatchObject({ spec: { n: 1 }, status: { phase: "Done" } });
    expect(status.metadata).not.toHaveProperty("labels");
    expect(status.metadata.managedFields.map(({ subresource }) => subresource)).toEqual([undefined, "status"]);
  });

  test("what changes nothing is no write", async () => {
    await using server = await startHarness([Thing]);
    const object = await created(server, "a", { n: 1 }, { labels: { x: "1" } });
    expect((await put(server, object)).json()).toEqual(object);
    const patched = await server.request("PATCH", `${THINGS}/a?fieldManager=other`, { body: { spec: { n: 1 } }, headers: merge });
    expect(patched.json()).toEqual(object);
  });

  const Made = defineResource({
    group: "example.com",
    kind: "Made",
    scope: "Cluster",
    allowsCreateOnUpdate: true,
    versions: { v1: { schema: {} } },
  });

  test("a PUT to a new name creates where the kind wants it", async () => {
    await using server = await startHarness([Thing, Made]);
    expect((await put(server, thing("a"))).status).toBe(404);
    const body = { apiVersion: "example.com/v1", kind: "Made", metadata: { name: "m" } };
    const made = await server.request("PUT", "/apis/example.com/v1/mades/m", { body });
    expect(made.status).toBe(201);
    expect(made.json().metadata.uid).toBeDefined();
    expect((await server.request("PATCH", "/apis/example.com/v1/mades/n", { body, headers: merge })).status).toBe(404);
  });

  // Asked of kube-apiserver, with roles and bindings.
  test.each([
    { metadata: { uid: "x" }, want: [409, "Precondition failed: UID in precondition: x, UID in object meta: "] },
    { metadata: { uid: "x", resourceVersion: "5" }, want: [409, "Precondition failed: UID in precondition: x, UID in object meta: "] },
    { metadata: { resourceVersion: "5" }, want: [201, undefined] },
    { metadata: { resourceVersion: "abc" }, want: [400, 'strconv.ParseUint: parsing "abc": invalid syntax'] },
  ])("a PUT that would create, with $metadata: $want.0", async ({ metadata, want: [code, message] }) => {
    await using server = await startHarness([Made]);
    const body = { apiVersion: "example.com/v1", kind: "Made", metadata: { name: "m", ...metadata } };
    for (const query of ["?dryRun=All", ""]) {
      const answer = await server.request("PUT", `/apis/example.com/v1/mades/m${query}`, { body });
      expect(answer.status).toBe(code);
      if (message !== undefined) expect(answer.json().message).toContain(message);
      else if (query !== "") expect(answer.json().metadata.resourceVersion).toBe("5");
    }
    expect((await server.request("GET", "/apis/example.com/v1/mades/m")).status).toBe(code === 201 ? 200 : 404);
  });

  // Asked of kube-apiserver, where the former is a 500.
  test.each([
    { resourceVersion: "abc", want: 400 },
    { resourceVersion: "-1", want: 400 },
    { resourceVersion: "5", want: 201 },
  ])("an apply that would create, at $resourceVersion: $want", async ({ resourceVersion, want }) => {
    await using server = await startHarness([Thing]);
    const headers = { "content-type": "application/apply-patch+yaml" };
    const answer = await server.request("PATCH", `${THINGS}/a?fieldManager=m`, { body: thing("a", {}, { resourceVersion }), headers });
    expect(answer.status).toBe(want);
    expect((await server.request("GET", `${THINGS}/a`)).status).toBe(want === 201 ? 200 : 404);
  });

  test("a PUT that creates asks for the right to create", async () => {
    const verbs = ["update"];
    const authorizer: Authorizer = {
      authorize: async ({ verb }) => ({ decision: verbs.includes(verb) ? "Allow" : "NoOpinion", reason: "" }),
    };
    await using server = await startHarness([Made], { authorizer });
    const body = { apiVersion: "example.com/v1", kind: "Made", metadata: { name: "m" } };
    expect((await server.request("PUT", "/apis/example.com/v1/mades/m", { body, user: ALICE })).json()).toMatchObject({
      code: 403,
      message: 'mades.example.com "m" is forbidden: User "alice" cannot create resource "mades" in API group "example.com" at the cluster scope',
    });
    verbs.push("create");
    expect((await server.request("PUT", "/apis/example.com/v1/mades/m", { body, user: ALICE })).status).toBe(201);
  });

  test("a lost race is run again, with the rules, on what is there then", async () => {
    await using server = await startHarness([Thing]);
    await created(server, "a", { n: 0 });
    const add = (key: string) => server.request("PATCH", `${THINGS}/a`, { body: { metadata: { labels: { [key]: "1" } } }, headers: merge });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => add(`k${index}`)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(Object.keys((await server.request("GET", `${THINGS}/a`)).json().metadata.labels)).toHaveLength(20);
  });

  test("the kind's own rules see what was there before", async () => {
    await using server = await startHarness([Thing]);
    const object = await created(server, "a", { color: "red" });
    expect((await put(server, { ...object, spec: { color: "blue" } })).json()).toMatchObject({
      code: 422,
      details: { causes: [{ reason: "FieldValueForbidden", field: "spec.color", message: "Forbidden: field is immutable" }] },
    });
  });
});

describe("delete", () => {
  test("finalizers hold an object, and the last one to go takes it along", async () => {
    await using server = await startHarness([Thing]);
    const held = await created(server, "a", {}, { finalizers: ["example.com/one", "example.com/two"] });
    const deleted = await server.request("DELETE", `${THINGS}/a`);
    expect(deleted.json()).toMatchObject({ kind: "Thing", metadata: { deletionGracePeriodSeconds: 0, generation: 2, uid: held.metadata.uid } });
    expect((await server.request("DELETE", `${THINGS}/a`)).json()).toEqual(deleted.json());
    const finalizers = (left: readonly string[]) =>
      server.request("PATCH", `${THINGS}/a`, { body: { metadata: { finalizers: left } }, headers: merge });
    expect((await finalizers(["example.com/one", "example.com/three"])).json()).toMatchObject({ code: 422 });
    expect((await finalizers(["example.com/two"])).status).toBe(200);
    expect((await server.request("GET", `${THINGS}/a`)).status).toBe(200);
    expect((await finalizers([])).status).toBe(200);
    expect((await server.request("GET", `${THINGS}/a`)).status).toBe(404);
  });

  test("preconditions", async () => {
    await using server = await startHarness([Thing]);
    const { metadata } = await created(server, "a");
    const remove = (preconditions: object) => server.request("DELETE", `${THINGS}/a`, { body: { preconditions } });
    expect((await remove({ uid: "other" })).json()).toMatchObject({
      code: 409,
      message: `Operation cannot be fulfilled on Thing.example.com "a": the UID in the precondition (other) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    });
    expect((await remove({ resourceVersion: "1" })).status).toBe(409);
    expect((await remove({ uid: metadata.uid, resourceVersion: metadata.resourceVersion })).status).toBe(200);
  });

  test.each([
    { query: "propagationPolicy=Foreground", collected: ["foregroundDeletion"] },
    { query: "propagationPolicy=Orphan", collected: ["orphan"] },
    { query: "orphanDependents=true", collected: ["orphan"] },
    { query: "propagationPolicy=Background", collected: undefined },
    { query: "orphanDependents=false", collected: undefined },
    { query: "", collected: undefined },
  ])("'$query' sets a finalizer only where a garbage collector will take it away", async ({ query, collected }) => {
    await using with_ = await startHarness([Thing], { enableGarbageCollector: true });
    await created(with_, "a");
    const answer = (await with_.request("DELETE", `${THINGS}/a?${query}`)).json();
    expect(collected === undefined ? answer.kind : answer.metadata.finalizers).toEqual(collected ?? "Status");
    await using without = await startHarness([Thing]);
    await created(without, "a");
    expect((await without.request("DELETE", `${THINGS}/a?${query}`)).json().kind).toBe("Status");
  });

  test.each([
    { type: "application/json", body: '{"propagationPolicy":"Orphan","propagationPolicy":"Background","x":1}' },
    { type: "application/yaml", body: '{"propagationPolicy": "Orphan", "propagationPolicy": "Background", "x": 1}' },
  ])("of options that are said twice in $type the last counts, and nobody is warned", async ({ type, body }) => {
    await using server = await startHarness([Thing], { enableGarbageCollector: true });
    await created(server, "a");
    const answer = await server.request("DELETE", `${THINGS}/a?fieldValidation=Strict`, { body, headers: { "content-type": type } });
    expect(answer.json()).toMatchObject({ kind: "Status", status: "Success" });
    expect(answer.headers.warning).toBeUndefined();
  });

  test("what becomes of dependents can be asked for anew, as long as a deletion is held", async () => {
    await using server = await startHarness([Thing], { enableGarbageCollector: true });
    await created(server, "a", {}, { finalizers: ["example.com/one"] });
    const remove = async (query: string) => (await server.request("DELETE", `${THINGS}/a?${query}`)).json().metadata;
    const first = await remove("");
    expect(first.finalizers).toEqual(["example.com/one"]);
    const { finalizers, deletionTimestamp, generation } = await remove("propagationPolicy=Orphan");
    expect(finalizers).toEqual(["example.com/one", "orphan"]);
    expect({ deletionTimestamp, generation }).toEqual({ deletionTimestamp: first.deletionTimestamp, generation: first.generation });
    expect((await remove("propagationPolicy=Foreground")).finalizers).toEqual(["example.com/one", "foregroundDeletion"]);
    const { resourceVersion } = await remove("");
    expect(await remove("propagationPolicy=Foreground")).toMatchObject({ resourceVersion, finalizers: ["example.com/one", "foregroundDeletion"] });
    expect((await remove("propagationPolicy=Background")).finalizers).toEqual(["example.com/one"]);
  });

  test("orphanDependents=false of a held object is 202, as old clients know it", async () => {
    await using server = await startHarness([Thing]);
    await created(server, "a", {}, { finalizers: ["example.com/one"] });
    expect((await server.request("DELETE", `${THINGS}/a?orphanDependents=false`)).status).toBe(202);
  });

  test("a collection is what the selector says, and preconditions hold for each", async () => {
    await using server = await startHarness([Thing]);
    for (let n = 0; n < 40; n++) await created(server, `t${n}`, {}, { labels: { half: String(n % 2) } });
    await created(server, "held", {}, { labels: { half: "1" }, finalizers: ["example.com/one"] });
    const list = (await server.request("DELETE", `${THINGS}?labelSelector=half%3D1`)).json();
    expect(list).toMatchObject({ kind: "ThingList" });
    expect(list.items).toHaveLength(21);
    expect((await server.request("GET", THINGS)).json().items).toHaveLength(21);
    expect((await server.request("DELETE", THINGS, { body: { preconditions: { uid: "other" } } })).status).toBe(409);
    expect((await server.request("GET", THINGS)).json().items).toHaveLength(21);
    expect((await server.request("DELETE", `${THINGS}?dryRun=All`)).json().items).toHaveLength(21);
    expect((await server.request("GET", THINGS)).json().items).toHaveLength(21);
  });
});

describe("admission", () => {
  const plugin: AdmissionPlugin = {
    name: "test",
    mutate: async ({ object }) => ({
      ...object,
      metadata: { ...object.metadata, labels: {}, finalizers: [] },
      spec: { ...(object.spec as object), n: 7, unknown: true },
      status: { phase: "Mine" },
    }),
    validate: async ({ operation, previous }) => {
      if (operation === "DELETE" && previous?.metadata.name === "kept") throw new Error("a bug of the plugin");
    },
  };

  test("what it changed is pruned and defaulted, and its bugs are nobody's business", async () => {
    await using server = await startHarness([Thing], { admission: [plugin] });
    const { spec, metadata } = await created(server, "kept");
    expect(spec).toEqual({ n: 7 });
    expect(Object.keys(metadata)).toEqual(expect.not.arrayContaining(["labels", "finalizers"]));
    const failed = await server.request("DELETE", `${THINGS}/kept`);
    expect(failed.json()).toMatchObject({ code: 500, reason: "InternalError" });
    expect(failed.text).not.toContain("a bug of the plugin");
    expect(server.log).toContainEqual(expect.objectContaining({ level: "error", message: "a request failed" }));
  });
});

describe("managedFields that an admission plugin wrote", () => {
  const entry = { manager: "m", operation: "Update", apiVersion: "example.com/v1", fieldsType: "FieldsV1", fieldsV1: { "f:spec": {} } };

  test.each<{ name: string; managedFields: unknown; managers: string[] }>([
    { name: "are kept where they can be read", managedFields: [entry], managers: ["m"] },
    { name: "are those of before where an operation is unknown", managedFields: [{ ...entry, operation: "Merge" }], managers: ["tests"] },
    { name: "are those of before where fields are none", managedFields: [{ ...entry, fieldsV1: { spec: {} } }], managers: ["tests"] },
    { name: "are those of before where they are no list", managedFields: "none", managers: ["tests"] },
  ])("$name", async ({ managedFields, managers }) => {
    const plugin: AdmissionPlugin = {
      name: "test",
      mutate: async ({ object }) => ({ ...object, metadata: { ...object.metadata, managedFields } }) as typeof object,
    };
    await using server = await startHarness([Thing], { admission: [plugin] });
    const body = thing("a");
    const answers = [
      await server.request("POST", `${THINGS}?fieldManager=tests`, { body }),
      await server.request("PATCH", `${THINGS}/a?fieldManager=tests`, {
        body: { metadata: { labels: { a: "b" } } },
        headers: { "content-type": "application/merge-patch+json" },
      }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 200]);
    for (const answer of answers) {
      expect(answer.json().metadata.managedFields.map(({ manager }) => manager)).toEqual(managers);
      expect(String(answer.headers.warning ?? "").includes("was in an invalid state after admission")).toBe(managers[0] === "tests");
    }
  });
});

describe("storage that fails", () => {
  test("unavailable is 503, too large is 413, and nothing of it is told", async () => {
    const storage = memoryStorage();
    let failure: StorageError | undefined;
    const failing: Storage = Object.assign(Object.create(storage), {
      revisions: () => storage.revisions(),
      list: storage.list.bind(storage),
      watch: storage.watch.bind(storage),
      put: (...args: Parameters<Storage["put"]>) => (failure === undefined ? storage.put(...args) : Promise.reject(failure)),
    });
    await using server = await startHarness([Thing], { storage: failing });
    failure = new StorageError("Unavailable", "disk 7 is on fire");
    const unavailable = await server.request("POST", THINGS, { body: thing("a") });
    expect(unavailable.json()).toMatchObject({ code: 503, reason: "ServiceUnavailable" });
    expect(unavailable.text).not.toContain("disk 7");
    failure = new StorageError("ValueTooLarge", "the value has too many bytes");
    expect((await server.request("POST", THINGS, { body: thing("a") })).json()).toMatchObject({ code: 413, reason: "RequestEntityTooLarge" });
    await settled();
  });
});
