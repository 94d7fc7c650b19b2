import { getEventListeners } from "node:events";
import { settled, steppedClock } from "@annex/testing";
import { describe, expect, test } from "vitest";
import type { Clock } from "../clock.ts";
import { RequestDeadlines } from "./request-deadlines.ts";

function counting() {
  const clock = steppedClock();
  const sleeps: number[] = [];
  const counted: Clock = {
    now: clock.now,
    sleep: (ms, signal) => {
      sleeps.push(ms);
      return clock.sleep(ms, signal);
    },
  };
  const closing = new AbortController();
  return { clock, sleeps, closing, deadlines: new RequestDeadlines(60_000, counted, closing.signal) };
}

const outcome = (expired: Promise<never>) => Promise.race([expired.catch((error: unknown) => error), settled().then(() => "running")]);

describe("deadlines of one length", () => {
  test("a thousand requests cost one sleep, and end leaving nothing", async () => {
    const { deadlines, sleeps } = counting();
    const outer = new AbortController();
    for (let count = 0; count < 1_000; count++) {
      const deadline = deadlines.begin(outer);
      if (count % 2 === 0) expect(deadline.signal.aborted).toBe(false);
      deadline.end();
    }
    expect(sleeps).toEqual([60_000]);
    expect(getEventListeners(outer.signal, "abort")).toEqual([]);
  });

  test("each ends at its own time", async () => {
    const { deadlines, clock } = counting();
    const begin = () => {
      const deadline = deadlines.begin(new AbortController());
      // As in a race, somebody always listens.
      deadline.expired.catch(() => undefined);
      return deadline;
    };
    const first = begin();
    await clock.step(10_000);
    const done = begin();
    done.end();
    const second = begin();
    const { signal } = second;
    await clock.step(50_000);
    expect(await outcome(first.expired)).toMatchObject({ reason: "Timeout", code: 504 });
    expect([first.isExpired, second.isExpired, signal.aborted]).toEqual([true, false, false]);
    await clock.step(10_000);
    expect(await outcome(second.expired)).toMatchObject({ reason: "Timeout" });
    expect(signal.reason).toMatchObject({ reason: "Timeout" });
    // A signal that is read late tells the same.
    expect(first.signal.reason).toMatchObject({ reason: "Timeout" });
    expect([done.isExpired, done.signal.aborted, await outcome(done.expired)]).toEqual([false, false, "running"]);
  });

  test("the outer signal ends a request before its time", () => {
    const { deadlines } = counting();
    const outer = new AbortController();
    const { signal } = deadlines.begin(outer);
    outer.abort(new Error("gone"));
    expect(signal.reason).toMatchObject({ message: "gone" });
    const late = deadlines.begin(outer);
    expect([late.signal.aborted, late.isExpired]).toEqual([true, false]);
  });

  test("nothing sleeps once the server is closed", async () => {
    const { deadlines, clock, closing } = counting();
    const deadline = deadlines.begin(new AbortController());
    closing.abort(new Error("closed"));
    await clock.step(120_000);
    expect(await outcome(deadline.expired)).toBe("running");
  });
});
