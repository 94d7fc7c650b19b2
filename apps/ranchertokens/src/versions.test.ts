import { type AnswerBody, type HarnessResponse, settled, testConversion } from "@annex/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clusterRancherToken, rancherToken } from "./ranchertoken.ts";
import {
  CLUSTER_NAMESPACE,
  CLUSTER_TOKENS,
  CLUSTER_TOKENS_V1,
  dataOf,
  MAC_KEY,
  MERGE_PATCH,
  plaintextOf,
  SECRETS,
  startTokenServer,
  TOKENS,
  TOKENS_V1,
  type TokenServer,
  take,
} from "./testing/token-server.ts";

const signal = new AbortController().signal;
const DESCRIPTION = "tomlebreux.com/description";
const faults = (response: HarnessResponse) =>
  response
    .json()
    .details.causes.filter(({ field }) => field !== "<nil>") // that the kind's own rules were not asked
    .map(({ field, message }) => `${field}: ${message}`);
const body = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: "tomlebreux.com/v1",
  kind: "RancherToken",
  metadata: { name, ...metadata },
  spec: { userID: "admin", ...spec },
});

async function createV1(server: TokenServer, name: string, spec?: object, metadata?: object): Promise<AnswerBody> {
  const response = await server.request("POST", TOKENS_V1, { body: body(name, spec, metadata) });
  expect(response.status, response.text).toBe(201);
  return response.json();
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
}

const conditionOf = ({ status }: AnswerBody, type: string) => (status.conditions as readonly Condition[]).find((one) => one.type === type);

describe("conversion", () => {
  const options = { macKey: MAC_KEY, clusterTokenNamespace: CLUSTER_NAMESPACE };
  const text = fc.string({ maxLength: 8 });
  const annotations = fc.dictionary(fc.constantFrom("a", "b", DESCRIPTION), text, { noNullPrototype: true });
  // Of status what the server itself makes: health is said twice, in v1alpha1's own field and in the condition.
  const status = fc.record({ healthy: fc.boolean(), expired: fc.boolean(), hashedToken: text }, { noNullPrototype: true }).map((told) => {
    const one = { lastTransitionTime: "2026-01-01T00:00:00Z", reason: "R", message: "" };
    return {
      ...told,
      conditions: [
        { ...one, type: "Ready", status: "True" },
        { ...one, type: "Healthy", status: told.healthy ? "True" : "False" },
      ],
    };
  });
  const ttl = fc.nat().map(String);

  test.each([rancherToken(options), clusterRancherToken(options)])("of a $kind loses nothing", (kind) => {
    testConversion(kind, { values: { v1alpha1: { "spec.ttl": ttl, "metadata.annotations": annotations, status } } });
  });

  test.each([
    { ttl: "007", back: "7" },
    { ttl: "", back: "0" },
  ])("forgets that a ttl was spelled $ttl, once somebody writes the token in v1", ({ ttl: spelled, back }) => {
    const values = { v1alpha1: { "spec.ttl": fc.constant(spelled), status } };
    const loss = `v1alpha1 loses spec.ttl in v1: ${JSON.stringify(spelled)} comes back as ${JSON.stringify(back)}`;
    expect(() => testConversion(rancherToken(options), { values })).toThrow(loss);
  });
});

