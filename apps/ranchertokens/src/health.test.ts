import { type AnswerBody, type HarnessResponse, settled } from "@annex/testing";
import { describe, expect, test } from "vitest";
import {
  CLUSTER_SECRETS,
  CLUSTER_TOKENS,
  dataOf,
  plaintextOf,
  SECRETS,
  startTokenServer,
  TOKENS,
  type TokenServer,
  take,
} from "./testing/token-server.ts";
import { hashPlaintext } from "./token.ts";

const signal = new AbortController().signal;
const healthOf = (answer: AnswerBody) => answer.status.healthy;
/** What a client with static types reads. */
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

const FORGERIES: readonly { readonly what: string; readonly data: Readonly<Record<string, string | undefined>> }[] = [
  { what: "the hash of another plaintext", data: { hashedToken: hashPlaintext("ranchertoken.default.a.forged") } },
  { what: "another user", data: { userID: "root" } },
  { what: "another cluster", data: { clusterName: "other" } },
  { what: "a longer life", data: { ttl: "999999" } },
  { what: "a life without end", data: { ttl: undefined } },
  { what: "enabled", data: { enabled: "true" } },
  { what: "a later creation", data: { metadata: '{"creationTimestamp":"2030-01-01T00:00:00Z"}' } },
  { what: "no MAC", data: { mac: undefined } },
  { what: "an empty MAC", data: { mac: "" } },
  { what: "no metadata, and with it another uid", data: { metadata: undefined } },
];

/** Every write that reaches a token through its API without being about what was forged. */
async function writeAround(server: TokenServer): Promise<HarnessResponse[]> {
  const present = await server.read(`${TOKENS}/a`);
  const put = { ...present, metadata: { ...present.metadata, annotations: { by: "put" } } };
  return [
    await server.request("PUT", `${TOKENS}/a`, { body: put }),
    await server.patch(`${TOKENS}/a`, { metadata: { labels: { by: "patch" } } }),
    await server.patch(`${TOKENS}/a`, { metadata: { finalizers: ["example.com/hold"] } }),
    await server.patch(`${TOKENS}/a`, { metadata: { finalizers: null } }),
  ];
}

