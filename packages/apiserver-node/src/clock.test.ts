import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "./clock.ts";

beforeEach(() => vi.useFakeTimers({ now: 1000 }));
afterEach(() => vi.useRealTimers());

test("sleeps as long as it is told, also for more than setTimeout can", async () => {
  const days = 40 * 86_400_000;
  let isAwake = false;
  const sleeping = systemClock.sleep(days).then(() => {
    isAwake = true;
  });
  await vi.advanceTimersByTimeAsync(days - 1);
  expect(isAwake).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await sleeping;
  expect(systemClock.now()).toBe(1000 + days);
});

test("ends early with its signal's reason, and leaves no timer", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const sleeping = expect(systemClock.sleep(1000, controller.signal)).rejects.toBe(reason);
  controller.abort(reason);
  await sleeping;
  expect(vi.getTimerCount()).toBe(0);
  await expect(systemClock.sleep(0, controller.signal)).rejects.toBe(reason);
});
