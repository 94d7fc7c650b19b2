import { t } from "@annex/apimachinery";
import { ADMIN, type Harness, settled, startHarness, steppedClock } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { defineResource } from "./definition/index.ts";
import type { ObjectObserver } from "./object-view.ts";
import { memoryStorage } from "./storage/index.ts";

const spec = t.object({ color: t.optional(t.string()), size: t.optional(t.integer()) });
const base = { group: "example.com", kind: "Thing", scope: "Namespaced" } as const;
const Thing = defineResource({ ...base, versions: { v1: { schema: { spec } } } });
const THINGS = "/apis/example.com/v1/namespaces/default/things";

const body = (name: string, fields: object = {}) => ({ apiVersion: "example.com/v1", kind: "Thing", metadata: { name }, spec: fields });
const post = (server: Harness, name: string, fields?: object) => server.request("POST", THINGS, { body: body(name, fields) });

describe("a restart on the same storage", () => {
  test("finds everything, byte for byte, and a watch goes on where it was", async () => {
    const storage = memoryStorage();
    let before: string;
    let resourceVersion: string;
    {
      await using server = await startHarness([Thing], { storage });
      resourceVersion = (await post(server, "a", { color: "red" })).json().metadata.resourceVersion;
      await post(server, "b");
      await server.request("DELETE", `${THINGS}/a`);
      await post(server, "c", { size: 3 });
      before = (await server.request("GET", THINGS)).text;
    }
    await using server = await startHarness([Thing], { storage });
    expect((await server.request("GET", THINGS)).text).toBe(before);
    const watch = await server.request("GET", `${THINGS}?watch=true&resourceVersion=${resourceVersion}`);
    const seen = [];
    for await (const { type, object } of watch.events()) {
      seen.push(`${type} ${object.metadata.name}`);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(["ADDED b", "DELETED a", "ADDED c"]);
    expect(Number((await post(server, "d")).json().metadata.resourceVersion)).toBeGreaterThan(Number(JSON.parse(before).metadata.resourceVersion));
  });

  test("with another schema objects are what the new one makes of them, at their old resourceVersion", async () => {
    const storage = memoryStorage();
    let resourceVersion: string;
    {
      await using server = await startHarness([Thing], { storage });
      resourceVersion = (await post(server, "a", { color: "red", size: 3 })).json().metadata.resourceVersion;
    }
    const grown = t.object({ color: t.optional(t.string()), shape: t.string({ default: "round" }) });
    const Changed = defineResource({ ...base, versions: { v1: { schema: { spec: grown } } } });
    await using server = await startHarness([Changed], { storage });
    const object = (await server.request("GET", `${THINGS}/a`)).json();
    expect(object).toMatchObject({ metadata: { resourceVersion }, spec: { color: "red", shape: "round" } });
    expect(object.spec).not.toHaveProperty("size");
    // Nothing changes: this is what is there.
    expect((await server.request("PUT", `${THINGS}/a`, { body: object })).json().spec).toEqual(object.spec);
  });

  test("with another storage version objects are converted", async () => {
    const storage = memoryStorage();
    {
      await using server = await startHarness([Thing], { storage });
      await post(server, "a", { color: "red" });
    }
    const Two = defineResource({
      ...base,
      versions: {
        v1: {
          schema: { spec },
          toStorage: (v1) => ({ spec: { hue: v1.spec.color } }),
          fromStorage: (v2) => ({ spec: { color: v2.spec.hue } }),
        },
        v2: { storage: true, schema: { spec: t.object({ hue: t.optional(t.string()) }) } },
      },
    });
    await using server = await startHarness([Two], { storage });
    expect((await server.request("GET", THINGS.replace("v1", "v2"))).json().items[0]).toMatchObject({
      apiVersion: "example.com/v2",
      spec: { hue: "red" },
    });
    expect((await server.request("GET", `${THINGS}/a`)).json()).toMatchObject({ apiVersion: "example.com/v1", spec: { color: "red" } });
  });
});

test("a version can be dropped once every object was written anew; a watch from before begins anew", async () => {
  const storage = memoryStorage();
  let resourceVersion: string;
  {
    await using server = await startHarness([Thing], { storage });
    resourceVersion = (await post(server, "a", { color: "red" })).json().metadata.resourceVersion;
  }
  const Only2 = defineResource({ ...base, versions: { v2: { schema: { spec } } } });
  const Both = defineResource({
    ...base,
    versions: {
      v1: { schema: { spec }, toStorage: (v1) => ({ spec: v1.spec }), fromStorage: (v2) => ({ spec: v2.spec }) },
      v2: { storage: true, schema: { spec } },
    },
  });
  await expect(startHarness([Only2], { storage })).rejects.toThrow(
    "stored Thing default/a has the version example.com/v1, which is not defined any more",
  );
  const V2 = THINGS.replace("v1", "v2");
  let migrated: string;
  {
    await using server = await startHarness([Both], { storage });
    const merge = { "content-type": "application/merge-patch+json" };
    const patched = await server.request("PATCH", `${V2}/a`, { body: { spec: { size: 1 } }, headers: merge });
    migrated = patched.json().metadata.resourceVersion;
  }
  await using server = await startHarness([Only2], { storage });
  expect((await server.request("GET", V2)).json().items).toMatchObject([{ metadata: { name: "a" }, spec: { color: "red", size: 1 } }]);
  const first = async (from: string) => (await (await server.request("GET", `${V2}?watch=true&resourceVersion=${from}`)).events().next()).value;
  expect(await first(resourceVersion)).toMatchObject({ type: "ERROR", object: { code: 410 } });
  const next = first(migrated);
  await server.request("DELETE", `${V2}/a`);
  expect(await next).toMatchObject({ type: "DELETED", object: { metadata: { name: "a" } } });
});

test("a kind whose scope changes over stored objects is refused at start", async () => {
  const storage = memoryStorage();
  {
    await using server = await startHarness([Thing], { storage });
    await post(server, "a", {});
  }
  const ClusterThing = defineResource({ ...base, scope: "Cluster", versions: { v1: { schema: { spec } } } });
  await expect(startHarness([ClusterThing], { storage })).rejects.toThrow(
    'things.example.com has the scope Cluster, and "default/a" was stored when it was Namespaced: go back to that scope until every object is deleted',
  );
});

describe("a server", () => {
  test("refuses two definitions of one resource, and names what it does not serve", async () => {
    await expect(startHarness([Thing, Thing])).rejects.toThrow("example.com/things is defined twice");
    await using server = await startHarness([Thing]);
    expect(() => server.server.verbsOf("example.com", "others")).toThrow("example.com/others is not served");
  });

  test("finds verbs that another server has, and serves nobody else with them", async () => {
    const foreign = { get: () => Promise.reject(new Error("far away")) };
    await using server = await startHarness([Thing], { foreignVerbs: new Map([["/secrets", foreign]]) });
    expect(server.server.verbsOf("", "secrets")).toBe(foreign);
    expect((await server.request("GET", "/api/v1/namespaces/default/secrets/a")).status).toBe(404);
    expect((await server.request("GET", "/api/v1")).status).toBe(404);
  });

  test("keeps what it serves to nobody", async () => {
    await using server = await startHarness([], { hidden: [Thing] });
    const { create, get } = server.server.verbsOf("example.com", "things");
    const context = server.server.loopback(new AbortController().signal);
    const input = { version: "v1", namespace: "default", name: "", isDryRun: false, fieldManager: { manager: "a", subresource: "" } };
    await create?.({ ...input, object: body("a", { color: "red" }) }, context);
    const view = await get?.({ namespace: "default", name: "a" }, { type: "MostRecent" }, context);
    expect(view?.object.spec).toEqual({ color: "red" });
    expect((await server.request("GET", `${THINGS}/a`)).status).toBe(404);
    expect((await server.request("GET", "/apis")).json().groups).toEqual([]);
  });

  test("every answer carries an audit id: the client's if it is one", async () => {
    await using server = await startHarness([Thing]);
    const auditID = async (path: string, sent?: string) =>
      (await server.request("GET", path, { headers: sent === undefined ? {} : { "audit-id": sent } })).headers["audit-id"];
    expect(await auditID("/version", "abc")).toBe("abc");
    for (const sent of [undefined, "", "x".repeat(65), "a b", "ä"]) expect(await auditID(THINGS, sent)).toMatch(/^[0-9a-f-]{36}$/);
    expect(await auditID("/apis/%zz", "abc")).toBe("abc");
    expect((await server.request("GET", "/apis/%zz")).json()).toMatchObject({ code: 400 });
  });

  test("is not ready once it shuts down, and alive all the same", async () => {
    await using server = await startHarness([Thing]);
    expect((await server.request("GET", "/readyz")).status).toBe(200);
    server.server.beginShutdown();
    expect((await server.request("GET", "/readyz")).status).toBe(500);
    expect((await server.request("GET", "/livez")).status).toBe(200);
  });

  test("a request that takes too long is a 504, and `timeout` asks for less", async () => {
    const clock = steppedClock();
    let aborted = 0;
    const Slow = defineResource({
      group: "example.com",
      kind: "Slow",
      scope: "Cluster",
      versions: { v1: { schema: {} } },
      handlers: {
        list: ({ signal }) => {
          signal.addEventListener("abort", () => aborted++);
          return new Promise(() => undefined);
        },
      },
    });
    await using server = await startHarness([Slow], { clock, requestTimeoutMs: 60_000 });
    const slow = server.request("GET", "/apis/example.com/v1/slows");
    const hasty = server.request("GET", "/apis/example.com/v1/slows?timeout=1m30s");
    const hastier = server.request("GET", "/apis/example.com/v1/slows?timeout=500ms");
    await settled();
    await clock.step(1_000);
    expect((await hastier).json()).toMatchObject({
      code: 504,
      reason: "Timeout",
      message: "Timeout: request did not complete within the allotted timeout",
    });
    expect(aborted).toBe(1);
    await clock.step(60_000);
    expect((await slow).status).toBe(504);
    expect((await hasty).status).toBe(504);
    expect((await server.request("GET", "/apis/example.com/v1/slows?timeout=soon")).json()).toMatchObject({
      code: 400,
      message: 'invalid timeout specified in the request URL - time: invalid duration "soon"',
    });
  });
});

// An AbortController for each request was half of the work of a GET.
test.each(["GET", "LIST"])("a %s that memory answers never asks for the request's signal", async (verb) => {
  await using server = await startHarness([Thing], { authenticator: { authenticate: async () => ADMIN } });
  await post(server, "a");
  const response = await server.server.handle({
    method: "GET",
    path: verb === "GET" ? `${THINGS}/a` : THINGS,
    query: "",
    headers: {},
    body: async () => new Uint8Array(),
    peer: { address: "127.0.0.1", certificates: undefined },
    get signal(): AbortSignal {
      throw new Error("the signal was asked for");
    },
  });
  expect([response.status, server.log]).toEqual([200, []]);
});

describe("an observer", () => {
  const recording = () => {
    const names = new Set<string>();
    const calls: string[] = [];
    const observer: ObjectObserver = {
      reset: (views) => {
        names.clear();
        for (const { name } of views) names.add(name);
        calls.push("reset");
      },
      put: ({ name, resourceVersion, object }) => {
        names.add(name);
        calls.push(`put ${name} ${object.metadata.resourceVersion === resourceVersion}`);
      },
      deleted: ({ name }) => {
        names.delete(name);
        calls.push(`deleted ${name}`);
      },
    };
    return { names, calls, observer };
  };

  test("knows of every write when it is answered, and of what was there before", async () => {
    await using server = await startHarness([Thing]);
    await post(server, "a");
    const { names, calls, observer } = recording();
    server.server.observe("example.com", "things", observer);
    expect([...names]).toEqual(["a"]);
    // The promise of the verb itself: nothing else has had the time to run.
    const { verbsOf, loopback } = server.server;
    const context = loopback(new AbortController().signal);
    for (let round = 0; round < 50; round++) {
      const name = `n${round}`;
      const object = { ...body(name), metadata: { name, namespace: "default" } };
      const input = { version: "v1", namespace: "default", name: "", object, isDryRun: false, fieldManager: { manager: "m", subresource: "" } };
      await verbsOf("example.com", "things").create?.(input, context);
      expect(names.has(name)).toBe(true);
      const options = { isDryRun: false, preconditions: {}, propagationPolicy: undefined, gracePeriodSeconds: undefined };
      await verbsOf("example.com", "things").delete?.({ namespace: "default", name }, options, context);
      expect(names.has(name)).toBe(false);
    }
    expect(calls.slice(0, 3)).toEqual(["reset", "put n0 true", "deleted n0"]);
    await server.request("POST", `${THINGS}?dryRun=All`, { body: body("dry") });
    expect(calls).toHaveLength(101);
  });

  test("is of a kind that is stored here", async () => {
    const Asked = defineResource({
      ...base,
      kind: "Asked",
      versions: { v1: { schema: { spec } } },
      handlers: { create: async ({ object }) => object },
    });
    await using server = await startHarness([Asked]);
    const { observer } = recording();
    expect(() => server.server.observe("example.com", "things", observer)).toThrow("example.com/things is not served");
    expect(() => server.server.observe("example.com", "askeds", observer)).toThrow("/example.com/askeds/ is not kept in storage");
  });
});
