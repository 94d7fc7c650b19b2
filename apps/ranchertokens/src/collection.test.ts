import type { AnswerBody } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { CLUSTER_TOKENS, dataOf, SECRETS, startTokenServer, TOKENS, take } from "./testing/token-server.ts";

const ALL = "/apis/tomlebreux.com/v1alpha1/ranchertokens";
const TABLE = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
const names = ({ items }: AnswerBody) => items.map(({ metadata }) => metadata.name);

describe("tables", () => {
  test("show user, cluster, enabled, what is left of the ttl, age; wide, the end and the beginning of the hash", async () => {
    await using server = await startTokenServer();
    const spec = { userID: "admin", clusterName: "c" };
    await server.create("a", { ...spec, ttl: 90 });
    await server.create("b", { ...spec, enabled: false });
    await server.create("c", { ...spec, ttl: 86_400 * 3 });
    await server.clock.step(30_000);
    const table = (await server.request("GET", TOKENS, { headers: TABLE })).json();
    expect(table.columnDefinitions.map(({ name, priority }) => [name, priority])).toEqual([
      ["Name", 0],
      ["User", 0],
      ["Cluster", 0],
      ["Enabled", 0],
      ["TTL", 0],
      ["Age", 0],
      ["Expires", 1],
      ["Hash", 1],
      ["Healthy", 1],
    ]);
    expect(table.rows.map(({ cells }) => cells.slice(0, 6))).toEqual([
      ["a", "admin", "c", "true", "60s", "30s"],
      ["b", "admin", "c", "false", "never", "30s"],
      ["c", "admin", "c", "true", "2d", "30s"],
    ]);
    const hash = (await server.read(`${TOKENS}/a`)).status.hashedToken;
    expect(table.rows[0]?.cells.slice(6)).toEqual(["2026-01-01T00:01:30Z", String(hash).slice(0, 15), true]);
    await server.clock.step(60_000);
    const later = (await server.request("GET", `${TOKENS}/a`, { headers: TABLE })).json();
    expect(later.rows[0]?.cells.slice(4, 6)).toEqual(["expired", "90s"]);
    await server.editSecret(`${SECRETS}/a`, { ttl: "soon" });
    const forged = (await server.request("GET", `${TOKENS}/a`, { headers: TABLE })).json();
    expect(forged.rows[0]?.cells.slice(4)).toEqual(["never", "90s", null, String(hash).slice(0, 15), false]);
  });

  test("of ClusterRancherTokens are the same", async () => {
    await using server = await startTokenServer();
    await server.request("POST", CLUSTER_TOKENS, { body: { metadata: { name: "a" }, spec: { ttl: 90, clusterName: "c" } } });
    const table = (await server.request("GET", CLUSTER_TOKENS, { headers: TABLE })).json();
    expect(table.rows[0]?.cells.slice(0, 6)).toEqual(["a", "admin", "c", "true", "90s", "0s"]);
  });
});

