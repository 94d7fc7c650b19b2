import { parseFieldSelector, parseLabelSelector } from "@annex/apimachinery";
import { publicPathsAuthorizer, type RequestContext, type ResourceVerbs, type WatchBatch } from "@annex/apiserver";
import { Namespace, Secret } from "@annex/standalone";
import { ADMIN, realClock } from "@annex/testing";
import { describe, expect, test, vi } from "vitest";
import { type CoreCluster, startCoreCluster } from "../testing/core-cluster.ts";
import { isReady, type Replica, startReplica } from "../testing/replica.ts";

const TYPE = "example.com/note";
const never = new AbortController().signal;
const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
const EVERYTHING = { namespace: "", labelSelector: parseLabelSelector(""), fieldSelector: parseFieldSelector("", new Set()), secretType: TYPE };
const LIST = { ...EVERYTHING, limit: 0, continue: "" };
const WAIT = { timeout: 15_000, interval: 20 };

const contextOf = (signal: AbortSignal): RequestContext => ({
  user: ADMIN,
  now: 0,
  signal,
  authorizer: publicPathsAuthorizer,
  warn: () => undefined,
});
const context = contextOf(never);

/** Writes past the network, as another client of the cluster does. */
function writer({ api }: CoreCluster) {
  const verbs = api.verbsOf("", "secrets") as Required<ResourceVerbs>;
  const inputs = { version: "v1", isDryRun: false, fieldManager: { manager: "suite", subresource: "" } } as const;
  const target = (name: string) => ({ namespace: "one", name });
  return {
    create: async (name: string, type = TYPE) => {
      const object = { apiVersion: "v1", kind: "Secret", metadata: target(name), type, data: { n: "MA==" } };
      return (await verbs.create({ ...inputs, namespace: "one", name: "", object: object as never }, context)).resourceVersion;
    },
    touch: async (name: string) => {
      const transform = (live: never) => ({ ...(live as object), data: { n: btoa(String(Math.random())) } }) as never;
      return (await verbs.update({ ...inputs, target: target(name), isPatch: true, transform: transform as never }, context)).view.resourceVersion;
    },
    remove: (name: string) =>
      verbs.delete(target(name), { isDryRun: false, preconditions: {}, propagationPolicy: undefined, gracePeriodSeconds: undefined }, context),
  };
}