describe("one token in two versions", () => {
  test.each([
    { v1alpha1: { ttl: "90", enabled: "true" }, v1: { ttlSeconds: 90, enabled: true } },
    { v1alpha1: { ttl: "0", enabled: "false" }, v1: { ttlSeconds: 0, enabled: false } },
  ])("$v1alpha1 is $v1, whichever was written", async ({ v1alpha1, v1 }) => {
    await using server = await startTokenServer();
    const names = { userID: "admin", clusterName: "c" };
    const old = await server.create("old", { ...names, ...v1alpha1 });
    const made = await createV1(server, "new", { ...names, ...v1 });
    expect(old.spec).toEqual({ ...names, ...v1alpha1 });
    expect(made.spec).toEqual({ ...names, ...v1 });
    for (const name of ["old", "new"]) {
      const one = await server.read(`${TOKENS}/${name}`);
      const other = await server.read(`${TOKENS_V1}/${name}`);
      expect(one.spec).toEqual({ ...names, ...v1alpha1 });
      expect(other).toMatchObject({ apiVersion: "tomlebreux.com/v1", kind: "RancherToken", spec: { ...names, ...v1 } });
      expect(other.metadata).toEqual(one.metadata);
      const { hashedToken, healthy: _healthy, ...shared } = one.status;
      expect(other.status).toEqual({ ...shared, hash: hashedToken });
    }
  });

  test("a v1 token lies in its Secret as any other, and is good for logging in", async () => {
    await using server = await startTokenServer();
    const made = await createV1(server, "a", { clusterName: "c", ttlSeconds: 90 });
    const secret = await server.read(`${SECRETS}/a`);
    const values = { userID: "admin", clusterName: "c", ttl: "90", enabled: "true", hashedToken: made.status.hash };
    for (const [key, value] of Object.entries(values)) expect(dataOf(secret, key)).toBe(value);
    const plaintext = plaintextOf(made);
    expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: true, userID: "admin", clusterName: "c" });
    await server.patch(`${TOKENS_V1}/a`, { spec: { enabled: false } });
    expect(await server.verify(plaintext, signal)).toEqual({ isValid: false, reason: "Disabled" });
    await server.patch(`${TOKENS}/a`, { spec: { enabled: "true", ttl: "100" } });
    expect((await server.read(`${TOKENS_V1}/a`)).spec).toMatchObject({ enabled: true, ttlSeconds: 100 });
    expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: true });
  });

  test("a PUT and patches of either are seen by watches of both", async () => {
    await using server = await startTokenServer();
    const { metadata } = await createV1(server, "a", { ttlSeconds: 90 });
    const watch = async (path: string) => (await server.request("GET", `${path}?watch=true&resourceVersion=${metadata.resourceVersion}`)).events();
    const old = take(await watch(TOKENS), 5);
    const present = take(await watch(TOKENS_V1), 5);
    await server.patch(`${TOKENS}/a`, { spec: { ttl: "100" } });
    await server.patch(`${TOKENS_V1}/a`, { spec: { ttlSeconds: null } }); // the default
    const read = await server.read(`${TOKENS}/a`);
    await server.request("PUT", `${TOKENS}/a`, { body: { ...read, spec: { ...read.spec, enabled: "false" } } });
    const readV1 = await server.read(`${TOKENS_V1}/a`);
    await server.request("PUT", `${TOKENS_V1}/a`, { body: { ...readV1, spec: { ...readV1.spec, ttlSeconds: 5 } } });
    const jsonPatch = { headers: { "content-type": "application/json-patch+json" }, body: [{ op: "replace", path: "/spec/enabled", value: true }] };
    expect((await server.request("PATCH", `${TOKENS_V1}/a`, jsonPatch)).status).toBe(200);
    expect((await old).map(({ object: { apiVersion, spec } }) => [apiVersion, spec.ttl, spec.enabled])).toEqual([
      ["tomlebreux.com/v1alpha1", "100", "true"],
      ["tomlebreux.com/v1alpha1", "0", "true"],
      ["tomlebreux.com/v1alpha1", "0", "false"],
      ["tomlebreux.com/v1alpha1", "5", "false"],
      ["tomlebreux.com/v1alpha1", "5", "true"],
    ]);
    expect((await present).map(({ object: { apiVersion, spec } }) => [apiVersion, spec.ttlSeconds, spec.enabled])).toEqual([
      ["tomlebreux.com/v1", 100, true],
      ["tomlebreux.com/v1", 0, true],
      ["tomlebreux.com/v1", 0, false],
      ["tomlebreux.com/v1", 5, false],
      ["tomlebreux.com/v1", 5, true],
    ]);
    expect((await old).map(({ object }) => object.metadata.resourceVersion)).toEqual(
      (await present).map(({ object }) => object.metadata.resourceVersion),
    );
  });

  test("a write that changes nothing is none, in either", async () => {
    await using server = await startTokenServer();
    await createV1(server, "a", { ttlSeconds: 90, description: "d" });
    for (const path of [TOKENS_V1, TOKENS]) {
      const read = await server.read(`${path}/a`);
      expect((await server.request("PUT", `${path}/a`, { body: read })).json()).toEqual(read);
      expect((await server.patch(`${path}/a`, { spec: read.spec })).json()).toEqual(read);
    }
  });

  test("kubectl's default is v1, and both are there", async () => {
    await using server = await startTokenServer();
    const group = await server.read("/apis/tomlebreux.com");
    expect(group).toMatchObject({ preferredVersion: { version: "v1" }, versions: [{ version: "v1" }, { version: "v1alpha1" }] });
    for (const version of ["v1", "v1alpha1"]) {
      const { resources } = await server.read(`/apis/tomlebreux.com/${version}`);
      expect((resources as { name: string }[]).map(({ name }) => name)).toEqual([
        "clusterranchertokens",
        "clusterranchertokens/status",
        "ranchertokens",
        "ranchertokens/status",
      ]);
    }
  });

  test("fields belong to who wrote them, in the version in which they were written", async () => {
    await using server = await startTokenServer();
    await server.request("POST", `${TOKENS_V1}?fieldManager=maker`, { body: body("a", { ttlSeconds: 90, description: "d" }) });
    const owned = async () =>
      Object.fromEntries(
        (await server.read(`${TOKENS_V1}/a`)).metadata.managedFields.map(({ manager, apiVersion, fieldsV1 }) => [
          `${manager} ${apiVersion}`,
          Object.keys((fieldsV1 as { "f:spec"?: object })["f:spec"] ?? {}).sort(),
        ]),
      );
    const rest = [".", "f:clusterName", "f:description", "f:enabled"];
    expect(await owned()).toEqual({ "maker tomlebreux.com/v1": [...rest, "f:ttlSeconds", "f:userID"] });
    await server.patch(`${TOKENS}/a?fieldManager=changer`, { spec: { ttl: "100" }, metadata: { labels: { a: "b" } } });
    expect(await owned()).toEqual({
      "maker tomlebreux.com/v1": [...rest, "f:userID"],
      "changer tomlebreux.com/v1alpha1": ["f:ttl"],
    });
    // The annotation is the description, and whoever changes the one owns the other no more.
    await server.patch(`${TOKENS}/a?fieldManager=changer`, { metadata: { annotations: { [DESCRIPTION]: "e" } } });
    expect(await owned()).toMatchObject({ "maker tomlebreux.com/v1": [".", "f:clusterName", "f:enabled", "f:userID"] });
  });
});

