import type { LogFields, Logger } from "@annex/apiserver";
import { describe, expect, test } from "vitest";
import { backgroundWork, untilStop } from "./background-work.ts";

function recorded() {
  const lines: string[] = [];
  const note = (fields: LogFields, message: string) => void lines.push(`${message}: ${fields.err instanceof Error ? fields.err.message : "?"}`);
  const log: Logger = { debug: note, info: note, warn: note, error: note };
  return { lines, log };
}

/** Ends when the signal says so: @param how to reject, if it does. */
const until = (signal: AbortSignal, how: () => unknown = () => undefined) =>
  new Promise<void>((resolve, reject) =>
    signal.addEventListener("abort", () => {
      const error = how();
      if (error === undefined) resolve();
      else reject(error);
    }),
  );

describe("work beside requests", () => {
  test("that fails ends the wait for a signal, and is known when the rest has ended", async () => {
    const { lines, log } = recorded();
    const [ending, stopping] = [new AbortController(), new AbortController()];
    let isRestOver = false;
    const rest = until(ending.signal).then(() => {
      isRestOver = true;
    });
    const work = backgroundWork([rest, Promise.reject(new Error("no")), Promise.resolve()], { signal: ending.signal, log });
    await untilStop(stopping.signal, work);
    expect([isRestOver, lines]).toEqual([false, ["work beside requests has failed: the server stops: no"]]);
    ending.abort();
    expect([await work.ended, isRestOver]).toEqual([false, true]);
  });

  test("that fails while the server stops is known, too", async () => {
    const { lines, log } = recorded();
    const [ending, stopping] = [new AbortController(), new AbortController()];
    const work = backgroundWork([until(ending.signal, () => new Error("late"))], { signal: ending.signal, log });
    stopping.abort();
    await untilStop(stopping.signal, work);
    ending.abort();
    expect([await work.ended, lines]).toEqual([false, ["work beside requests has failed: the server stops: late"]]);
  });

  test.each([
    { what: "returns", how: () => undefined },
    { what: "rejects for the signal", how: (signal: AbortSignal) => signal.reason },
    { what: "rejects as node:timers do", how: () => Object.assign(new Error("aborted"), { name: "AbortError" }) },
  ])("that $what when it is to end has not failed", async ({ how }) => {
    const { lines, log } = recorded();
    const ending = new AbortController();
    const work = backgroundWork([until(ending.signal, () => how(ending.signal))], { signal: ending.signal, log });
    ending.abort(new Error("enough"));
    expect([await work.ended, lines]).toEqual([true, []]);
  });

  test("that ends by itself is no reason to stop", async () => {
    const { log } = recorded();
    const stopping = new AbortController();
    const work = backgroundWork([Promise.resolve()], { signal: stopping.signal, log });
    const waiting = untilStop(stopping.signal, work).then(() => "stopped");
    expect(await Promise.race([waiting, work.ended])).toBe(true);
    stopping.abort();
    expect(await waiting).toBe("stopped");
  });

  test("a reason to end that comes too early is a failure", async () => {
    const { log } = recorded();
    const aborted = Object.assign(new Error("aborted"), { name: "AbortError" });
    expect(await backgroundWork([Promise.reject(aborted)], { signal: new AbortController().signal, log }).ended).toBe(false);
  });
});
