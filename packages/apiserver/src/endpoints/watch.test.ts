import { t } from "@annex/apimachinery";
import { type HarnessResponse, startHarness, steppedClock } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { defineResource } from "../definition/index.ts";

const schema = { spec: t.object({ n: t.optional(t.integer()) }), status: t.object({}) };
const Thing = defineResource({ group: "example.com", kind: "Thing", scope: "Namespaced", versions: { v1: { schema } } });
const Typed = defineResource({ group: "example.com", kind: "Typed", scope: "Namespaced", isBuiltIn: true, versions: { v1: { schema } } });
const PLACE = "/apis/example.com/v1/namespaces/default";
const body = (kind: string, name: string) => ({ apiVersion: "example.com/v1", kind, metadata: { name } });

async function take(watch: HarnessResponse, count: number) {
  const seen = [];
  for await (const event of watch.events()) {
    seen.push(event);
    if (seen.length === count) break;
  }
  return seen;
}

describe("a watch list", () => {
  const WATCH_LIST = "watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan";

  test.each([
    { kind: "Typed", resource: "typeds", fields: { spec: {}, status: {} } },
    { kind: "Thing", resource: "things", fields: {} },
  ])("of $kind ends its state with a bookmark: a whole empty object of a compiled-in kind", async ({ kind, resource, fields }) => {
    await using server = await startHarness([Thing, Typed]);
    const { metadata } = (await server.request("POST", `${PLACE}/${resource}`, { body: body(kind, "a") })).json();
    const [added, bookmark] = await take(await server.request("GET", `${PLACE}/${resource}?${WATCH_LIST}`), 2);
    expect(added).toMatchObject({ type: "ADDED", object: { metadata: { name: "a" } } });
    const annotations = { "k8s.io/initial-events-end": "true" };
    expect(bookmark).toEqual({
      type: "BOOKMARK",
      object: { apiVersion: "example.com/v1", kind, metadata: { resourceVersion: metadata.resourceVersion, annotations }, ...fields },
    });
  });

  test("shows its bookmark in a table, whose columns may count on what the schema has", async () => {
    const Shown = defineResource({
      group: "example.com",
      kind: "Shown",
      scope: "Namespaced",
      versions: {
        v1: {
          schema: {
            spec: t.object({
              n: t.optional(t.integer()),
              text: t.string({ minLength: 1 }),
              list: t.array(t.string()),
              mode: t.literals(["on", "off"]),
            }),
            count: t.integer({ default: 5 }),
            isOn: t.boolean(),
            port: t.intOrString(),
            nothing: t.nullable(t.string()),
          },
          columns: [
            { name: "N", type: "string", value: ({ spec }) => `n is ${spec.n}` },
            { name: "Text", type: "integer", value: ({ spec }) => spec.text.length + spec.list.length },
            { name: "Mode", type: "string", value: ({ spec }) => ({ on: ["up"], off: ["down"] })[spec.mode][0] },
            { name: "Rest", type: "string", value: ({ count, isOn, port, nothing }) => [count.toFixed(1), isOn, port.toString(), nothing].join(" ") },
          ],
        },
      },
    });
    await using server = await startHarness([Shown]);
    const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
    const [bookmark] = await take(await server.request("GET", `${PLACE}/showns?${WATCH_LIST}`, { headers }), 1);
    const cells = ["", "n is undefined", 0, "up", "0.0 false 0 ", null];
    expect(bookmark).toMatchObject({ type: "BOOKMARK", object: { kind: "Table", rows: [{ cells }] } });
  });

  test.each(["", "&resourceVersion=0"])("is what a watch%s without a revision is, where bookmarks are allowed", async (query) => {
    await using server = await startHarness([Thing]);
    await server.request("POST", `${PLACE}/things`, { body: body("Thing", "a") });
    const watch = await server.request("GET", `${PLACE}/things?watch=true&allowWatchBookmarks=true${query}`);
    const annotations = { "k8s.io/initial-events-end": "true" };
    expect(await take(watch, 2)).toMatchObject([{ type: "ADDED" }, { type: "BOOKMARK", object: { metadata: { annotations } } }]);
  });

  test("of a state from the future begins, and then says so", async () => {
    const clock = steppedClock();
    await using server = await startHarness([Thing], { clock });
    const asked = server.request("GET", `${PLACE}/things?${WATCH_LIST}&resourceVersion=999999999999`);
    await clock.step(0);
    await clock.step(3_000);
    const watch = await asked;
    expect(watch.status).toBe(200);
    expect(await take(watch, 2)).toMatchObject([
      { type: "ERROR", object: { code: 504, reason: "Timeout", details: { causes: [{ reason: "ResourceVersionTooLarge" }], retryAfterSeconds: 1 } } },
    ]);
  });
});

