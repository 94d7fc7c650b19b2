import fc from "fast-check";
import { expect, test } from "vitest";
import type { Exchange } from "./exchange.ts";
import { RunningExchanges } from "./running-exchanges.ts";

/** Of an exchange its place is all that is looked at. */
const exchange = (): Exchange => ({ place: 0 }) as Exchange;

test("they are a set, whatever the order in which they come and go", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9)), (steps) => {
      const all = Array.from({ length: 10 }, exchange);
      const running = new RunningExchanges();
      const expected = new Set<Exchange>();
      for (const step of steps) {
        const one = all[step] as Exchange;
        if (expected.has(one)) {
          expected.delete(one);
          running.delete(one);
          // Gone is gone.
          running.delete(one);
        } else {
          expected.add(one);
          running.add(one);
        }
        expect(running.size).toBe(expected.size);
        expect(new Set(running)).toEqual(expected);
      }
    }),
  );
});

test("each is seen once by who goes through them, though they end meanwhile", () => {
  const all = Array.from({ length: 5 }, exchange);
  const running = new RunningExchanges();
  for (const one of all) running.add(one);
  const seen: Exchange[] = [];
  for (const one of running) {
    seen.push(one);
    running.delete(one);
  }
  expect(seen).toEqual(all);
  expect(running.size).toBe(0);
});