describe("a description", () => {
  test("is not lost when the token is written back in v1alpha1, which has no field for it", async () => {
    await using server = await startTokenServer();
    const made = await createV1(server, "a", { description: "For the nightly build." }, { annotations: { other: "x" } });
    expect(made).toMatchObject({ spec: { description: "For the nightly build." }, metadata: { annotations: { other: "x" } } });
    expect(made.metadata.annotations).not.toHaveProperty([DESCRIPTION]);
    const old = await server.read(`${TOKENS}/a`);
    expect(old.spec).toEqual({ userID: "admin", clusterName: "", ttl: "0", enabled: "true" });
    expect(old.metadata.annotations).toEqual({ other: "x", [DESCRIPTION]: "For the nightly build." });
    const put = await server.request("PUT", `${TOKENS}/a`, { body: { ...old, spec: { ...old.spec, ttl: "90" } } });
    expect(put.json().spec).toMatchObject({ ttl: "90" });
    await server.patch(`${TOKENS}/a`, { spec: { enabled: false }, metadata: { annotations: { other: null } } });
    expect((await server.read(`${TOKENS_V1}/a`)).spec).toMatchObject({ description: "For the nightly build.", ttlSeconds: 90, enabled: false });
  });

  test("can be changed and removed in both", async () => {
    await using server = await startTokenServer();
    await createV1(server, "a", { description: "one" });
    await server.patch(`${TOKENS}/a`, { metadata: { annotations: { [DESCRIPTION]: "two" } } });
    expect((await server.read(`${TOKENS_V1}/a`)).spec.description).toBe("two");
    await server.patch(`${TOKENS_V1}/a`, { spec: { description: "" } });
    expect((await server.read(`${TOKENS}/a`)).metadata.annotations).toEqual({ [DESCRIPTION]: "" });
    await server.patch(`${TOKENS_V1}/a`, { spec: { description: null } });
    expect((await server.read(`${TOKENS}/a`)).metadata).not.toHaveProperty("annotations");
    await server.patch(`${TOKENS_V1}/a`, { spec: { description: "three" } });
    await server.patch(`${TOKENS}/a`, { metadata: { annotations: { [DESCRIPTION]: null } } });
    const last = await server.read(`${TOKENS_V1}/a`);
    expect(last.spec).not.toHaveProperty("description");
    expect(last.metadata).not.toHaveProperty("annotations");
  });

  test("that is too long is refused, in the words of the version; of one that a Secret has all the same v1 shows the beginning", async () => {
    await using server = await startTokenServer();
    const long = "é".repeat(1025);
    const inV1 = await server.request("POST", TOKENS_V1, { body: body("a", { description: long }) });
    expect(faults(inV1)).toEqual(["spec.description: Too long: may not be more than 1024 bytes"]);
    const tooLong = [`metadata.annotations[${DESCRIPTION}]: Too long: may not be more than 1024 bytes`];
    await server.create("a");
    expect(faults(await server.patch(`${TOKENS}/a`, { metadata: { annotations: { [DESCRIPTION]: long } } }))).toEqual(tooLong);
    await server.patch(`${SECRETS}/a`, { metadata: { annotations: { [DESCRIPTION]: long } } });
    expect((await server.read(`${TOKENS_V1}/a`)).spec.description).toBe("é".repeat(1024));
    // It is no obstacle to other changes, in either.
    expect((await server.patch(`${TOKENS}/a`, { spec: { enabled: false } })).status).toBe(200);
    expect((await server.patch(`${TOKENS_V1}/a`, { spec: { enabled: true } })).status).toBe(200);
  });
});