describe("lists", () => {
  test("come in pages of one moment, and count what remains", async () => {
    await using server = await startTokenServer();
    for (const name of ["a", "b", "c", "d", "e"]) {
      await server.create(name);
      await server.request("POST", SECRETS, { body: { metadata: { name: `${name}-other` } } });
    }
    const first = await server.read(`${TOKENS}?limit=2`);
    expect(names(first)).toEqual(["a", "b"]);
    expect(first.metadata.remainingItemCount).toBe(3);
    await server.request("DELETE", `${TOKENS}/c`);
    const second = await server.read(`${TOKENS}?limit=2&continue=${first.metadata.continue}`);
    expect(names(second)).toEqual(["c", "d"]);
    expect(second.metadata).toMatchObject({ remainingItemCount: 1, resourceVersion: first.metadata.resourceVersion });
    const last = await server.read(`${TOKENS}?limit=2&continue=${second.metadata.continue}`);
    expect(names(last)).toEqual(["e"]);
    expect(last.metadata.continue).toBeUndefined();
    expect(last.metadata.remainingItemCount).toBeUndefined();
  });

  test("take selectors, and then do not count", async () => {
    await using server = await startTokenServer();
    for (const [name, team] of [
      ["a", "x"],
      ["b", "y"],
      ["c", "x"],
      ["d", "x"],
    ] as const) {
      await server.create(name, { userID: "admin" }, { labels: { team } });
    }
    expect(names(await server.read(`${TOKENS}?labelSelector=team%3Dx`))).toEqual(["a", "c", "d"]);
    expect(names(await server.read(`${TOKENS}?labelSelector=team!%3Dx`))).toEqual(["b"]);
    const page = await server.read(`${TOKENS}?labelSelector=team%3Dx&limit=1`);
    expect(page.metadata.remainingItemCount).toBeUndefined();
    expect(names(await server.read(`${TOKENS}?labelSelector=team%3Dx&limit=5&continue=${page.metadata.continue}`))).toEqual(["c", "d"]);
    expect(names(await server.read(`${TOKENS}?fieldSelector=metadata.name%3Db`))).toEqual(["b"]);
    expect(names(await server.read(`${TOKENS}?fieldSelector=metadata.name!%3Db`))).toEqual(["a", "c", "d"]);
    expect(names(await server.read(`${ALL}?fieldSelector=metadata.namespace%3Ddefault,metadata.name%3Db`))).toEqual(["b"]);
    expect(names(await server.read(`${TOKENS}?fieldSelector=metadata.name%3Da%5C%2Cb`))).toEqual([]);
    const refused = await server.request("GET", `${TOKENS}?fieldSelector=spec.userID%3Dadmin`);
    expect(refused.json()).toMatchObject({ code: 400, message: "field label not supported: spec.userID" });
    expect((await server.request("GET", `${TOKENS}?fieldSelector=type%3Dtomlebreux.com/token`)).status).toBe(400);
  });

  test("of all namespaces hold those of each, and a namespace only its own", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    const other = TOKENS.replace("/default/", "/kube-system/");
    await server.request("POST", other, { body: { metadata: { name: "a" }, spec: { userID: "admin" } } });
    expect((await server.read(ALL)).items.map(({ metadata }) => metadata.namespace)).toEqual(["default", "kube-system"]);
    expect((await server.read(other)).items).toHaveLength(1);
    await server.request("DELETE", `${other}/a`);
    expect((await server.request("GET", `${TOKENS}/a`)).status).toBe(200);
  });
});

describe("watches", () => {
  test("show what is selected, and only tokens", async () => {
    await using server = await startTokenServer();
    const { metadata } = await server.read(TOKENS);
    const watch = await server.request("GET", `${TOKENS}?watch=true&labelSelector=team%3Dx&resourceVersion=${metadata.resourceVersion}`);
    const seen = take(watch.events(), 4);
    await server.request("POST", SECRETS, { body: { metadata: { name: "other", labels: { team: "x" } } } });
    await server.create("a", { userID: "admin" }, { labels: { team: "x" } });
    await server.create("b", { userID: "admin" }, { labels: { team: "y" } });
    await server.patch(`${SECRETS}/b`, { metadata: { labels: { team: "x" } } });
    await server.patch(`${TOKENS}/a`, { spec: { ttl: 5 } });
    await server.patch(`${SECRETS}/a`, { metadata: { labels: { team: null } } });
    expect((await seen).map(({ type, object }) => [type, object.kind, object.metadata.name, object.status.healthy])).toEqual([
      ["ADDED", "RancherToken", "a", true],
      ["ADDED", "RancherToken", "b", true],
      ["MODIFIED", "RancherToken", "a", true],
      ["DELETED", "RancherToken", "a", true],
    ]);
  });

  test("of one name, from the present state on, with the end of it marked", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    await server.create("b");
    const query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name%3Db";
    const events = await take((await server.request("GET", `${TOKENS}?${query}`)).events(), 2);
    expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual([
      ["ADDED", "b"],
      ["BOOKMARK", undefined],
    ]);
    expect(events[1]?.object).toMatchObject({ kind: "RancherToken", metadata: { annotations: { "k8s.io/initial-events-end": "true" } } });
  });

  test("of both kinds and of Secrets may share a change and show each its own", async () => {
    await using server = await startTokenServer();
    const { metadata } = await server.read(TOKENS);
    const paths = [TOKENS, SECRETS, TOKENS];
    const watches = await Promise.all(paths.map((path) => server.request("GET", `${path}?watch=true&resourceVersion=${metadata.resourceVersion}`)));
    const seen = watches.map((watch) => take(watch.events(), 1));
    await server.create("a");
    const objects = (await Promise.all(seen)).map(([event]) => event?.object as AnswerBody);
    expect(objects.map(({ kind }) => kind)).toEqual(["RancherToken", "Secret", "RancherToken"]);
    expect(objects[0]?.status.hashedToken).toBe(dataOf(objects[1] as AnswerBody, "hashedToken"));
    expect(objects[2]).toEqual(objects[0]);
  });
});
