/**
 * A value that is there, or will be. What is answered from memory waits for nothing, and so makes no promise: those of the filters of a request made more than half of its
 * garbage, and a third of its work.
 */
export type Awaitable<T> = T | Promise<T>;

/** Told by `then`, not by its class: a promise of another realm, or of a library, is one too. */
export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof (value as Partial<Promise<T>> | null | undefined)?.then === "function";
}

/** Goes on with a value: at once when it is there. */
export function whenReady<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return isPromise(value) ? value.then(next) : next(value);
}

/** Goes on with what work comes to, or with why it failed, whether it throws or rejects. A failure of `done` is nobody's here. */
export function whenSettled<T, R>(
  work: () => Awaitable<T>,
  done: (value: T) => Awaitable<R>,
  failed: (error: unknown) => Awaitable<R>,
): Awaitable<R> {
  let value: Awaitable<T>;
  try {
    value = work();
  } catch (error) {
    return failed(error);
  }
  return isPromise(value) ? value.then(done, failed) : done(value);
}
