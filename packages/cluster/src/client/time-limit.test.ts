import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { TimeLimit } from "./time-limit.ts";

const listeners = (signal: AbortSignal) => getEventListeners(signal as EventTarget & AbortSignal, "abort").length;

test("ends by itself, later where something came, and with the outer signal's reason", async () => {
  using own = new TimeLimit(new AbortController().signal, 20);
  using extended = new TimeLimit(new AbortController().signal, 200);
  await sleep(150);
  extended.extend();
  expect([own.signal.aborted, extended.signal.aborted]).toEqual([true, false]);
  await sleep(100);
  expect([String(own.signal.reason), extended.signal.aborted]).toEqual(["Error: nothing came for 20 ms", false]);

  const outer = new AbortController();
  using joined = new TimeLimit(outer.signal, 60_000);
  outer.abort("gone");
  expect([joined.signal.reason, new TimeLimit(outer.signal, 60_000).signal.reason]).toEqual(["gone", "gone"]);
});

// Of Leases, lists and reviews there is one every few seconds, each within the time of the server.
test("leaves nothing on a signal that outlives it", async () => {
  const outer = new AbortController();
  {
    using limit = new TimeLimit(outer.signal, 60_000);
    expect([limit.signal.aborted, listeners(outer.signal)]).toEqual([false, 1]);
  }
  expect(listeners(outer.signal)).toBe(0);
  using late = new TimeLimit(outer.signal, 1);
  await sleep(20);
  expect([late.signal.aborted, listeners(outer.signal)]).toEqual([true, 0]);
});

test("many at a time are no oversight that Node would print", async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  process.on("warning", note);
  const outer = new AbortController();
  const limits = Array.from({ length: 40 }, () => new TimeLimit(outer.signal, 60_000));
  await sleep(10);
  process.off("warning", note);
  for (const limit of limits) limit[Symbol.dispose]();
  expect(warnings).toEqual([]);
});
