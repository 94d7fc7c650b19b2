import { forbidden, type Schema, t } from "@annex/apimachinery";
import { startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import type { AdmissionAttributes, AdmissionPlugin } from "../admission/admission.ts";
import { defineResource, type ScalePaths, scaleSubresource } from "./index.ts";

const PATHS = { specReplicasPath: ".spec.deep.count", statusReplicasPath: ".status.count", labelSelectorPath: ".status.selector" };
const schema = {
  spec: t.object({
    deep: t.optional(t.object({ count: t.optional(t.integer()) })),
    color: t.optional(t.string()),
  }),
  status: t.object({ count: t.optional(t.unknown()), selector: t.optional(t.unknown()) }),
};
const Gear = defineResource({
  group: "example.com",
  kind: "Gear",
  scope: "Namespaced",
  statusSubresource: true,
  subresources: { scale: scaleSubresource((version) => (version === "v1alpha1" ? undefined : PATHS)) },
  versions: {
    v1: { storage: true, schema },
    v1beta1: { deprecated: "old gears", schema, toStorage: (object) => object, fromStorage: (object) => object },
    v1alpha1: { schema, toStorage: (object) => object, fromStorage: (object) => object },
  },
});

const GEARS = "/apis/example.com/v1/namespaces/default/gears";
const SCALE = `${GEARS}/a/scale`;
const MERGE = { "content-type": "application/merge-patch+json" };
const gear = (count: number | undefined) => ({
  apiVersion: "example.com/v1",
  kind: "Gear",
  metadata: { name: "a" },
  spec: { color: "red", ...(count === undefined ? {} : { deep: { count } }) },
});
const scale = (replicas: unknown, metadata: object = {}) => ({
  apiVersion: "autoscaling/v1",
  kind: "Scale",
  metadata: { name: "a", ...metadata },
  spec: { replicas },
});

const odd = (paths: ScalePaths, fields: Readonly<Record<string, Schema>>) =>
  defineResource({
    group: "example.com",
    kind: "Odd",
    scope: "Namespaced",
    subresources: { scale: scaleSubresource(paths) },
    versions: { v1: { schema: fields } },
  });

async function startWith(count: number | undefined, plugins: AdmissionPlugin[] = []) {
  const server = await startHarness([Gear], { admission: plugins });
  await server.request("POST", `${GEARS}?fieldManager=creator`, { body: gear(count) });
  return {
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    get: async (path: string, headers = {}) => server.request("GET", path, { headers }),
    put: async (body: unknown, query = "") => (await server.request("PUT", SCALE + query, { body })).json(),
    patch: async (body: unknown, query = "", path = SCALE) => (await server.request("PATCH", path + query, { body, headers: MERGE })).json(),
    gear: async () => (await server.request("GET", `${GEARS}/a`)).json(),
  };
}

describe("reading a scale", () => {
  test("what stands between dots is the name of a field, brackets and all", async () => {
    const free = t.object({}, { "x-kubernetes-preserve-unknown-fields": true });
    const paths = { specReplicasPath: ".spec.r[0]", statusReplicasPath: ".status." };
    await using server = await startHarness([odd(paths, { spec: free, status: free })]);
    const odds = "/apis/example.com/v1/namespaces/default/odds";
    const body = { apiVersion: "example.com/v1", kind: "Odd", metadata: { name: "a" }, spec: { "r[0]": 3 }, status: { "": 2 } };
    await server.request("POST", odds, { body });
    const replicas = async () => (await server.request("GET", `${odds}/a/scale`)).json();
    expect(await replicas()).toMatchObject({ spec: { replicas: 3 }, status: { replicas: 2 } });
    await server.request("PATCH", `${odds}/a/scale`, { body: { spec: { replicas: 4 } }, headers: MERGE });
    expect((await server.request("GET", `${odds}/a`)).json().spec).toEqual({ "r[0]": 4 });
  });

  test("says what its parent has, and nothing else of it", async () => {
    await using server = await startWith(3);
    const { uid, resourceVersion, creationTimestamp } = (await server.gear()).metadata;
    const metadata = { name: "a", namespace: "default", uid, resourceVersion, creationTimestamp };
    expect((await server.get(SCALE)).json()).toEqual({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata,
      spec: { replicas: 3 },
      status: { replicas: 0 },
    });
    await server.patch({ status: { count: 2, selector: "a=b" } }, "", `${GEARS}/a/status`);
    expect((await server.get(SCALE)).json().status).toEqual({ replicas: 2, selector: "a=b" });
  });

  test("leaves a zero out, also of a table", async () => {
    await using server = await startWith(0);
    expect((await server.get(SCALE)).json().spec).toEqual({});
    const table = (await server.get(SCALE, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" })).json();
    expect(table.columnDefinitions.map(({ name }) => name)).toEqual(["Name", "Desired", "Available", "Age"]);
    expect(table.rows[0]?.cells.slice(0, 3)).toEqual(["a", null, 0]);
  });

  test("follows the versions of its parent", async () => {
    await using server = await startWith(3);
    const old = await server.get(SCALE.replace("/v1/", "/v1beta1/"));
    expect([old.json().spec, old.headers.warning]).toEqual([{ replicas: 3 }, ['299 - "old gears"']]);
    expect((await server.get(SCALE.replace("/v1/", "/v1alpha1/"))).status).toBe(404);
  });

  test("is an error while there is no number", async () => {
    await using server = await startWith(undefined);
    expect((await server.get(SCALE)).json()).toMatchObject({
      code: 500,
      message: 'Internal error occurred: the spec replicas field ".spec.deep.count" does not exist',
    });
  });
});

describe("writing a scale", () => {
  test("a path that the schema does not have leads nowhere", async () => {
    const paths = { specReplicasPath: ".spec.n", statusReplicasPath: ".status.n" };
    await using server = await startHarness([odd(paths, { spec: t.object({ color: t.string() }) })]);
    const odds = "/apis/example.com/v1/namespaces/default/odds";
    await server.request("POST", odds, { body: { apiVersion: "example.com/v1", kind: "Odd", metadata: { name: "a" }, spec: { color: "red" } } });
    expect((await server.request("PATCH", `${odds}/a/scale`, { body: { spec: { replicas: 4 } }, headers: MERGE })).status).toBe(200);
    expect((await server.request("GET", `${odds}/a`)).json().spec).toEqual({ color: "red" });
    expect((await server.request("GET", `${odds}/a/scale`)).json().code).toBe(500);
  });

  test("changes the number alone", async () => {
    await using server = await startWith(3);
    const before = await server.gear();
    const body = { ...scale(5, { labels: { a: "b" }, finalizers: ["x.example.com/y"] }), status: { replicas: 9, selector: "no" } };
    const written = await server.put(body);
    expect(written).toMatchObject({ kind: "Scale", spec: { replicas: 5 }, status: { replicas: 0 } });
    expect(written.metadata).not.toHaveProperty("labels");
    const after = await server.gear();
    expect(after).toEqual({
      ...before,
      metadata: { ...before.metadata, resourceVersion: written.metadata.resourceVersion, generation: 2, managedFields: expect.anything() },
      spec: { color: "red", deep: { count: 5 } },
    });
  });

  test("comes as protobuf, too", async () => {
    await using server = await startHarness([Gear]);
    await server.request("POST", GEARS, { body: gear(1) });
    // A Scale of the name "a" and three replicas, as k8s.io/api 0.36.3 writes it.
    const hex =
      "6b3873000a170a0e6175746f7363616c696e672f763112055363616c6512200a110a016112001a0022002a00320038004200120208031a0708021203613d621a002200";
    const body = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    const answer = await server.request("PUT", SCALE, { body, headers: { "content-type": "application/vnd.kubernetes.protobuf" } });
    expect(answer.json().spec, answer.text).toEqual({ replicas: 3 });
  });

  test("a dry run changes nothing", async () => {
    await using server = await startWith(3);
    const before = await server.gear();
    expect((await server.patch({ spec: { replicas: 5 } }, "?dryRun=All")).spec).toEqual({ replicas: 5 });
    expect(await server.gear()).toEqual(before);
  });

  test("a PUT without a number is zero; a patch must say one where there is none", async () => {
    await using server = await startWith(undefined);
    const missing = { code: 400, message: 'the spec replicas field ".spec.deep.count" cannot be empty' };
    expect(await server.patch({ metadata: { labels: { a: "b" } } })).toMatchObject(missing);
    expect((await server.put({ ...scale(1), spec: {} })).spec).toEqual({});
    expect((await server.gear()).spec).toEqual({ color: "red", deep: { count: 0 } });
    expect((await server.patch({ spec: { replicas: 4 } })).spec).toEqual({ replicas: 4 });
    expect((await server.patch({ spec: { replicas: null } })).spec).toEqual({});
  });

  test("a resourceVersion that is sent must be the parent's, one that is not need not be", async () => {
    await using server = await startWith(3);
    const { resourceVersion } = (await server.gear()).metadata;
    expect((await server.put(scale(4, { resourceVersion }))).spec).toEqual({ replicas: 4 });
    const lost = {
      code: 409,
      message:
        'Operation cannot be fulfilled on gears.example.com "a": the object has been modified; please apply your changes to the latest version and try again',
    };
    expect(await server.put(scale(5, { resourceVersion }))).toMatchObject(lost);
    expect(await server.patch({ metadata: { resourceVersion }, spec: { replicas: 5 } })).toMatchObject(lost);
    expect((await server.put(scale(5))).spec).toEqual({ replicas: 5 });
  });

  test("a uid counts in a PUT, not in a patch", async () => {
    await using server = await startWith(3);
    const refused = await server.put(scale(4, { uid: "other" }));
    expect(refused).toMatchObject({ code: 409, message: expect.stringContaining("Precondition failed: UID in precondition: other") });
    expect((await server.patch({ metadata: { uid: "other" }, spec: { replicas: 4 } })).spec).toEqual({ replicas: 4 });
  });

  test.each([
    [1.5, "json: cannot unmarshal number into field spec.replicas of type integer"],
    [2 ** 31, "json: cannot unmarshal number into field spec.replicas of type int32"],
    ["x", "json: cannot unmarshal string into field spec.replicas of type integer"],
  ])("%j is no number of replicas", async (replicas, why) => {
    await using server = await startWith(3);
    expect(await server.put(scale(replicas))).toMatchObject({
      code: 400,
      message: `Scale in version "v1" cannot be handled as a Scale: ${why}`,
    });
  });

  test("whoever owned the number loses it to who changes it", async () => {
    await using server = await startWith(3);
    const owners = async () =>
      (await server.gear()).metadata.managedFields.map(({ manager, subresource = "", fieldsV1 }) => [manager, subresource, fieldsV1]);
    const rest = ["creator", "", { "f:spec": { ".": {}, "f:color": {}, "f:deep": {} } }];
    const count = { "f:spec": { "f:deep": { "f:count": {} } } };
    await server.patch({ spec: { replicas: 4 } }, "?fieldManager=first");
    expect(await owners()).toEqual([["first", "scale", count], rest]);
    await server.patch({ spec: { replicas: 4 } }, "?fieldManager=second");
    expect(await owners()).toEqual([["first", "scale", count], rest]);
    await server.put(scale(5), "?fieldManager=second");
    expect(await owners()).toEqual([["second", "scale", count], rest]);
    // A Scale does not say zero: then nobody owns it.
    await server.put(scale(0), "?fieldManager=third");
    expect(await owners()).toEqual([rest]);
  });

  test("a write that changes nothing is none, also where the number is all that its manager owns", async () => {
    await using server = await startWith(3);
    const entry = { manager: "first", operation: "Update", apiVersion: "example.com/v1", time: "2020-01-01T00:00:00Z", fieldsType: "FieldsV1" };
    const managedFields = [{ ...entry, fieldsV1: { "f:spec": { "f:deep": { "f:count": {} } } } }];
    await server.patch({ metadata: { managedFields } }, "", `${GEARS}/a`);
    const before = (await server.gear()).metadata;
    expect(before.managedFields).toEqual(managedFields);
    await server.patch({ spec: { replicas: 3 } }, "?fieldManager=second");
    expect((await server.gear()).metadata).toEqual(before);
  });
});

describe("what a scale forbids of its parent", () => {
  test("a negative number, also one that comes through it", async () => {
    await using server = await startWith(3);
    const fault = {
      code: 422,
      message: 'Gear.example.com "a" is invalid: .spec.deep.count: Invalid value: -1: should be a non-negative integer',
      details: { kind: "Gear", causes: [{ reason: "FieldValueInvalid", field: ".spec.deep.count" }] },
    };
    expect(await server.put(scale(-1))).toMatchObject(fault);
    expect(await server.patch({ spec: { deep: { count: -1 } } }, "", `${GEARS}/a`)).toMatchObject(fault);
  });

  test.each([
    [{ count: 2 ** 31 }, ".status.count: Invalid value: 2147483648: should be less than or equal to 2147483647"],
    [{ count: "x" }, ".status.count: Invalid value: 0: .status.count accessor error: x is of the type string, expected int64"],
    [{ count: { a: 1 } }, ".status.count: Invalid value: 0: .status.count accessor error: it is of the type object, expected int64"],
    [{ selector: 3 }, '.status.selector: Invalid value: "": .status.selector accessor error: 3 is of the type integer, expected string'],
  ])("a status of %j", async (status, why) => {
    await using server = await startWith(3);
    expect(await server.patch({ status }, "", `${GEARS}/a/status`)).toMatchObject({ code: 422, message: `Gear.example.com "a" is invalid: ${why}` });
  });
});

describe("admission of a scale's write", () => {
  test("sees the scale, may change it and may refuse it", async () => {
    const seen: AdmissionAttributes[] = [];
    const plugin: AdmissionPlugin = {
      name: "bounds",
      mutate: async ({ object, subresource }) => (subresource === "scale" ? { ...object, spec: { replicas: 7 } } : object),
      validate: async (attributes) => {
        if (attributes.subresource !== "scale") return;
        seen.push(attributes);
        if (seen.length > 1) throw forbidden(attributes.resource, attributes.name, "enough");
      },
    };
    await using server = await startWith(3, [plugin]);
    expect((await server.put(scale(5))).spec).toEqual({ replicas: 7 });
    expect(seen).toMatchObject([
      {
        operation: "UPDATE",
        resource: { kind: "Gear" },
        version: "v1",
        namespace: "default",
        name: "a",
        object: { kind: "Scale", spec: { replicas: 7 } },
        previous: { kind: "Scale", spec: { replicas: 3 } },
      },
    ]);
    expect(await server.put(scale(6))).toMatchObject({ code: 403, message: 'gears.example.com "a" is forbidden: enough' });
  });

  test("shows the number of present replicas, which a client need not say, and takes nothing but a Scale", async () => {
    const seen: unknown[] = [];
    const plugin: AdmissionPlugin = {
      name: "makes a Gear of it",
      mutate: async ({ object, subresource }) => {
        if (subresource !== "scale") return object;
        seen.push(object);
        return { ...object, kind: "Gear" };
      },
    };
    await using server = await startWith(3, [plugin]);
    expect(await server.put(scale(5))).toMatchObject({
      code: 500,
      message: "Internal error occurred: admission made autoscaling/v1 Gear of a Scale",
    });
    expect(seen).toMatchObject([{ kind: "Scale", spec: { replicas: 5 }, status: { replicas: 0 } }]);
    expect((await server.get(`${GEARS}/a`)).json().spec).toMatchObject({ deep: { count: 3 } });
  });
});

test("the objects of an author's handlers are scaled as any other", async () => {
  let replicas = 3;
  const handed: unknown[] = [];
  const admitted: (AdmissionAttributes["object"] | undefined)[] = [];
  const Pump = defineResource({
    group: "example.com",
    kind: "Pump",
    scope: "Cluster",
    versions: { v1: { schema: { spec: t.object({ replicas: t.integer() }), status: t.object({}) } } },
    subresources: { scale: scaleSubresource({ specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" }) },
    handlers: {
      get: ({ name }) => ({ metadata: { name }, spec: { replicas }, status: {} }),
      update: ({ object }) => {
        handed.push(object);
        replicas = object.spec.replicas;
        return object;
      },
    },
  });
  const plugin: AdmissionPlugin = { name: "watcher", validate: async ({ object }) => void admitted.push(object) };
  await using server = await startHarness([Pump], { admission: [plugin] });
  const path = "/apis/example.com/v1/pumps/a/scale";
  expect((await server.request("PUT", path, { body: scale(5) })).json()).toMatchObject({ kind: "Scale", spec: { replicas: 5 } });
  expect(handed).toEqual([{ apiVersion: "example.com/v1", kind: "Pump", metadata: { name: "a" }, spec: { replicas: 5 }, status: {} }]);
  expect(admitted).toMatchObject([{ kind: "Scale", spec: { replicas: 5 } }]);
  expect((await server.request("PUT", path, { body: scale(-1) })).json().message).toContain("should be a non-negative integer");
});

test.each([
  [{ specReplicasPath: "spec.replicas" }, "should be a json path under .spec"],
  [{ specReplicasPath: ".spec" }, "should be a json path under .spec"],
  [{ specReplicasPath: ".specs.replicas" }, "should be a json path under .spec"],
  [{ statusReplicasPath: ".spec.replicas" }, "should be a json path under .status"],
  [{ labelSelectorPath: ".metadata.labels" }, "should be a json path under either .spec or .status"],
  [{ specReplicasPath: ".spec[0].n" }, "should be a json path under .spec"],
  [{ specReplicasPath: "..spec.n" }, "should be a json path under .spec"],
])("%j is refused", (paths, why) => expect(() => scaleSubresource({ ...PATHS, ...paths })).toThrow(why));
