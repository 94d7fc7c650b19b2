import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import type { Clock } from "./clock.ts";
import { withDeadline } from "./deadline.ts";

/** One sleep at a time, ended by `ring`. */
class AlarmClock implements Clock {
  ring: () => void = () => undefined;
  asked: number | undefined;
  isSleeping = false;

  now(): number {
    return 0;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.asked = ms;
    this.isSleeping = true;
    return new Promise<void>((resolve, reject) => {
      this.ring = () => {
        this.isSleeping = false;
        resolve();
      };
      signal?.addEventListener("abort", () => {
        this.isSleeping = false;
        reject(signal.reason);
      });
    });
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal as EventTarget & AbortSignal, "abort").length;
}

test("expires with Kubernetes' sentence and lets go of the outer signal", async () => {
  const [clock, outer] = [new AlarmClock(), new AbortController()];
  const deadline = withDeadline(outer.signal, 60_000, clock);
  expect([clock.asked, deadline.signal.aborted, deadline.isExpired, listeners(outer.signal)]).toEqual([60_000, false, false, 1]);
  clock.ring();
  await turn();
  expect([deadline.signal.aborted, deadline.isExpired, listeners(outer.signal)]).toEqual([true, true, 0]);
  expect(deadline.signal.reason).toMatchObject({
    code: 504,
    reason: "Timeout",
    message: "Timeout: request did not complete within the allotted timeout",
  });
});

test("passes the outer abort on at once, with its reason, and stops the timer", async () => {
  const [clock, outer] = [new AlarmClock(), new AbortController()];
  const deadline = withDeadline(outer.signal, 60_000, clock);
  const reason = new Error("the client is gone");
  outer.abort(reason);
  expect([deadline.signal.reason, deadline.isExpired, clock.isSleeping, listeners(outer.signal)]).toEqual([reason, false, false, 0]);
  clock.ring();
  await turn();
  expect([deadline.signal.reason, deadline.isExpired]).toEqual([reason, false]);
});

test("of a signal that is aborted already is aborted", () => {
  const clock = new AlarmClock();
  const deadline = withDeadline(AbortSignal.abort("gone"), 60_000, clock);
  expect([deadline.signal.reason, deadline.isExpired, clock.isSleeping]).toEqual(["gone", false, false]);
});

test("after disposal nothing aborts, nothing sleeps and nobody listens", async () => {
  const [clock, outer] = [new AlarmClock(), new AbortController()];
  const deadline = withDeadline(outer.signal, 60_000, clock);
  deadline[Symbol.dispose]();
  deadline[Symbol.dispose]();
  expect([clock.isSleeping, listeners(outer.signal)]).toEqual([false, 0]);
  outer.abort();
  clock.ring();
  await turn();
  expect([deadline.signal.aborted, deadline.isExpired]).toEqual([false, false]);
});

test("disposal wins over a timer that rang in the same turn", async () => {
  const [clock, outer] = [new AlarmClock(), new AbortController()];
  const deadline = withDeadline(outer.signal, 60_000, clock);
  clock.ring();
  deadline[Symbol.dispose]();
  await turn();
  expect([deadline.signal.aborted, deadline.isExpired]).toEqual([false, false]);
});

test("ten thousand requests leave nothing on a signal that outlives them", () => {
  const outer = new AbortController();
  for (let index = 0; index < 10_000; index++) {
    const deadline = withDeadline(outer.signal, 60_000, new AlarmClock());
    deadline[Symbol.dispose]();
  }
  expect(listeners(outer.signal)).toBe(0);
});