async function start() {
  const cluster = await startCoreCluster([Namespace, Secret], realClock);
  await cluster.createNamespace("one");
  const replica = await startReplica(cluster.config, [TYPE], realClock, silent);
  return {
    cluster,
    replica,
    verbs: replica.secrets.verbs,
    write: writer(cluster),
    async [Symbol.asyncDispose]() {
      await replica[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

/** Reads a watch: each change as a line, in a list that grows. */
async function watching({ secrets }: Replica, options: object, signal: AbortSignal) {
  const whole = { ...EVERYTHING, resourceVersion: undefined, sendInitialEvents: undefined, ...options };
  const batches = await secrets.verbs.watch(whole, contextOf(signal));
  const lines: string[] = [];
  const read = async (source: AsyncIterable<WatchBatch>) => {
    for await (const { events } of source) for (const { type, view } of events) lines.push(`${type} ${view.name}@${view.resourceVersion}`);
    return undefined;
  };
  return { lines, done: read(batches).catch((error: unknown) => error) };
}

describe("while the cluster is away", () => {
  test("memory is read, nothing is written, and what happened meanwhile is told once", async () => {
    await using under = await start();
    const { cluster, replica, verbs, write } = under;
    const revisions = [await write.create("a"), await write.create("b")];
    await vi.waitFor(async () => expect((await verbs.list({ ...LIST, consistency: { type: "Any" } }, context)).items).toHaveLength(2), WAIT);
    const stop = new AbortController();
    const watch = await watching(replica, { resourceVersion: revisions[1] }, stop.signal);
    expect(isReady(replica.secrets)).toBe(true);

    await cluster.network.cut();
    await vi.waitFor(() => expect(isReady(replica.secrets)).toBe(false), WAIT);
    const changed = [await write.touch("a"), await write.create("c")];
    await write.remove("b");
    const unavailable = { code: 503, reason: "ServiceUnavailable" };
    await expect(verbs.list({ ...LIST, consistency: { type: "MostRecent" } }, context)).rejects.toMatchObject(unavailable);
    await expect((async () => verbs.get({ namespace: "one", name: "a" }, { type: "MostRecent" }, context))()).rejects.toMatchObject(unavailable);
    const object = { apiVersion: "v1", kind: "Secret", metadata: { namespace: "one", name: "d" }, type: TYPE } as never;
    const input = { version: "v1", namespace: "one", name: "", object, isDryRun: false, fieldManager: { manager: "x", subresource: "" } };
    await expect(verbs.create(input, context)).rejects.toMatchObject(unavailable);
    const remembered = await verbs.list({ ...LIST, consistency: { type: "Any" } }, context);
    expect(remembered.items.map(({ name, resourceVersion }) => [name, resourceVersion])).toEqual([
      ["a", revisions[0]],
      ["b", revisions[1]],
    ]);
    // As in Kubernetes whoever takes what there is gets it whole.
    const page = await verbs.list({ ...LIST, limit: 1, consistency: { type: "Any" } }, context);
    expect(page).toMatchObject({ items: remembered.items, continue: "" });
    expect(watch.lines).toEqual([]);

    await cluster.network.mend();
    await vi.waitFor(() => expect(isReady(replica.secrets)).toBe(true), WAIT);
    await vi.waitFor(() => expect(watch.lines).toHaveLength(3), WAIT);
    expect(watch.lines).toEqual([`MODIFIED a@${changed[0]}`, `ADDED c@${changed[1]}`, expect.stringMatching(/^DELETED b@/)]);
    expect((await verbs.list({ ...LIST, consistency: { type: "Any" } }, context)).items.map(({ name }) => name)).toEqual(["a", "c"]);
    stop.abort();
    await watch.done;
  });
});

describe("a watch from before the feed", () => {
  test("is the cluster's, until it has caught up", async () => {
    const cluster = await startCoreCluster([Namespace, Secret], realClock);
    await cluster.createNamespace("one");
    const write = writer(cluster);
    const first = await write.create("a");
    const told = [`MODIFIED a@${await write.touch("a")}`, `ADDED b@${await write.create("b")}`];
    await write.create("other", "Opaque");
    const replica = await startReplica(cluster.config, [TYPE], realClock, silent);
    const stop = new AbortController();
    const watch = await watching(replica, { resourceVersion: first }, stop.signal);
    await vi.waitFor(() => expect(watch.lines).toEqual(told), WAIT);
    // From here on it is of the feed, which outlives a connection.
    for (const name of ["a", "b", "a"]) told.push(`MODIFIED ${name}@${await write.touch(name)}`);
    await vi.waitFor(() => expect(watch.lines).toEqual(told), WAIT);
    await cluster.network.cut();
    told.push(`MODIFIED a@${await write.touch("a")}`);
    await cluster.network.mend();
    await vi.waitFor(() => expect(watch.lines).toEqual(told), WAIT);

    // Those that have caught up are not counted.
    const ended = vi.fn();
    const stops: AbortController[] = [stop];
    for (let count = 0; count < 20; count++) {
      const own = new AbortController();
      stops.push(own);
      const { lines, done } = await watching(replica, { resourceVersion: first }, own.signal);
      void done.then(ended);
      await vi.waitFor(() => expect(lines).toEqual(told), WAIT);
    }
    expect(ended).not.toHaveBeenCalled();
    for (const each of stops) each.abort();
    await watch.done;

    const filter = { isCounted: false, matches: () => true };
    expect(await (await watching(replica, { resourceVersion: first, filter }, never)).done).toMatchObject({ code: 410, reason: "Expired" });
    await replica[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  test("of which there are too many is told to list anew", async () => {
    const cluster = await startCoreCluster([Namespace, Secret], realClock);
    await cluster.createNamespace("one");
    const write = writer(cluster);
    const first = await write.create("a");
    await write.create("b");
    const replica = await startReplica(cluster.config, [TYPE], realClock, silent);
    const stops = Array.from({ length: 40 }, () => new AbortController());
    // In a namespace where nothing happens none of them catches up.
    const quiet = { resourceVersion: first, namespace: "quiet" };
    const watches = await Promise.all(stops.map(({ signal }) => watching(replica, quiet, signal)));
    const settled: unknown[] = [];
    for (const { done } of watches) void done.then((outcome) => settled.push(outcome));
    await vi.waitFor(() => expect(settled).toHaveLength(24), WAIT);
    for (const outcome of settled) expect(outcome).toMatchObject({ code: 410, reason: "Expired" });
    // The requests of others go through.
    expect((await replica.secrets.verbs.list({ ...LIST, consistency: { type: "MostRecent" } }, context)).items).toHaveLength(2);
    for (const stop of stops) stop.abort();
    await Promise.all(watches.map(({ done }) => done));
    await replica[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });
});

describe("2,000 Secrets", () => {
  test("come in pages, of any size, all of one moment", async () => {
    await using under = await start();
    const { verbs, write } = under;
    const names = Array.from({ length: 2_000 }, (_, index) => `n${String(index).padStart(4, "0")}`);
    for (let at = 0; at < names.length; at += 250) await Promise.all(names.slice(at, at + 250).map((name) => write.create(name)));
    const mostRecent = { type: "MostRecent" } as const;
    const whole = await verbs.list({ ...LIST, consistency: mostRecent }, context);
    expect(whole.items.map(({ name }) => name)).toEqual(names);
    const filter = { isCounted: false, matches: ({ name }: { readonly name: string }) => name.endsWith("7") };
    for (const [options, want, size] of [
      [{}, names, 700],
      [{ filter }, names.filter((name) => name.endsWith("7")), 120],
    ] as const) {
      const seen: string[] = [];
      for (let token = "", pages = 0; ; pages++) {
        const page = await verbs.list({ ...LIST, ...options, consistency: mostRecent, limit: size, continue: token }, context);
        seen.push(...page.items.map(({ name }) => name));
        token = page.continue;
        if (token === "") break;
        expect(page.items).toHaveLength(size);
        expect(page.remainingItemCount).toBe("filter" in options ? undefined : names.length - seen.length);
        if (pages === 0) await write.create(`n0000-${"filter" in options ? "7" : "x"}`);
      }
      expect(seen).toEqual(want);
    }
  });
});
