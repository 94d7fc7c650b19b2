import { t } from "@annex/apimachinery";
import { type Harness, settled, startHarness, steppedClock } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { defineResource } from "./definition/index.ts";
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

describe("a server", () => {
  test("refuses two definitions of one resource, and names what it does not serve", async () => {
    await expect(startHarness([Thing, Thing])).rejects.toThrow("example.com/things is defined twice");
    await using server = await startHarness([Thing]);
    expect(() => server.server.verbsOf("example.com", "others")).toThrow("example.com/others is not served");
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