describe("what v1 refuses, it says of its own fields", () => {
  test.each([
    { spec: { ttlSeconds: -1 }, want: /^spec\.ttlSeconds: Invalid value: -1: .*greater than or equal to 0$/ },
    { spec: { ttlSeconds: 1.5 }, want: /^spec\.ttlSeconds: Invalid value: "number": .*must be of type integer/ },
    { spec: { ttlSeconds: "90" }, want: /^spec\.ttlSeconds: Invalid value: "string": .*must be of type integer/ },
    { spec: { ttlSeconds: 10 ** 15 }, want: /^spec\.ttlSeconds: Invalid value: .*less than or equal to 999999999999999$/ },
    { spec: { enabled: "true" }, want: /^spec\.enabled: Invalid value: "string": .*must be of type boolean/ },
    { spec: { description: 5 }, want: /^spec\.description: Invalid value: "integer": .*must be of type string/ },
    { spec: { userID: "" }, want: /^spec\.userID: Required value$/ },
    { spec: { userID: "a\nb" }, want: /^spec\.userID: Invalid value: .*must not have control characters$/ },
  ])("$spec", async ({ spec, want }) => {
    await using server = await startTokenServer();
    const refused = await server.request("POST", TOKENS_V1, { body: body("a", spec) });
    expect(refused.json()).toMatchObject({ code: 422, reason: "Invalid", details: { name: "a", group: "tomlebreux.com", kind: "RancherToken" } });
    expect(faults(refused)).toEqual([expect.stringMatching(want)]);
    await createV1(server, "a");
    const changed = await server.patch(`${TOKENS_V1}/a`, { spec });
    expect(changed.status).toBe(422);
    expect(faults(changed)[0]).toMatch(want);
  });

  test("userID and clusterName cannot change", async () => {
    await using server = await startTokenServer();
    await createV1(server, "a", { clusterName: "c" });
    expect(faults(await server.patch(`${TOKENS_V1}/a`, { spec: { userID: "bob", clusterName: "d" } }))).toEqual([
      'spec.userID: Invalid value: "bob": field is immutable',
      'spec.clusterName: Invalid value: "d": field is immutable',
    ]);
  });

  test("fields of v1alpha1 are unknown in v1, and the other way round", async () => {
    await using server = await startTokenServer();
    const strict = (path: string, spec: object) =>
      server.request("POST", `${path}?fieldValidation=Strict`, { body: { metadata: { name: "a" }, spec: { userID: "admin", ...spec } } });
    expect((await strict(TOKENS_V1, { ttl: "5" })).json()).toMatchObject({ code: 400, message: expect.stringContaining('unknown field "spec.ttl"') });
    expect((await strict(TOKENS, { ttlSeconds: 5 })).json()).toMatchObject({ message: expect.stringContaining('unknown field "spec.ttlSeconds"') });
    expect((await strict(TOKENS, { description: "d" })).json()).toMatchObject({
      message: expect.stringContaining('unknown field "spec.description"'),
    });
  });

  test("status is the server's", async () => {
    await using server = await startTokenServer();
    const forged = { plaintextToken: "mine", hash: "sha256:mine", expired: true, conditions: [] };
    const made = (await server.request("POST", TOKENS_V1, { body: { ...body("a"), status: forged } })).json();
    expect(made.status).toMatchObject({ plaintextToken: expect.stringMatching(/^ranchertoken\.default\.a\./), expired: false });
    expect(made.status.hash).not.toBe("sha256:mine");
    const present = await server.read(`${TOKENS_V1}/a`);
    expect((await server.request("PUT", `${TOKENS_V1}/a`, { body: { ...present, status: forged } })).json()).toEqual(present);
    expect((await server.patch(`${TOKENS_V1}/a/status`, { status: forged })).status).toBe(403);
    expect(await server.read(`${TOKENS_V1}/a/status`)).toEqual(present);
  });
});

