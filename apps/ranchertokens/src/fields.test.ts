import { ADMIN, ALICE, type AnswerBody, type HarnessResponse } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { CLUSTER_TOKENS, MERGE_PATCH, startTokenServer, TOKENS, token } from "./testing/token-server.ts";

/** Each fault as `field: message`. */
const faults = (response: HarnessResponse) =>
  response
    .json()
    .details.causes.filter(({ field }) => field !== "<nil>") // that the kind's own rules were not asked
    .map(({ field, message }) => `${field}: ${message}`);
const clusterToken = (name: string, spec: object) => ({ metadata: { name }, spec });
/** May make tokens of any kind, for nobody but herself. */
const mayWrite = ({ verb }: { readonly verb: string }) => verb !== "impersonate";

describe("the fields of a token", () => {
  test.each([
    { sent: {}, want: { clusterName: "", ttl: "0", enabled: "true" } },
    { sent: { ttl: 90, enabled: false }, want: { ttl: "90", enabled: "false" } },
    { sent: { ttl: "90", enabled: "false" }, want: { ttl: "90", enabled: "false" } },
    { sent: { ttl: "", enabled: true }, want: { ttl: "", enabled: "true" } },
    { sent: { ttl: 0 }, want: { ttl: "0" } },
    { sent: { clusterName: "my-cluster" }, want: { clusterName: "my-cluster" } },
  ])("$sent is read back as text", async ({ sent, want }) => {
    await using server = await startTokenServer();
    const created = await server.create("a", { userID: "admin", ...sent });
    expect(created.spec).toMatchObject(want);
    expect((await server.read(`${TOKENS}/a`)).spec).toEqual(created.spec);
  });

  test("a patch and a PUT take numbers and booleans as well", async () => {
    await using server = await startTokenServer();
    const created = await server.create("a");
    expect((await server.patch(`${TOKENS}/a`, { spec: { ttl: 5, enabled: false } })).json().spec).toMatchObject({ ttl: "5", enabled: "false" });
    const { resourceVersion } = (await server.read(`${TOKENS}/a`)).metadata;
    const body = { ...created, metadata: { ...created.metadata, resourceVersion }, spec: { ...created.spec, ttl: 6, enabled: true } };
    expect((await server.request("PUT", `${TOKENS}/a`, { body })).json().spec).toMatchObject({ ttl: "6", enabled: "true" });
    const body2 = [{ op: "replace", path: "/spec/ttl", value: 7 }];
    const patched = await server.request("PATCH", `${TOKENS}/a`, { body: body2, headers: { "content-type": "application/json-patch+json" } });
    expect(patched.json().spec).toMatchObject({ ttl: "7" });
  });

  test.each([
    { spec: { ttl: -1 }, want: ['spec.ttl: Invalid value: "-1": must be a whole number of seconds, 0 or more'] },
    { spec: { ttl: 1.5 }, want: ['spec.ttl: Invalid value: "1.5": must be a whole number of seconds, 0 or more'] },
    { spec: { ttl: "1.5" }, want: ['spec.ttl: Invalid value: "1.5": must be a whole number of seconds, 0 or more'] },
    { spec: { ttl: "soon" }, want: ['spec.ttl: Invalid value: "soon": must be a whole number of seconds, 0 or more'] },
    { spec: { ttl: " 90" }, want: ['spec.ttl: Invalid value: " 90": must be a whole number of seconds, 0 or more'] },
    { spec: { ttl: "1234567890123456" }, want: ["spec.ttl: Too long: may not be more than 15 bytes"] },
    { spec: { userID: "" }, want: ["spec.userID: Required value"] },
    { spec: { enabled: "yes" }, want: ['spec.enabled: Unsupported value: "yes": supported values: "true", "false"'] },
    { spec: { enabled: "" }, want: ['spec.enabled: Unsupported value: "": supported values: "true", "false"'] },
    {
      spec: { userID: "", ttl: "-1" },
      want: ["spec.userID: Required value", 'spec.ttl: Invalid value: "-1": must be a whole number of seconds, 0 or more'],
    },
  ])("$spec is refused, naming the field", async ({ spec, want }) => {
    await using server = await startTokenServer();
    const refused = await server.request("POST", TOKENS, { body: token("a", { userID: "admin", ...spec }) });
    expect(refused.json()).toMatchObject({ code: 422, reason: "Invalid", details: { name: "a", group: "tomlebreux.com", kind: "RancherToken" } });
    expect(faults(refused)).toEqual(want);
    await server.create("a");
    const patched = await server.patch(`${TOKENS}/a`, { spec });
    expect(patched.json()).toMatchObject({ code: 422 });
    expect(faults(patched)).toEqual(expect.arrayContaining(want));
  });

  test.each([{ ttl: {} }, { enabled: [] }, { userID: 5 }, { ttl: true }])("$0 of another type is refused, naming the field", async (spec) => {
    await using server = await startTokenServer();
    const refused = await server.request("POST", TOKENS, { body: token("a", { userID: "admin", ...spec }) });
    expect(refused.status).toBe(422);
    expect(faults(refused)[0]).toMatch(new RegExp(`^spec\\.${Object.keys(spec)[0]}: Invalid value: `));
  });

  test("userID and clusterName cannot change, enabled and ttl can", async () => {
    await using server = await startTokenServer();
    await server.create("a", { userID: "admin", clusterName: "c" });
    const refused = await server.patch(`${TOKENS}/a`, { spec: { userID: "bob", clusterName: "d" } });
    expect(faults(refused)).toEqual([
      'spec.userID: Invalid value: "bob": field is immutable',
      'spec.clusterName: Invalid value: "d": field is immutable',
    ]);
    expect((await server.patch(`${TOKENS}/a`, { spec: { ttl: "60", enabled: "false" } })).status).toBe(200);
    expect((await server.patch(`${TOKENS}/a`, { spec: { clusterName: null } })).status).toBe(422);
  });
});

