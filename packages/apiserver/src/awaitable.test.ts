import { describe, expect, test, vi } from "vitest";
import { whenReady, whenSettled } from "./awaitable.ts";

const fail = (error: Error) => () => {
  throw error;
};
/** Not a Promise of ours: of another realm, or of a library. */
// biome-ignore lint/suspicious/noThenProperty: that is what it is about
const foreign = { then: (resolve: (value: number) => void) => resolve(1) } as unknown as Promise<number>;

describe("what is there", () => {
  test("is gone on with at once", () => {
    expect(whenReady(1, (value) => value + 1)).toBe(2);
    expect(
      whenSettled(
        () => 1,
        (value) => value + 1,
        fail(new Error("never asked")),
      ),
    ).toBe(2);
  });

  test("fails at once, and a failure of what follows is not its own", () => {
    const failed = vi.fn(() => 0);
    expect(whenSettled(fail(new Error("broken")), (value) => value, failed)).toBe(0);
    expect(() => whenSettled(() => 1, fail(new Error("later")), failed)).toThrow("later");
    expect(failed).toHaveBeenCalledOnce();
  });
});

describe("what will be there", () => {
  test.each([
    { what: "a promise", value: Promise.resolve(1) },
    { what: "a promise of another kind", value: foreign },
  ])("$what is waited for", async ({ value }) => {
    const next = vi.fn((number: number) => number + 1);
    const result = whenReady(value, next);
    if (value !== foreign) expect(next).not.toHaveBeenCalled();
    await result;
    expect(next).toHaveBeenCalledWith(1);
  });

  test("fails later, and a failure of what follows is not its own", async () => {
    const failed = vi.fn(() => 0);
    expect(
      await whenSettled(
        () => Promise.reject(new Error("broken")),
        (value) => value,
        failed,
      ),
    ).toBe(0);
    await expect(whenSettled(() => Promise.resolve(1), fail(new Error("later")), failed)).rejects.toThrow("later");
    expect(failed).toHaveBeenCalledOnce();
  });
});
