import { expect, test, vi } from "vitest";
import { setClock } from "../testing/review-cluster.ts";
import { SharedReviews, type SharedReviewsOptions } from "./shared-reviews.ts";

const waiting = { signal: new AbortController().signal };
const reviews = (options: Partial<SharedReviewsOptions<string>> = {}) =>
  new SharedReviews<string>((answer) => answer === "yes", { clock: setClock(), ttlMs: () => 1000, ...options });

/** A review that ends when the test says. */
function pending() {
  const { promise, resolve, reject } = withResolvers<string>();
  return { review: vi.fn(() => promise), resolve, reject };
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, resolve, reject };
}

test("one review at a time answers all who ask, and those who come later without a promise", async () => {
  const shared = reviews();
  const { review, resolve } = pending();
  const asked = [1, 2, 3].map(() => shared.ask("a", review, waiting));
  resolve("yes");
  expect(await Promise.all(asked)).toEqual(["yes", "yes", "yes"]);
  expect(shared.ask("a", review, waiting)).toBe("yes");
  expect(review).toHaveBeenCalledTimes(1);
});

test("a failure reaches all who asked, and is not kept", async () => {
  const shared = reviews();
  const { review, reject } = pending();
  const asked = [1, 2].map(() => shared.ask("a", review, waiting));
  reject(new Error("away"));
  expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await shared.ask("a", async () => "no", waiting)).toBe("no");
});

test("who leaves does not end it for the others", async () => {
  const shared = reviews();
  const { review, resolve } = pending();
  const leaving = new AbortController();
  const [first, second] = [shared.ask("a", review, leaving), shared.ask("a", review, waiting)];
  leaving.abort(new Error("gone"));
  await expect(first).rejects.toThrow("gone");
  resolve("yes");
  expect(await second).toBe("yes");
});

test("a review that hangs ends by itself, and the next one is asked for", async () => {
  const shared = reviews({ timeoutMs: 20 });
  let seen: AbortSignal | undefined;
  const hanging = shared.ask(
    "a",
    (signal) => {
      seen = signal;
      return new Promise(() => undefined);
    },
    waiting,
  );
  await expect(hanging).rejects.toThrow("nothing came for 20 ms");
  expect(seen?.aborted).toBe(true);
  expect(await shared.ask("a", async () => "yes", waiting)).toBe("yes");
});

test("there is an end to how many run: who comes then is told to come again", async () => {
  const shared = reviews({ maxRunning: 2 });
  const { review, resolve } = pending();
  const running = ["a", "b"].map((key) => shared.ask(key, review, waiting));
  expect(() => shared.ask("c", review, waiting)).toThrow(expect.objectContaining({ code: 429 }));
  const joined = shared.ask("a", review, waiting);
  resolve("yes");
  expect(await Promise.all([...running, joined])).toEqual(["yes", "yes", "yes"]);
  expect(await shared.ask("c", async () => "no", waiting)).toBe("no");
});

test("many a no pushes no yes out", async () => {
  const shared = reviews();
  await shared.ask("good", async () => "yes", waiting);
  for (let index = 0; index < 9000; index++) await shared.ask(`bad ${index}`, async () => "no", waiting);
  expect(shared.ask("good", () => Promise.reject(new Error("asked again")), waiting)).toBe("yes");
});