describe("the conditions of a token", () => {
  const at = (seconds: number) => new Date(Date.parse("2026-01-01T00:00:00Z") + seconds * 1000).toISOString().replace(".000", "");
  const ready = async (server: TokenServer) => {
    const token = await server.read(`${TOKENS_V1}/a`);
    const { status, reason, lastTransitionTime, observedGeneration } = conditionOf(token, "Ready") ?? {};
    expect(observedGeneration).toBe(token.metadata.generation);
    return [status, reason, lastTransitionTime];
  };

  test("say whether it is good for logging in, why, and since when", async () => {
    await using server = await startTokenServer();
    const made = await createV1(server, "a", { ttlSeconds: 1000 }, { finalizers: ["example.com/hold"] });
    expect(conditionOf(made, "Ready")).toEqual(conditionOf(await server.read(`${TOKENS_V1}/a`), "Ready"));
    expect(await ready(server)).toEqual(["True", "Usable", at(0)]);
    await server.clock.step(10_000);
    await server.patch(`${TOKENS_V1}/a`, { metadata: { labels: { x: "y" } } });
    expect(await ready(server)).toEqual(["True", "Usable", at(0)]);
    await server.patch(`${TOKENS_V1}/a`, { spec: { enabled: false } });
    expect(await ready(server)).toEqual(["False", "Disabled", at(10)]);
    await server.clock.step(10_000);
    await server.patch(`${TOKENS}/a`, { spec: { ttl: "100" } });
    expect(await ready(server)).toEqual(["False", "Disabled", at(10)]);
    await server.patch(`${TOKENS}/a`, { spec: { enabled: "true" } });
    expect(await ready(server)).toEqual(["True", "Usable", at(20)]);
    const loop = new AbortController();
    const running = server.runExpiry({ graceMs: 1_000_000 }, loop.signal);
    await server.clock.step(90_000);
    await settled();
    loop.abort();
    await running;
    expect(await ready(server)).toEqual(["False", "Expired", at(100)]);
    await server.patch(`${TOKENS_V1}/a`, { spec: { ttlSeconds: 1000 } });
    expect(await ready(server)).toEqual(["True", "Usable", at(110)]);
    await server.clock.step(10_000);
    await server.request("DELETE", `${TOKENS_V1}/a`);
    expect(await ready(server)).toEqual(["False", "Deleting", at(120)]);
  });

  test("of a Secret that was edited by hand are since then, and no write through the API moves that", async () => {
    await using server = await startTokenServer();
    const plaintext = plaintextOf(await createV1(server, "a"));
    await server.clock.step(10_000);
    await server.editSecret(`${SECRETS}/a`, { userID: "root" });
    expect(await ready(server)).toEqual(["False", "Unhealthy", at(10)]);
    expect(conditionOf(await server.read(`${TOKENS_V1}/a`), "Healthy")).toMatchObject({
      status: "False",
      reason: "SecretChanged",
      lastTransitionTime: at(10),
    });
    await server.clock.step(10_000);
    for (const path of [TOKENS_V1, TOKENS]) await server.patch(`${path}/a`, { metadata: { labels: { by: path.length.toString() } } });
    expect(await ready(server)).toEqual(["False", "Unhealthy", at(10)]);
    expect(await server.verify(plaintext, signal)).toEqual({ isValid: false, reason: "Unhealthy" });
    await server.clock.step(10_000);
    await server.editSecret(`${SECRETS}/a`, { userID: "admin" });
    expect(await ready(server)).toEqual(["True", "Usable", at(30)]);
  });

  test.each([
    "",
    "no JSON",
    "null",
    "[]",
    '{"Ready":5}',
    '{"Ready":{"status":"True","lastTransitionTime":"2026-13-01T00:00:00Z"}}',
    '{"Ready":{"status":"Odd"}}',
  ])("are there whatever stands where their times are recorded: %s", async (transitions) => {
    await using server = await startTokenServer();
    await createV1(server, "a");
    await server.clock.step(10_000);
    await server.editSecret(`${SECRETS}/a`, { transitions });
    expect(await ready(server)).toEqual(["True", "Usable", at(10)]);
    await server.clock.step(10_000);
    await server.patch(`${TOKENS_V1}/a`, { spec: { enabled: false } });
    expect(await ready(server)).toEqual(["False", "Disabled", at(20)]);
  });

  test("are there for a token of before they were recorded", async () => {
    await using server = await startTokenServer();
    await createV1(server, "a");
    await server.editSecret(`${SECRETS}/a`, { transitions: undefined });
    await server.clock.step(10_000);
    expect(await ready(server)).toEqual(["True", "Usable", at(0)]);
    await server.patch(`${TOKENS_V1}/a`, { spec: { enabled: false } });
    expect(await ready(server)).toEqual(["False", "Disabled", at(10)]);
  });
});

