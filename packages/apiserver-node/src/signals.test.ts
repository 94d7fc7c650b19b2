import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { handleStopSignals } from "./signals.ts";

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

test.each(["SIGTERM", "SIGINT"])("%s stops, the second one at once, SIGHUP never", (name) => {
  const source = new FakeProcess();
  let now = 5_000;
  const { signal } = handleStopSignals(source, () => now);
  expect(source.emit("SIGHUP", "SIGHUP")).toBe(true);
  expect(signal.aborted).toBe(false);
  source.emit(name, name);
  expect(signal.reason).toEqual(new Error(`received ${name}`));
  expect(source.exits).toEqual([]);
  // The terminal's and npm's.
  now += 50;
  source.emit(name, name);
  expect(source.exits).toEqual([]);
  now += 1_000;
  source.emit("SIGINT", "SIGINT");
  expect(source.exits).toEqual([1]);
});

test("disposing takes all listeners away", () => {
  const source = new FakeProcess();
  handleStopSignals(source)[Symbol.dispose]();
  expect(source.eventNames()).toEqual([]);
});
