import { describe, expect, test } from "vitest";
import { type CoreServer, MERGE_PATCH, secretsOf, startCoreServer } from "../testing/core-server.ts";

const SECRETS = secretsOf("default");
const base64 = (text: string) => Buffer.from(text).toString("base64");
const post = async (server: CoreServer, body: object) =>
  (await server.request("POST", SECRETS, { body: { metadata: { name: "a" }, ...body } })).json();
const patch = async (server: CoreServer, body: object) => (await server.request("PATCH", `${SECRETS}/a`, { body, headers: MERGE_PATCH })).json();
const invalid = (why: string) => ({ code: 422, reason: "Invalid", message: `Secret "a" is invalid: ${why}` });

const CONFIG_KEY =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const IMMUTABLE = "Forbidden: field is immutable when `immutable` is set";

// Asked of kube-apiserver 1.36: what is compiled in keeps a generation that a client sent, and counts on.
test.each([
  ["9007199254740993", "9007199254740994"],
  ["9223372036854775807", "-9223372036854775808"],
  ["7", "8"],
])("a deletion that is held counts generation %s on", async (sent, counted) => {
  await using server = await startCoreServer();
  const body = `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","finalizers":["example.com/hold"],"generation":${sent}}}`;
  expect((await server.request("POST", SECRETS, { body, headers: { "content-type": "application/json" } })).status).toBe(201);
  const deleted = await server.request("DELETE", `${SECRETS}/a`);
  expect([deleted.status, deleted.text]).toEqual([200, expect.stringContaining(`"generation":${counted},`)]);
});

describe("the data of a Secret", () => {
  test("stringData goes into data, over what is there, and is never read back", async () => {
    await using server = await startCoreServer();
    const created = await post(server, { data: { a: base64("1"), b: base64("2") }, stringData: { b: "3", ü: "x" } });
    expect(created).toMatchObject({ code: 422 });
    expect(await post(server, { data: { a: base64("1"), b: base64("2") }, stringData: { b: "3", c: "ü" } })).toMatchObject({
      type: "Opaque",
      data: { a: base64("1"), b: base64("3"), c: base64("ü") },
    });
    const read = (await server.request("GET", `${SECRETS}/a`)).json();
    expect(read.stringData).toBeUndefined();
    expect(read.metadata.generation).toBeUndefined();
    expect(read.metadata.managedFields[0]?.fieldsV1).toEqual({ "f:data": { ".": {}, "f:a": {}, "f:b": {}, "f:c": {} }, "f:type": {} });
    expect((await patch(server, { stringData: { a: "4" } })).data).toEqual({ a: base64("4"), b: base64("3"), c: base64("ü") });
  });

  test("who applies one owns what it wrote, and no more", async () => {
    await using server = await startCoreServer();
    await post(server, { data: { a: base64("1") } });
    const apply = async (manager: string, fields: object) => {
      const body = { apiVersion: "v1", kind: "Secret", metadata: { name: "a" }, ...fields };
      const headers = { "content-type": "application/apply-patch+yaml" };
      return (await server.request("PATCH", `${SECRETS}/a?fieldManager=${manager}`, { body, headers })).json();
    };
    const fieldsOf = ({ metadata }: Awaited<ReturnType<typeof apply>>, manager: string) =>
      metadata.managedFields.find((entry) => entry.manager === manager)?.fieldsV1;
    const labelled = await apply("labels", { metadata: { name: "a", labels: { b: "c" } } });
    expect(fieldsOf(labelled, "labels")).toEqual({ "f:metadata": { "f:labels": { "f:b": {} } } });
    const texts = await apply("texts", { stringData: { b: "2" } });
    expect(texts.data).toEqual({ a: base64("1"), b: base64("2") });
    expect(fieldsOf(texts, "texts")).toEqual({ "f:stringData": { "f:b": {} } });
    expect(await apply("other", { stringData: { b: "3" } })).toMatchObject({ code: 409, details: { causes: [{ field: ".stringData.b" }] } });
    // What was written as text is not in the object under that name, so nothing is there to be taken back.
    expect((await apply("texts", {})).data).toEqual({ a: base64("1"), b: base64("2") });
  });

  test("null and empty values are empty ones", async () => {
    await using server = await startCoreServer();
    expect((await post(server, { data: { a: null, c: "" }, stringData: { b: null } })).data).toEqual({ a: "", b: "", c: "" });
  });

  test("a text of another type is refused", async () => {
    await using server = await startCoreServer();
    for (const fields of [{ stringData: { a: 5 } }, { stringData: [] }, { data: { a: {} } }, { data: "x" }]) {
      expect((await post(server, fields)).code).toBe(400);
    }
  });

  test("no data is none", async () => {
    await using server = await startCoreServer();
    expect(await post(server, { data: {}, stringData: {} })).not.toHaveProperty("data");
  });

  test("what is no base64 does not decode", async () => {
    await using server = await startCoreServer();
    expect(await post(server, { data: { a: "%%%" } })).toMatchObject({
      code: 400,
      reason: "BadRequest",
      message: 'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0',
    });
  });

  test("is at most 1 MiB, all together", async () => {
    await using server = await startCoreServer();
    const halves = { a: "x".repeat(512 * 1024), b: "y".repeat(512 * 1024) };
    expect(await post(server, { stringData: { ...halves, c: "z" } })).toMatchObject(invalid("data: Too long: may not be more than 1048576 bytes"));
    expect(await post(server, { stringData: halves })).toMatchObject({ kind: "Secret" });
  });
});