describe("whose token it is", () => {
  test("a RancherToken says it, a ClusterRancherToken is the caller's unless it says otherwise", async () => {
    await using server = await startTokenServer({ allow: mayWrite });
    expect(faults(await server.request("POST", TOKENS, { body: token("a", {}) }))).toEqual(["spec.userID: Required value"]);
    const mine = await server.request("POST", CLUSTER_TOKENS, { body: clusterToken("a", { ttl: 90, clusterName: "c" }), user: ALICE });
    expect(mine.json().spec).toEqual({ userID: "alice", ttl: "90", clusterName: "c", enabled: "true" });
  });

  test("a change without a userID leaves that of a ClusterRancherToken alone, whoever changes it", async () => {
    await using server = await startTokenServer({ allow: mayWrite });
    const made = (await server.request("POST", CLUSTER_TOKENS, { body: clusterToken("a", {}), user: ALICE })).json();
    const body = { metadata: { name: "a", resourceVersion: made.metadata.resourceVersion }, spec: { ttl: 5 } };
    const replaced = await server.request("PUT", `${CLUSTER_TOKENS}/a`, { body, user: ADMIN });
    expect(replaced.json().spec).toMatchObject({ userID: "alice", ttl: "5" });
    expect((await server.patch(`${CLUSTER_TOKENS}/a`, { spec: { userID: "admin" } })).status).toBe(422);
  });

  test.each([TOKENS, CLUSTER_TOKENS])("a token for somebody else needs the verb impersonate on that name: %s", async (path) => {
    const asked: unknown[] = [];
    await using server = await startTokenServer({
      allow: (attributes) => {
        if (attributes.verb === "impersonate") asked.push(attributes);
        return attributes.verb !== "impersonate" || (attributes.type === "resource" && attributes.name === "bob");
      },
    });
    const refused = await server.request("POST", path, { body: clusterToken("a", { userID: "carol" }), user: ALICE });
    expect(refused.json()).toMatchObject({ code: 403, reason: "Forbidden", details: { name: "a", group: "tomlebreux.com" } });
    expect(refused.json().message).toMatch(/"a" is forbidden: User "alice" cannot make a token for user "carol"$/);
    expect(asked).toEqual([
      expect.objectContaining({ group: "tomlebreux.com", resource: "users", subresource: "", namespace: "", name: "carol", user: ALICE }),
    ]);
    expect((await server.request("GET", `${path}/a`)).status).toBe(404);
    expect((await server.request("POST", `${path}?dryRun=All`, { body: clusterToken("a", { userID: "carol" }), user: ALICE })).status).toBe(403);
    expect((await server.request("POST", path, { body: clusterToken("b", { userID: "bob" }), user: ALICE })).status).toBe(201);
    expect((await server.request("POST", path, { body: clusterToken("c", { userID: "alice" }), user: ALICE })).status).toBe(201);
  });

  test("who may change a token may not make it somebody else's", async () => {
    await using server = await startTokenServer({ allow: () => true });
    await server.create("a");
    expect((await server.patch(`${TOKENS}/a`, { spec: { userID: "alice" } }, { user: ALICE, headers: MERGE_PATCH })).status).toBe(422);
  });
});

