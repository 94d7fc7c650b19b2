import { t } from "@annex/apimachinery";
import { startHarness } from "@annex/testing";
import { expect, test } from "vitest";
import { defineResource } from "./index.ts";

const NOTE = "example.com/note";
const things = (version: string) => `/apis/example.com/${version}/namespaces/default/things`;
/** v1 has a note; v1beta1 has it in an annotation, and tries to change more of metadata than it may. */
const Thing = defineResource({
  group: "example.com",
  kind: "Thing",
  scope: "Namespaced",
  versions: {
    v1: { storage: true, schema: { spec: t.object({ note: t.optional(t.string()) }) } },
    v1beta1: {
      schema: { spec: t.object({}) },
      toStorage: ({ metadata }) => {
        const { [NOTE]: note, ...annotations } = metadata.annotations ?? {};
        return { metadata: { ...metadata, annotations, name: "other", labels: { more: "true" } }, spec: { note } };
      },
      fromStorage: ({ metadata, spec: { note } }) => ({
        metadata: { ...metadata, uid: "other", annotations: { ...metadata.annotations, ...(note === undefined ? {} : { [NOTE]: note }) } },
        spec: {},
      }),
    },
  },
});

test("a conversion may change annotations, and nothing else of metadata", async () => {
  await using server = await startHarness([Thing]);
  const metadata = { name: "a", labels: { team: "x" }, annotations: { [NOTE]: "n", mine: "m" } };
  const created = (await server.request("POST", things("v1beta1"), { body: { metadata } })).json();
  expect(created.metadata).toMatchObject(metadata);
  expect(created.metadata.labels).toEqual({ team: "x" });
  const stored = (await server.request("GET", `${things("v1")}/a`)).json();
  expect(stored).toMatchObject({ spec: { note: "n" }, metadata: { name: "a", uid: created.metadata.uid, annotations: { mine: "m" } } });
  expect(stored.metadata.annotations).not.toHaveProperty([NOTE]);
  for (const accept of ["application/json", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"]) {
    const read = (await server.request("GET", `${things("v1beta1")}/a`, { headers: { accept } })).json();
    expect(read.metadata).toEqual(created.metadata);
  }
  // The last annotation goes, and with it the map.
  const bare = (await server.request("POST", things("v1beta1"), { body: { metadata: { name: "b", annotations: { [NOTE]: "n" } } } })).json();
  expect(bare.metadata.annotations).toEqual({ [NOTE]: "n" });
  expect((await server.request("GET", `${things("v1")}/b`)).json().metadata).not.toHaveProperty("annotations");
});

test("the annotation of a conversion is there in the answer to the write that ends a deletion", async () => {
  await using server = await startHarness([Thing]);
  const metadata = { name: "a", finalizers: ["example.com/x"], annotations: { [NOTE]: "n", mine: "m" } };
  await server.request("POST", things("v1beta1"), { body: { metadata } });
  await server.request("DELETE", `${things("v1beta1")}/a`);
  for (const dryRun of ["?dryRun=All", ""]) {
    const ended = await server.request("PATCH", `${things("v1beta1")}/a${dryRun}`, {
      headers: { "content-type": "application/merge-patch+json" },
      body: { metadata: { finalizers: null } },
    });
    expect([ended.status, ended.json().metadata.annotations]).toEqual([200, metadata.annotations]);
  }
  expect((await server.request("GET", `${things("v1")}/a`)).status).toBe(404);
});

test("what an author's conversion leaves out has the defaults of the storage version, for every reader", async () => {
  const port = t.object({ name: t.string(), protocol: t.string({ default: "TCP" }) });
  const Box = defineResource({
    group: "example.com",
    kind: "Box",
    scope: "Namespaced",
    versions: {
      v1: { storage: true, schema: { spec: t.object({ ports: t.listMap(port, { keys: ["name"] }) }) } },
      v1beta1: {
        schema: { spec: t.object({ ports: t.array(t.string()) }) },
        // As an author does it who writes no types.
        toStorage: ({ spec: { ports } }) => ({ spec: { ports: ports.map((name) => ({ name }) as { name: string; protocol: string }) } }),
        fromStorage: ({ spec: { ports } }) => ({ spec: { ports: ports.map(({ name }) => name) } }),
      },
    },
  });
  await using server = await startHarness([Box]);
  const at = (version: string) => `/apis/example.com/${version}/namespaces/default/boxes`;
  const write = (method: string, path: string, body: object, headers = {}) => server.request(method, `${at("v1beta1")}${path}`, { body, headers });
  expect((await write("POST", "", { metadata: { name: "a" }, spec: { ports: ["http"] } })).status).toBe(201);
  const read = async () => (await server.request("GET", `${at("v1")}/a`)).json();
  expect((await read()).spec).toEqual({ ports: [{ name: "http", protocol: "TCP" }] });
  const merge = { "content-type": "application/merge-patch+json" };
  expect((await write("PATCH", "/a", { spec: { ports: ["http", "https"] } }, merge)).status).toBe(200);
  expect((await read()).spec.ports).toEqual(["http", "https"].map((name) => ({ name, protocol: "TCP" })));
  // Nobody changes anything by a label.
  await server.request("PATCH", `${at("v1")}/a?fieldManager=labels`, { body: { metadata: { labels: { a: "b" } } }, headers: merge });
  expect((await read()).metadata).toMatchObject({ generation: 2 });
});
