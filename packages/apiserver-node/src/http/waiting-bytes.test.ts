import { expect, test } from "vitest";
import { WaitingBytes } from "./waiting-bytes.ts";

test("admits up to its limit, one larger response when nothing else waits, and wakes once there is room", () => {
  const account = new WaitingBytes(100);
  const woken: string[] = [];
  expect(account.admits(1000)).toBe(true);
  account.add(60);
  expect([account.admits(40), account.admits(41), account.isFull]).toEqual([true, false, false]);
  account.add(60);
  expect(account.isFull).toBe(true);
  account.whenFree(() => woken.push("a"));
  account.whenFree(() => woken.push("b"))();
  account.add(-20);
  expect(woken).toEqual([]);
  account.add(-1);
  account.add(-1);
  expect(woken).toEqual(["a"]);
  expect(account.total).toBe(98);
});