describe("status", () => {
  const forged = { plaintextToken: "mine", hashedToken: "sha256:mine", expiresAt: "2000-01-01T00:00:00Z", expired: true, healthy: false };
  const ownedStatus = ({ metadata }: AnswerBody) => JSON.stringify(metadata.managedFields).match(/"f:(status|plaintextToken|hashedToken)"/);

  test("is the server's: what a client sends is dropped", async () => {
    await using server = await startTokenServer();
    const created = (await server.request("POST", TOKENS, { body: { ...token("a"), status: forged } })).json();
    expect(created.status).toEqual({
      plaintextToken: expect.stringMatching(/^ranchertoken\.default\.a\./),
      hashedToken: expect.stringMatching(/^sha256:[\w-]{43}$/),
      expired: false,
      healthy: true,
      conditions: [expect.objectContaining({ type: "Ready", status: "True" }), expect.objectContaining({ type: "Healthy", status: "True" })],
    });
    const { plaintextToken: _told, ...kept } = created.status;
    const present = await server.read(`${TOKENS}/a`);
    expect(present.status).toEqual(kept);
    expect(ownedStatus(present)).toBeNull();
    expect((await server.request("PUT", `${TOKENS}/a`, { body: { ...present, status: forged } })).json()).toEqual(present);
    expect((await server.patch(`${TOKENS}/a`, { status: forged })).json()).toEqual(present);
    const removed = await server.request("PATCH", `${TOKENS}/a`, {
      body: [{ op: "remove", path: "/status" }],
      headers: { "content-type": "application/json-patch+json" },
    });
    expect(removed.json()).toEqual(present);
  });

  test("can be read alone, and be written by nobody", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    const present = await server.read(`${TOKENS}/a`);
    expect(await server.read(`${TOKENS}/a/status`)).toEqual(present);
    const refused = await server.patch(`${TOKENS}/a/status`, { status: forged });
    expect(refused.json()).toMatchObject({
      code: 403,
      message: 'ranchertokens.tomlebreux.com "a" is forbidden: status is written by the server alone',
    });
    expect((await server.request("PUT", `${TOKENS}/a/status`, { body: present })).status).toBe(403);
    const namesake = { name: "system:apiserver", groups: ["system:masters"], extra: {} };
    expect((await server.patch(`${TOKENS}/a/status`, { status: { expired: true } }, { user: namesake })).status).toBe(403);
    expect(await server.read(`${TOKENS}/a`)).toEqual(present);
  });

  test("expiresAt is creation plus ttl, and follows the ttl", async () => {
    await using server = await startTokenServer();
    const created = await server.create("a", { userID: "admin", ttl: 90 });
    const at = (seconds: number) => new Date(Date.parse(created.metadata.creationTimestamp) + seconds * 1000).toISOString().replace(".000", "");
    expect(created.status).toMatchObject({ expiresAt: at(90), expired: false });
    await server.clock.step(10_000);
    const rehearsed = await server.patch(`${TOKENS}/a?dryRun=All`, { spec: { ttl: 120 } });
    expect(rehearsed.json().status).toMatchObject({ expiresAt: at(120) });
    expect((await server.patch(`${TOKENS}/a`, { spec: { ttl: 120 } })).json().status).toMatchObject({ expiresAt: at(120) });
    expect((await server.patch(`${TOKENS}/a`, { spec: { ttl: "" } })).json().status).not.toHaveProperty("expiresAt");
    expect((await server.patch(`${TOKENS}/a`, { spec: { ttl: "999999999999999" } })).json().status).toMatchObject({
      expiresAt: "9999-12-31T23:59:59Z",
    });
  });
});
