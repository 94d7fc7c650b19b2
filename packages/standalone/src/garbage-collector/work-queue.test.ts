import { settled, steppedClock } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { WorkQueue } from "./work-queue.ts";

function setUp(concurrency = 2) {
  const clock = steppedClock();
  const begun: string[] = [];
  const failures: string[] = [];
  const endings = new Map<string, (error?: Error) => void>();
  const stop = new AbortController();
  const queue = new WorkQueue({
    clock,
    concurrency,
    signal: stop.signal,
    work: (key) => {
      begun.push(key);
      return new Promise((resolve, reject) => endings.set(key, (error) => (error === undefined ? resolve() : reject(error))));
    },
    onFailure: (key) => failures.push(key),
  });
  const end = async (key: string, error?: Error) => {
    endings.get(key)?.(error);
    await settled();
  };
  return { clock, begun, failures, end, stop, queue };
}

describe("a queue of work", () => {
  test("works on so many at a time, in the order in which they came", async () => {
    const { queue, begun, end } = setUp();
    for (const key of ["a", "b", "c", "c", "d"]) queue.add(key);
    expect(begun).toEqual(["a", "b"]);
    await end("b");
    await end("a");
    expect(begun).toEqual(["a", "b", "c", "d"]);
  });

  test("what is added while it is worked on is done once more, and never twice at a time", async () => {
    const { queue, begun, end } = setUp();
    queue.add("a");
    queue.add("a");
    queue.add("a");
    expect(begun).toEqual(["a"]);
    await end("a");
    expect(begun).toEqual(["a", "a"]);
    await end("a");
    expect(begun).toEqual(["a", "a"]);
  });

  test("what fails is tried again, later each time", async () => {
    const { queue, begun, failures, end, clock } = setUp();
    queue.add("a");
    for (const ms of [100, 200, 400]) {
      await end("a", new Error("broken"));
      await clock.step(ms - 1);
      const before = begun.length;
      await clock.step(1);
      expect(begun).toHaveLength(before + 1);
    }
    expect(failures).toHaveLength(3);
    await end("a");
    queue.add("a");
    await end("a", new Error("broken"));
    await clock.step(100);
    expect(begun).toHaveLength(6);
  });

  test("nothing begins once it is stopped", async () => {
    const { queue, begun, end, stop, clock } = setUp(1);
    queue.add("a");
    queue.add("b");
    stop.abort();
    await end("a", new Error("broken"));
    await clock.step(60_000);
    expect(begun).toEqual(["a"]);
    await queue.idle();
  });
});