describe("a token whose Secret was edited by hand", () => {
  test.each(FORGERIES)("$what: shows as unhealthy, in get, list and watch, and never verifies", async ({ data }) => {
    await using server = await startTokenServer();
    const created = await server.create("a", { userID: "admin", clusterName: "c", ttl: 90, enabled: false });
    const watch = (await server.request("GET", `${TOKENS}?watch=true&resourceVersion=${created.metadata.resourceVersion}`)).events();
    await server.editSecret(`${SECRETS}/a`, data);
    expect(healthOf(await server.read(`${TOKENS}/a`))).toBe(false);
    expect((await server.read(TOKENS)).items.map(healthOf)).toEqual([false]);
    expect((await take(watch, 1)).map(({ type, object }) => [type, healthOf(object)])).toEqual([["MODIFIED", false]]);
    for (const plaintext of [plaintextOf(created), "ranchertoken.default.a.forged"]) {
      expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: false });
    }
  });

  test.each(FORGERIES)("$what: no write through the token API makes it good", async ({ data }) => {
    await using server = await startTokenServer();
    const created = await server.create("a", { userID: "admin", clusterName: "c", ttl: 90, enabled: false });
    await server.editSecret(`${SECRETS}/a`, data);
    for (const response of await writeAround(server)) expect(healthOf(response.json()), response.text).toBe(false);
    await server.clock.step(100_000);
    const loop = new AbortController();
    const running = server.runExpiry({ graceMs: 1_000_000 }, loop.signal);
    await settled();
    loop.abort();
    await running;
    expect(healthOf(await server.read(`${TOKENS}/a`))).toBe(false);
    for (const plaintext of [plaintextOf(created), "ranchertoken.default.a.forged"]) {
      expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: false });
    }
  });

  test("enabled and ttl written through the token API do not vouch for a forged hash", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    const forged = "ranchertoken.default.a.forged";
    await server.editSecret(`${SECRETS}/a`, { hashedToken: hashPlaintext(forged) });
    expect((await server.patch(`${TOKENS}/a`, { spec: { enabled: false, ttl: 90 } })).json()).toMatchObject({
      spec: { enabled: "false" },
      status: { healthy: false },
    });
    expect((await server.patch(`${TOKENS}/a`, { spec: { enabled: true, ttl: 0 } })).json()).toMatchObject({ status: { healthy: false } });
    expect(await server.verify(forged, signal)).toEqual({ isValid: false, reason: "Unhealthy" });
  });

  test("is healthy again when its values are again what the MAC was made for", async () => {
    await using server = await startTokenServer();
    const plaintext = plaintextOf(await server.create("a", { userID: "admin", enabled: false }));
    await server.editSecret(`${SECRETS}/a`, { enabled: "true" });
    expect(await server.verify(plaintext, signal)).toEqual({ isValid: false, reason: "Unhealthy" });
    expect((await server.patch(`${TOKENS}/a`, { spec: { enabled: false } })).json()).toMatchObject({ status: { healthy: true } });
    expect((await server.patch(`${TOKENS}/a`, { spec: { enabled: true } })).json()).toMatchObject({ status: { healthy: true } });
    expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: true });
  });

  test("a healthy token's MAC is renewed by writes to enabled and ttl, and by those alone", async () => {
    await using server = await startTokenServer();
    const plaintext = plaintextOf(await server.create("a"));
    const mac = async () => dataOf(await server.read(`${SECRETS}/a`), "mac");
    const first = await mac();
    await server.patch(`${TOKENS}/a`, { metadata: { labels: { x: "y" } } });
    expect(await mac()).toBe(first);
    await server.patch(`${TOKENS}/a`, { spec: { ttl: 90 } });
    expect(await mac()).not.toBe(first);
    expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: true, userID: "admin" });
  });

  test("a Secret copied to another name, or made by hand, is no good token", async () => {
    await using server = await startTokenServer();
    const plaintext = plaintextOf(await server.create("a"));
    const { data, type } = await server.read(`${SECRETS}/a`);
    await server.request("POST", SECRETS, { body: { metadata: { name: "b" }, type, data } });
    expect(healthOf(await server.read(`${TOKENS}/b`))).toBe(false);
    expect(await server.verify(plaintext.replace(".a.", ".b."), signal)).toEqual({ isValid: false, reason: "WrongSecret" });
    const cluster = { metadata: { name: "a" }, type: "tomlebreux.com/cluster-token", data };
    await server.request("POST", CLUSTER_SECRETS, { body: cluster });
    expect(healthOf(await server.read(`${CLUSTER_TOKENS}/a`))).toBe(false);
  });

  test("a Secret that is deleted and made again does not begin a new life", async () => {
    await using server = await startTokenServer();
    const plaintext = plaintextOf(await server.create("a", { userID: "admin", ttl: 90 }));
    const { data, type, metadata } = await server.read(`${SECRETS}/a`);
    await server.clock.step(80_000);
    await server.request("DELETE", `${SECRETS}/a`);
    await server.request("POST", SECRETS, { body: { metadata: { name: metadata.name }, type, data } });
    await server.clock.step(20_000);
    expect(await server.verify(plaintext, signal)).toEqual({ isValid: false, reason: "Expired" });
  });

  test.each(["2030-01-01T00:00:00Z", undefined])("a token does not live longer because its creation was moved to %s", async (creationTimestamp) => {
    await using server = await startTokenServer();
    const plaintext = plaintextOf(await server.create("a", { userID: "admin", ttl: 90 }));
    const { data, type } = await server.read(`${SECRETS}/a`);
    const own = JSON.parse(Buffer.from(data.metadata ?? "", "base64").toString("utf8"));
    await server.clock.step(100_000);
    const metadata = Buffer.from(JSON.stringify({ ...own, creationTimestamp })).toString("base64");
    await server.request("DELETE", `${SECRETS}/a`);
    await server.request("POST", SECRETS, { body: { metadata: { name: "a" }, type, data: { ...data, metadata } } });
    expect(await server.read(`${TOKENS}/a`)).toMatchObject({ metadata: { uid: own.uid }, status: { healthy: false } });
    expect(await server.verify(plaintext, signal)).toEqual({ isValid: false, reason: "Unhealthy" });
  });

  test("nobody gives a token the uid of another object, and editing all else leaves it its own", async () => {
    await using server = await startTokenServer();
    const { metadata } = await server.create("a");
    const { metadata: other } = await server.create("other");
    const secret = await server.read(`${SECRETS}/a`);
    const own = JSON.parse(dataOf(secret, "metadata"));
    const uidAfter = async (edits: Readonly<Record<string, string | undefined>>) => {
      await server.editSecret(`${SECRETS}/a`, edits);
      return (await server.read(`${TOKENS}/a`)).metadata.uid;
    };
    expect(await uidAfter({ userID: "x", ttl: undefined, mac: "" })).toBe(metadata.uid);
    const forged = JSON.stringify({ ...own, uid: other.uid, finalizers: ["orphan"], deletionTimestamp: "2020-01-01T00:00:00Z" });
    expect(await uidAfter({ metadata: forged })).toBe(secret.metadata.uid);
    expect(await uidAfter({ uidMAC: dataOf(await server.read(`${SECRETS}/other`), "uidMAC") })).toBe(secret.metadata.uid);
    expect(await uidAfter({ uidMAC: dataOf(secret, "uidMAC") })).toBe(secret.metadata.uid);
    expect(await uidAfter({ metadata: JSON.stringify(own) })).toBe(metadata.uid);
  });

  test("a healthy token of before uids were vouched for keeps its own", async () => {
    await using server = await startTokenServer();
    const { metadata } = await server.create("a");
    await server.editSecret(`${SECRETS}/a`, { uidMAC: undefined });
    expect(await server.read(`${TOKENS}/a`)).toMatchObject({ metadata: { uid: metadata.uid }, status: { healthy: true } });
  });

  test("another key vouches for nothing", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    const { data, type } = await server.read(`${SECRETS}/a`);
    await using other = await startTokenServer({ macKey: new Uint8Array(32).fill(8) });
    await other.request("POST", SECRETS, { body: { metadata: { name: "a" }, type, data } });
    expect(healthOf(await other.read(`${TOKENS}/a`))).toBe(false);
  });
});

