import { StorageError as Failure, type StorageError, type StorageEvent } from "@annex/apiserver";
import { expect, test } from "vitest";
import type { Write, WriteResult } from "./worker/protocol.ts";
import { WriteQueue } from "./write-queue.ts";

/** A database that commits when it is told to, and remembers what came in which transaction. */
function manualDatabase() {
  const batches: (readonly Write[])[] = [];
  const commits: ((results: readonly WriteResult[] | Error) => void)[] = [];
  const order: string[] = [];
  let revision = 1_000;
  const queue = new WriteQueue({
    commit: (writes) => {
      batches.push(writes);
      return new Promise((resolve, reject) => commits.push((results) => (results instanceof Error ? reject(results) : resolve(results))));
    },
    publish: (events: readonly StorageEvent[]) => order.push(...events.map((event) => `event ${event.revision}`)),
    failure: (error): StorageError => new Failure("Unavailable", String(error)),
  });
  const put = (key: string, bytes = 1) =>
    queue.add({ type: "put", key, expected: 0, value: new Uint8Array(bytes) }).then((at) => {
      order.push(`writer ${at}`);
      return at as number;
    });
  const finish = async () => {
    const writes = batches.at(-1) ?? [];
    commits.shift()?.(writes.map((): WriteResult => ({ type: "done", revision: ++revision, previous: undefined })));
    await turn();
  };
  return { queue, batches, commits, order, put, finish };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("writes that come together share a transaction; those that come during it share the next", async () => {
  const { batches, put, finish } = manualDatabase();
  const first = [put("/a"), put("/b"), Promise.resolve().then(() => put("/c"))];
  await turn();
  const second = [put("/d"), put("/e")];
  await turn();
  expect(batches.map((batch) => batch.map(({ key }) => key))).toEqual([["/a", "/b", "/c"]]);
  await finish();
  expect(await Promise.all(first)).toEqual([1001, 1002, 1003]);
  expect(batches[1]?.map(({ key }) => key)).toEqual(["/d", "/e"]);
  await finish();
  expect(await Promise.all(second)).toEqual([1004, 1005]);
});

test("the events are published before any writer hears", async () => {
  const { order, put, finish } = manualDatabase();
  const writes = [put("/a"), put("/b")];
  await turn();
  await finish();
  await Promise.all(writes);
  expect(order).toEqual(["event 1001", "event 1002", "writer 1001", "writer 1002"]);
});

test("a transaction that failed fails its writers and no others", async () => {
  const { commits, order, put, finish } = manualDatabase();
  const failed = [put("/a"), put("/b")];
  await turn();
  const next = put("/c");
  commits.shift()?.(new Error("disk full"));
  for (const write of failed) await expect(write).rejects.toMatchObject({ code: "Unavailable", message: "Error: disk full" });
  await turn();
  await finish();
  expect(await next).toBe(1001);
  expect(order).toEqual(["event 1001", "writer 1001"]);
});

test("a transaction is bounded in number and bytes, and what waits is bounded as well", async () => {
  const { queue, batches, put, finish } = manualDatabase();
  const many = Array.from({ length: 1_500 }, (_, index) => put(`/many/${index}`));
  await turn();
  await finish();
  expect(batches.map(({ length }) => length)).toEqual([1_024, 476]);
  const large = Array.from({ length: 40 }, (_, index) => put(`/large/${index}`, 3 * 1024 * 1024));
  await finish();
  expect(batches.at(-1)?.length).toBe(10);
  const more = Array.from({ length: 300 }, (_, index) => put(`/more/${index}`, 3 * 1024 * 1024));
  const outcomes = Promise.allSettled([...many, ...large, ...more]);
  let isIdle = false;
  const idle = queue.idle().then(() => {
    isIdle = true;
  });
  while (!isIdle) await finish();
  await idle;
  const refused = (await outcomes).filter(({ status }) => status === "rejected");
  expect(refused.length).toBeGreaterThan(100);
  for (const outcome of refused)
    expect(outcome).toMatchObject({ reason: { code: "Unavailable", message: expect.stringContaining("too many writes wait") } });
});
