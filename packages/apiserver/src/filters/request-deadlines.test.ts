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

const endless = new Promise<never>(() => undefined);
/** The deadline of a request that waits. */
function waiting(deadlines: RequestDeadlines, outer = new AbortController()) {
  const deadline = deadlines.begin(outer);
  const limited = Promise.resolve(deadline.limit<never>(endless));
  // Somebody always listens.
  limited.catch(() => undefined);
  return { deadline, limited };
}
const outcome = (limited: Promise<never>) => Promise.race([limited.catch((error: unknown) => error), settled().then(() => "running")]);

describe("deadlines of one length", () => {
  test("a thousand requests cost one sleep, and end leaving nothing", async () => {
    const { deadlines, sleeps } = counting();
    const outer = new AbortController();
    for (let count = 0; count < 1_000; count++) {
      const { deadline } = waiting(deadlines, outer);
      if (count % 2 === 0) expect(deadline.signal.aborted).toBe(false);
      deadline.end();
    }
    expect(sleeps).toEqual([60_000]);
    expect(getEventListeners(outer.signal, "abort")).toEqual([]);
  });

  test("one that is answered at once has none", () => {
    const { deadlines, sleeps } = counting();
    const deadline = deadlines.begin(new AbortController());
    expect([deadline.limit("answer"), deadline.isExpired]).toEqual(["answer", false]);
    expect(sleeps).toEqual([]);
  });

  test("each ends at its own time", async () => {
    const { deadlines, clock } = counting();
    const first = waiting(deadlines);
    await clock.step(10_000);
    const done = waiting(deadlines);
    done.deadline.end();
    const second = waiting(deadlines);
    const { signal } = second.deadline;
    await clock.step(50_000);
    expect(await outcome(first.limited)).toMatchObject({ reason: "Timeout", code: 504 });
    expect([first.deadline.isExpired, second.deadline.isExpired, signal.aborted]).toEqual([true, false, false]);
    await clock.step(10_000);
    expect(await outcome(second.limited)).toMatchObject({ reason: "Timeout" });
    expect(signal.reason).toMatchObject({ reason: "Timeout" });
    // A signal that is read late tells the same.
    expect(first.deadline.signal.reason).toMatchObject({ reason: "Timeout" });
    expect([done.deadline.isExpired, done.deadline.signal.aborted, await outcome(done.limited)]).toEqual([false, false, "running"]);
  });

  test("work that ends in time is what the request comes to", async () => {
    const { deadlines, clock } = counting();
    const deadline = deadlines.begin(new AbortController());
    expect(await deadline.limit(Promise.resolve("answer"))).toBe("answer");
    await expect(deadline.limit(Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    deadline.end();
    await clock.step(60_000);
    expect(deadline.isExpired).toBe(false);
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
    const { limited } = waiting(deadlines);
    closing.abort(new Error("closed"));
    await clock.step(120_000);
    expect(await outcome(limited)).toBe("running");
  });
});
