import type { AnswerBody, HarnessResponse } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { CLUSTER_TOKENS_V1, SECRETS, startTokenServer, TOKENS, TOKENS_V1, type TokenServer } from "./testing/token-server.ts";

const DESCRIPTION = "tomlebreux.com/description";

/** Applies a token of a version as a manager. */
async function apply(server: TokenServer, version: "v1" | "v1alpha1", fields: object, query = "fieldManager=one"): Promise<HarnessResponse> {
  const body = { apiVersion: `tomlebreux.com/${version}`, kind: "RancherToken", metadata: { name: "a" }, ...fields };
  const path = version === "v1" ? TOKENS_V1 : TOKENS;
  return server.request("PATCH", `${path}/a?${query}`, { body, headers: { "content-type": "application/apply-patch+yaml" } });
}

const specOf = (fields: object = {}) => ({ spec: { userID: "admin", ...fields } });

/** Whose each field of spec and each annotation is: `manager version`. */
function ownersOf({ metadata }: AnswerBody): Record<string, readonly string[]> {
  return Object.fromEntries(
    metadata.managedFields.map(({ manager, apiVersion, fieldsV1 }) => {
      const { "f:spec": spec = {}, "f:metadata": { "f:annotations": annotations = {} } = {} } = fieldsV1 as Record<string, Record<string, object>>;
      return [`${manager} ${apiVersion.split("/")[1]}`, [...Object.keys(spec), ...Object.keys(annotations)].sort()];
    }),
  );
}