test("a watch that is too old begins, and its one event is the 410", async () => {
  await using server = await startHarness([Thing]);
  const watch = await server.request("GET", `${PLACE}/things?watch=true&resourceVersion=1`);
  expect(watch.status).toBe(200);
  expect(await take(watch, 2)).toMatchObject([
    { type: "ERROR", object: { code: 410, reason: "Expired", message: expect.stringMatching(/^too old resource version: 1 \(\d+\)$/) } },
  ]);
});

test("who asks a watch for lists is refused with the first event", async () => {
  await using server = await startHarness([Thing]);
  const headers = { accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io" };
  const watch = await server.request("GET", `${PLACE}/things?watch=true`, { headers });
  await server.request("POST", `${PLACE}/things`, { body: body("Thing", "a") });
  expect(watch.status).toBe(200);
  expect(await take(watch, 2)).toMatchObject([{ type: "ERROR", object: { code: 406, reason: "NotAcceptable" } }]);
});

test("a watch that cannot be served fails before it begins", async () => {
  await using server = await startHarness([Thing]);
  expect((await server.request("GET", `${PLACE}/things?watch=true&labelSelector=a%20b`)).json()).toMatchObject({ code: 400 });
  expect((await server.request("GET", `${PLACE}/things?watch=true&resourceVersion=abc`)).json()).toMatchObject({ code: 400 });
  expect((await server.request("GET", `${PLACE}/things?watch=true&continue=abcd`)).json()).toMatchObject({ code: 422 });
});

test("`watch` of a named object means nothing: the object is answered", async () => {
  await using server = await startHarness([Thing]);
  const created = (await server.request("POST", `${PLACE}/things`, { body: body("Thing", "a") })).json();
  expect((await server.request("GET", `${PLACE}/things/a?watch=true`)).json()).toEqual(created);
});

test("ends when its time is over, and between once and twice the least time where none was asked for", async () => {
  const clock = steppedClock();
  await using server = await startHarness([Thing], {
    clock,
    minWatchMs: 60_000,
    random: { uuid: () => "u", bytes: (length) => new Uint8Array(length).fill(128) },
  });
  const ends = async (query: string, ms: number) => {
    let isOver = false;
    const watch = await server.request("GET", `${PLACE}/things?watch=true&resourceVersion=0${query}`);
    const over = take(watch, 1).then((events) => {
      isOver = true;
      expect(events).toEqual([]);
    });
    await clock.step(0);
    await clock.step(ms - 1);
    expect(isOver).toBe(false);
    await clock.step(1);
    await over;
  };
  await ends("&timeoutSeconds=7", 7_000);
  await ends("", 90_000);
});

test("watchers of one version share what was encoded for them", async () => {
  await using server = await startHarness([Thing]);
  await server.request("GET", "/version");
  const chunks: Uint8Array[][] = [[], []];
  const closing = new AbortController();
  const streams = [];
  for (const seen of chunks) {
    const { body: stream } = await server.server.handle({
      method: "GET",
      path: `${PLACE}/things`,
      query: "watch=true&resourceVersion=",
      headers: { "x-test-user": "admin" },
      body: async () => new Uint8Array(),
      peer: { address: "127.0.0.1", certificates: undefined },
      signal: new AbortController().signal,
    });
    if (typeof stream !== "function") throw new Error("not a stream");
    streams.push(stream({ write: (chunk) => seen.push(chunk) > 0, drained: async () => undefined }, closing.signal));
  }
  await server.request("POST", `${PLACE}/things`, { body: body("Thing", "a") });
  closing.abort();
  await Promise.all(streams);
  expect(chunks[0]).toHaveLength(1);
  expect(chunks[0]?.[0]).toBe(chunks[1]?.[0]);
});

test.each([
  { kind: "Typed", resource: "typeds", fields: { spec: {}, status: {} } },
  { kind: "Thing", resource: "things", fields: {} },
])("a bookmark of $kind between changes has nothing but its place", async ({ kind, resource, fields }) => {
  const clock = steppedClock();
  await using server = await startHarness([Thing, Typed], { clock });
  const watch = await server.request("GET", `${PLACE}/${resource}?watch=true&allowWatchBookmarks=true&labelSelector=none`);
  const taken = take(watch, 2);
  await clock.step(0);
  await clock.step(60_000);
  const [ofState, ...others] = await taken;
  expect(ofState).toMatchObject({ type: "BOOKMARK", object: { metadata: { annotations: {} } } });
  expect(others).toEqual([
    { type: "BOOKMARK", object: { apiVersion: "example.com/v1", kind, metadata: { resourceVersion: expect.stringMatching(/^[0-9]+$/) }, ...fields } },
  ]);
});

describe("two seconds before its end", () => {
  const QUERY = "watch=true&allowWatchBookmarks=true&labelSelector=none";

  /** What a watch from now on says after its state, until it ends. */
  async function after(
    timeoutSeconds: number,
    during: (step: (ms: number) => Promise<void>, write: (resource: string) => Promise<string>) => Promise<void>,
  ) {
    const clock = steppedClock();
    await using server = await startHarness([Thing, Typed], { clock });
    const write = async (resource: string) => {
      const kind = resource === "things" ? "Thing" : "Typed";
      const sent = { ...body(kind, ""), metadata: { generateName: "a", labels: { none: "" } } };
      return (await server.request("POST", `${PLACE}/${resource}`, { body: sent })).json().metadata.resourceVersion;
    };
    await clock.step(500); // the server looks each second whose time has come
    const watch = await server.request("GET", `${PLACE}/things?${QUERY}&timeoutSeconds=${timeoutSeconds}`);
    const taken = take(watch, Number.POSITIVE_INFINITY);
    await clock.step(0);
    await during(clock.step, write);
    await clock.step(timeoutSeconds * 1000);
    const [ofState, ...others] = (await taken).map(({ type, object }) => [type, object.metadata.resourceVersion]);
    expect(ofState?.[0]).toBe("BOOKMARK");
    return others;
  }

  test("a watch tells where it is, whatever happened before", async () => {
    let changed = "";
    let written = "";
    const told = await after(20, async (step, write) => {
      await step(10_000);
      changed = await write("things");
      await step(7_500);
      written = await write("typeds");
      await step(1_000);
      await write("typeds");
    });
    expect(told).toEqual([
      ["ADDED", changed],
      ["BOOKMARK", written],
    ]);
  });

  test("it does so beside the bookmarks of every minute", async () => {
    expect((await after(70, async () => undefined)).map(([type]) => type)).toEqual(["BOOKMARK", "BOOKMARK"]);
  });

  test("an event of that moment does not stand for it", async () => {
    const told = await after(20, async (step, write) => {
      await step(17_999);
      for (let n = 0; n < 3; n++) {
        await step(1);
        await write("things");
      }
    });
    expect(told.map(([type]) => type)).toEqual(["ADDED", "ADDED", "ADDED", "BOOKMARK"]);
  });

  test.each([1, 2])("a watch of %d s has no such moment", async (seconds) => {
    expect(await after(seconds, async () => undefined)).toEqual([]);
  });
});