test.each([
  { ownerReferences: [{ apiVersion: "", kind: "", name: "", uid: "" }] },
  { finalizers: ["a b"] },
  { generateName: "BAD NAME" },
  { generation: -1, finalizers: ["a b"] },
  { managedFields: [{ manager: "m", operation: "Neither", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: {} }] },
])("metadata that no object may have does not keep a token from being disabled and deleted: %j", async (forged) => {
  await using server = await startTokenServer();
  await server.create("a");
  const present = JSON.parse(Buffer.from((await server.read(`${SECRETS}/a`)).data.metadata ?? "", "base64").toString());
  await server.editSecret(`${SECRETS}/a`, { metadata: JSON.stringify({ ...present, ...forged }) });
  const disabled = await server.patch(`${TOKENS}/a`, { spec: { enabled: "false" } });
  expect([disabled.status, disabled.json().spec.enabled]).toEqual([200, "false"]);
  expect((await server.request("DELETE", `${TOKENS}/a`)).status).toBe(200);
  expect((await server.request("GET", `${TOKENS}/a`)).status).toBe(404);
});

describe("whatever stands in a Secret", () => {
  const deep = (levels: number) =>
    `{"managedFields":[{"manager":"m","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":${'{"f:a":'.repeat(levels)}{}${"}".repeat(levels)}}]}`;
  const metadata = [
    "",
    "no JSON",
    "null",
    "[]",
    '"text"',
    "\u0000",
    '{"uid":5,"generation":"x","finalizers":"y","ownerReferences":{},"managedFields":[1]}',
    '{"uid":"","creationTimestamp":"yesterday","deletionTimestamp":"2020"}',
    '{"creationTimestamp":"Thu, 01 Jan 2026 00:00:00 GMT"}',
    '{"finalizers":[1],"ownerReferences":[{}],"managedFields":[{"time":"x","fieldsV1":5}]}',
    '{"ownerReferences":[{"apiVersion":1,"kind":"a","name":"b","uid":"c"}],"generation":1.5,"deletionGracePeriodSeconds":"1"}',
    '{"managedFields":[{"manager":"m","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"nonsense":{}}}]}',
    deep(20_000),
    deep(2_000),
  ];
  const values = { empty: "", long: "x".repeat(10_000), odd: "\u0000\uFFFF{}" };

  test.each(metadata.map((text) => ({ shown: text.slice(0, 60), text })))("never breaks a list: metadata $shown", async ({ text }) => {
    await using server = await startTokenServer();
    await server.create("a");
    await server.create("b");
    await server.editSecret(`${SECRETS}/a`, { metadata: text });
    const list = await server.request("GET", TOKENS);
    expect(list.status, list.text).toBe(200);
    const { items } = list.json();
    expect(items.map((item) => [item.metadata.name, healthOf(item)])).toEqual([
      ["a", false],
      ["b", true],
    ]);
    const { metadata: shown } = items[0] as AnswerBody;
    expect(shown.creationTimestamp).toMatch(RFC_3339);
    if (shown.deletionTimestamp !== undefined) expect(shown.deletionTimestamp).toMatch(RFC_3339);
    expect(shown.uid).toMatch(/^[0-9a-f-]{36}$/);
    for (const entry of shown.managedFields ?? []) if (entry.time !== undefined) expect(entry.time).toMatch(RFC_3339);
    for (const owner of shown.ownerReferences ?? []) expect(owner).toMatchObject({ apiVersion: expect.any(String), uid: expect.any(String) });
    for (const as of ["Table", "PartialObjectMetadataList"]) {
      const answer = await server.request("GET", TOKENS, { headers: { accept: `application/json;as=${as};v=v1;g=meta.k8s.io` } });
      expect(answer.status, answer.text).toBe(200);
    }
    const labelled = await server.patch(`${TOKENS}/a`, { metadata: { labels: { x: "y" } } });
    expect(labelled.json(), labelled.text).toMatchObject({ kind: "RancherToken", status: { healthy: false } });
    expect((await server.request("DELETE", `${TOKENS}/a`)).status).toBe(200);
    expect((await server.read(TOKENS)).items).toHaveLength(1);
  });

  test.each(Object.entries(values))("never breaks a list: %s values", async (_what, text) => {
    await using server = await startTokenServer();
    await server.create("a", { userID: "admin" }, { finalizers: ["example.com/hold"] });
    await server.editSecret(`${SECRETS}/a`, {
      userID: text,
      clusterName: text,
      ttl: text,
      enabled: text,
      hashedToken: text,
      mac: text,
      expired: text,
    });
    const { items } = await server.read(TOKENS);
    expect(items).toMatchObject([{ spec: { enabled: "false" }, status: { healthy: false, expired: false } }]);
    expect(JSON.stringify(items).length).toBeLessThan(5_000);
    expect((await server.request("GET", TOKENS, { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } })).status).toBe(200);
    // What cannot be mended can still be removed.
    await server.request("DELETE", `${TOKENS}/a`);
    const released = await server.patch(`${TOKENS}/a`, { metadata: { finalizers: null } });
    expect(released.status, released.text).toBe(200);
    expect((await server.request("GET", `${SECRETS}/a`)).status).toBe(404);
  });

  test("never breaks a list: no data, bytes that are no text, another type", async () => {
    await using server = await startTokenServer();
    const bytes = Buffer.from([0xff, 0xfe, 0x00]).toString("base64");
    const keys = ["userID", "clusterName", "ttl", "enabled", "hashedToken", "mac", "metadata", "expired"];
    const type = "tomlebreux.com/token";
    for (const [name, data] of [
      ["none", undefined],
      ["bytes", Object.fromEntries(keys.map((key) => [key, bytes]))],
    ] as const) {
      expect((await server.request("POST", SECRETS, { body: { metadata: { name }, type, data } })).status).toBe(201);
    }
    await server.request("POST", SECRETS, { body: { metadata: { name: "other" }, type: "tomlebreux.com/cluster-token" } });
    const { items } = await server.read(TOKENS);
    expect(items.map(({ metadata: { name }, spec, status }) => ({ name, spec, status }))).toEqual(
      ["bytes", "none"].map((name) => ({
        name,
        spec: { userID: "", clusterName: "", ttl: "", enabled: "false" },
        status: {
          hashedToken: "",
          expired: false,
          healthy: false,
          conditions: [
            expect.objectContaining({ type: "Ready", reason: "Unhealthy" }),
            expect.objectContaining({ type: "Healthy", status: "False" }),
          ],
        },
      })),
    );
    expect((await server.read(CLUSTER_TOKENS)).items).toEqual([]);
  });

  test("a Secret that was made immutable refuses the write and says so", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    await server.patch(`${SECRETS}/a`, { immutable: true });
    expect((await server.patch(`${TOKENS}/a`, { spec: { ttl: 5 } })).json()).toMatchObject({
      code: 422,
      message: 'RancherToken.tomlebreux.com "a" is invalid: <nil>: Forbidden: field is immutable when `immutable` is set',
    });
    expect(healthOf(await server.read(`${TOKENS}/a`))).toBe(true);
    expect((await server.request("DELETE", `${TOKENS}/a`)).status).toBe(200);
  });
});