describe("server-side apply of tokens", () => {
  test.each(["v1", "v1alpha1"] as const)("makes one in %s, tells the plaintext once, and changes nothing the second time", async (version) => {
    await using server = await startTokenServer();
    const created = await apply(server, version, specOf());
    expect(created.status, created.text).toBe(201);
    expect(created.json().status.plaintextToken).toMatch(/^ranchertoken\.default\.a\./);
    const again = await apply(server, version, specOf());
    expect(again.status).toBe(200);
    expect(again.text).not.toContain("plaintextToken");
    expect(again.json().metadata.resourceVersion).toBe(created.json().metadata.resourceVersion);
    expect((await server.read(`${SECRETS}/a`)).type).toBe("tomlebreux.com/token");
  });

  test("of one in both versions keeps what the other manager applied, converted", async () => {
    await using server = await startTokenServer();
    await apply(server, "v1", specOf({ ttlSeconds: 90, description: "d" }));
    const other = await apply(server, "v1alpha1", { spec: { enabled: "false" } }, "fieldManager=two");
    expect(other.status, other.text).toBe(200);
    const present = await server.read(`${TOKENS_V1}/a`);
    expect(present.spec).toEqual({ userID: "admin", clusterName: "", ttlSeconds: 90, enabled: false, description: "d" });
    expect(ownersOf(present)).toEqual({ "one v1": ["f:description", "f:ttlSeconds", "f:userID"], "two v1alpha1": ["f:enabled"] });
    expect((await server.read(`${TOKENS}/a`)).metadata.annotations).toEqual({ [DESCRIPTION]: "d" });
  });

  test("is in conflict over a field, in whichever version it is owned, and may be forced", async () => {
    await using server = await startTokenServer();
    await apply(server, "v1", specOf({ ttlSeconds: 90 }));
    const refused = await apply(server, "v1alpha1", specOf({ ttl: "100" }), "fieldManager=two");
    expect(refused.json()).toMatchObject({ code: 409, reason: "Conflict" });
    expect(refused.json().details.causes).toEqual([
      expect.objectContaining({
        reason: "FieldManagerConflict",
        field: expect.stringMatching(/^\.spec\.ttl/),
        message: expect.stringContaining('"one"'),
      }),
    ]);
    expect((await apply(server, "v1alpha1", specOf({ ttl: "100" }), "fieldManager=two&force=true")).status).toBe(200);
    const present = await server.read(`${TOKENS_V1}/a`);
    expect(present.spec).toMatchObject({ ttlSeconds: 100 });
    expect(ownersOf(present)).toEqual({ "one v1": ["f:userID"], "two v1alpha1": ["f:ttl", "f:userID"] });
    // The same value is no conflict: both own it.
    expect((await apply(server, "v1", specOf({ ttlSeconds: 100 }))).status).toBe(200);
  });

  test("goes over to the other version without losing what that has no field for", async () => {
    await using server = await startTokenServer();
    await apply(server, "v1alpha1", specOf({ ttl: "90" }));
    // The same manager, now in v1: it owned its fields in v1alpha1 until now.
    const moved = await apply(server, "v1", specOf({ ttlSeconds: 90, description: "d" }));
    expect(moved.status, moved.text).toBe(200);
    expect(moved.json().spec).toMatchObject({ ttlSeconds: 90, description: "d" });
    expect(ownersOf(moved.json())).toEqual({ "one v1": ["f:description", "f:ttlSeconds", "f:userID"] });
    const back = await apply(server, "v1alpha1", { ...specOf({ ttl: "90" }), metadata: { name: "a", annotations: { [DESCRIPTION]: "d" } } });
    expect(ownersOf(back.json())).toEqual({ "one v1alpha1": [DESCRIPTION, "ttl", "userID"].map((field) => `f:${field}`).sort() });
    // What is applied no more goes, also through the other version.
    const without = await apply(server, "v1", specOf({ ttlSeconds: 90 }));
    expect(without.status, without.text).toBe(200);
    expect(without.json().spec).not.toHaveProperty("description");
    expect((await server.read(`${TOKENS}/a`)).metadata).not.toHaveProperty("annotations");
  });

  test("takes a field away that is applied no more, and what others own stays", async () => {
    await using server = await startTokenServer();
    await apply(server, "v1", specOf({ ttlSeconds: 90, description: "d", enabled: false }));
    await apply(server, "v1alpha1", { spec: { ttl: "90" } }, "fieldManager=two");
    const less = await apply(server, "v1", specOf());
    expect(less.json().spec).toEqual({ userID: "admin", clusterName: "", ttlSeconds: 90, enabled: true });
    expect((await apply(server, "v1alpha1", {}, "fieldManager=two")).status).toBe(200);
    expect((await server.read(`${TOKENS_V1}/a`)).spec).toMatchObject({ ttlSeconds: 0 });
  });

  test("names the fields of its version when it is refused, and what never changes does not", async () => {
    await using server = await startTokenServer();
    expect((await apply(server, "v1", specOf({ ttlSeconds: -1 }))).json().details.causes).toMatchObject([{ field: "spec.ttlSeconds" }]);
    await apply(server, "v1", specOf());
    const changed = await apply(server, "v1", { spec: { userID: "bob" } });
    expect(changed.json()).toMatchObject({ code: 422, details: { causes: [{ field: "spec.userID" }] } });
    const unknown = await apply(server, "v1", specOf({ ttl: "90" }));
    expect(unknown.status, unknown.text).toBeGreaterThanOrEqual(400);
    expect(unknown.status).toBeLessThan(500);
  });

  test("of a ClusterRancherToken works as well", async () => {
    await using server = await startTokenServer();
    const body = { apiVersion: "tomlebreux.com/v1", kind: "ClusterRancherToken", metadata: { name: "a" }, spec: { ttlSeconds: 90 } };
    const headers = { "content-type": "application/apply-patch+yaml" };
    const created = await server.request("PATCH", `${CLUSTER_TOKENS_V1}/a?fieldManager=one`, { body, headers });
    expect(created.status, created.text).toBe(201);
    expect(created.json()).toMatchObject({ spec: { userID: "admin", ttlSeconds: 90 }, status: { plaintextToken: expect.any(String) } });
    const again = await server.request("PATCH", `${CLUSTER_TOKENS_V1}/a?fieldManager=one`, { body, headers });
    expect(again.json().metadata.resourceVersion).toBe(created.json().metadata.resourceVersion);
  });
});