describe("a table of v1", () => {
  test("has the columns of the fields of v1", async () => {
    await using server = await startTokenServer();
    await createV1(server, "a", { clusterName: "c", ttlSeconds: 90, description: "d" });
    await createV1(server, "b", { enabled: false });
    await server.clock.step(30_000);
    const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
    const table = (await server.request("GET", TOKENS_V1, { headers })).json();
    expect(table.columnDefinitions.map(({ name, priority }) => (priority === 0 ? name : `(${name})`)).join(" ")).toBe(
      "Name User Cluster Enabled TTL Age (Expires) (Hash) (Ready) (Reason) (Description)",
    );
    const hash = (name: string) => expect.stringMatching(name === "" ? /^$/ : /^sha256:.{8}$/);
    expect(table.rows.map(({ cells }) => cells)).toEqual([
      ["a", "admin", "c", true, "60s", "30s", "2026-01-01T00:01:30Z", hash("a"), "True", "Usable", "d"],
      ["b", "admin", "", false, "never", "30s", null, hash("b"), "False", "Disabled", null],
    ]);
    const cluster = await server.request("POST", CLUSTER_TOKENS_V1, { body: { metadata: { name: "a" }, spec: { ttlSeconds: 5 } }, headers });
    expect(cluster.json().rows[0]?.cells.slice(0, 5)).toEqual(["a", "admin", "", true, "5s"]);
  });
});

describe("a ClusterRancherToken in v1", () => {
  test("is the caller's unless it says otherwise, and the same in v1alpha1", async () => {
    await using server = await startTokenServer();
    const made = (
      await server.request("POST", CLUSTER_TOKENS_V1, { body: { metadata: { name: "a" }, spec: { ttlSeconds: 90, description: "d" } } })
    ).json();
    expect(made).toMatchObject({
      spec: { userID: "admin", ttlSeconds: 90 },
      status: { plaintextToken: expect.stringMatching(/^clusterranchertoken\.a\./) },
    });
    expect(await server.read(`${CLUSTER_TOKENS}/a`)).toMatchObject({
      spec: { userID: "admin", ttl: "90" },
      metadata: { annotations: { [DESCRIPTION]: "d" } },
    });
    const patched = await server.request("PATCH", `${CLUSTER_TOKENS_V1}/a`, { body: { spec: { enabled: false } }, headers: MERGE_PATCH });
    expect(patched.json().spec).toMatchObject({ userID: "admin", enabled: false });
  });
});