describe("the rules of Secrets, in Kubernetes' words", () => {
  test.each([
    { body: { data: { "bad key": "YQ==" } }, want: `data[bad key]: Invalid value: "bad key": ${CONFIG_KEY}` },
    { body: { type: "kubernetes.io/tls", data: { "tls.crt": "YQ==" } }, want: "data[tls.key]: Required value" },
    { body: { type: "kubernetes.io/dockercfg" }, want: "data[.dockercfg]: Required value" },
    { body: { type: "kubernetes.io/dockerconfigjson" }, want: "data[.dockerconfigjson]: Required value" },
    {
      body: { type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": "YQ==" } },
      want: "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid character 'a' looking for beginning of value",
    },
    { body: { type: "kubernetes.io/basic-auth" }, want: "[data[username]: Required value, data[password]: Required value]" },
    { body: { type: "kubernetes.io/ssh-auth" }, want: "data[ssh-privatekey]: Required value" },
    { body: { type: "kubernetes.io/ssh-auth", data: { "ssh-privatekey": "" } }, want: "data[ssh-privatekey]: Required value" },
    {
      body: { type: "kubernetes.io/service-account-token" },
      want: "metadata.annotations[kubernetes.io/service-account.name]: Required value",
    },
    {
      body: { metadata: { name: "a", finalizers: ["foo"] } },
      want: 'metadata.finalizers[0]: Invalid value: "foo": name is neither a standard finalizer name nor is it fully qualified',
    },
  ])("$want", async ({ body, want }) => {
    await using server = await startCoreServer();
    const refused = await post(server, body);
    expect(refused, refused.message).toMatchObject(invalid(want));
  });

  test.each([
    { type: "kubernetes.io/basic-auth", data: { username: "YQ==" } },
    { type: "kubernetes.io/tls", data: { "tls.crt": "", "tls.key": "" } },
    { type: "kubernetes.io/dockerconfigjson", stringData: { ".dockerconfigjson": "{}" } },
    { type: "example.com/own" },
    { type: "" },
    { metadata: { name: "a", finalizers: ["kubernetes", "orphan", "example.com/x"] } },
  ])("%j is taken", async (body) => {
    await using server = await startCoreServer();
    expect(await post(server, body)).toMatchObject({ kind: "Secret", type: body.type || "Opaque" });
  });

  test("the type cannot change", async () => {
    await using server = await startCoreServer();
    await post(server, { data: { a: "YQ==" } });
    expect(await patch(server, { type: "x" })).toMatchObject(invalid('type: Invalid value: "x": field is immutable'));
  });

  test("immutable is for good, and of data alone", async () => {
    await using server = await startCoreServer();
    await post(server, { immutable: true, data: { a: "YQ==" } });
    expect(await patch(server, { data: { a: "Yg==" } })).toMatchObject(invalid(`data: ${IMMUTABLE}`));
    expect(await patch(server, { stringData: { b: "x" } })).toMatchObject(invalid(`data: ${IMMUTABLE}`));
    expect(await patch(server, { data: null })).toMatchObject(invalid(`data: ${IMMUTABLE}`));
    for (const immutable of [false, null]) expect(await patch(server, { immutable })).toMatchObject(invalid(`immutable: ${IMMUTABLE}`));
    expect(await patch(server, { immutable: null, data: { a: "Yg==" } })).toMatchObject(invalid(`[immutable: ${IMMUTABLE}, data: ${IMMUTABLE}]`));
    expect((await patch(server, { metadata: { labels: { a: "b" } } })).metadata.labels).toEqual({ a: "b" });
    expect((await server.request("DELETE", `${SECRETS}/a`)).status).toBe(200);
  });

  test("lists can be asked for by type", async () => {
    await using server = await startCoreServer();
    await post(server, {});
    await post(server, { metadata: { name: "b" }, type: "example.com/own" });
    const list = (await server.request("GET", `${SECRETS}?fieldSelector=type%3Dexample.com/own`)).json();
    expect(list.items.map(({ metadata }) => metadata.name)).toEqual(["b"]);
  });
});
