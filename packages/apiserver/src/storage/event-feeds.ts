import type { Revision, StorageBatch, StorageError, StorageWatchOptions } from "./storage.ts";

/** Where feeds read: what is durable, and how far it goes. */
export interface EventLog {
  /** The revision of the newest durable write. */
  readonly current: Revision;
  /**
   * What happened after a revision to keys that begin with the prefix, from the oldest on: a bounded piece of it, never past `current`.
   *
   * @throws {StorageError} `Compacted` if the history no longer reaches back to `after`.
   */
  read(after: Revision, prefix: string): StorageBatch | Promise<StorageBatch>;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * The feeds of one store, for a back end that has a log of its own. A feed is a position in the log and nothing else: a consumer that
 * falls behind costs no memory, it reads on from where it was or learns that this was compacted.
 *
 * The back end calls `wake` once its newest writes are durable and **before** it acknowledges them: a consumer that waits then has its
 * batch before the writer has its answer.
 */
export class EventFeeds {
  readonly #log: EventLog;
  readonly #feeds = new Set<EventFeed>();
  #ended: StorageError | undefined;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** `Storage.watch`. Each iteration of the result is a feed of its own. */
  watch(options: StorageWatchOptions): AsyncIterable<StorageBatch> {
    return { [Symbol.asyncIterator]: () => this.#open(options) };
  }

  /** Gives every waiting consumer what is new; one whose keys did not change learns how far the store has come. */
  wake(): void {
    for (const feed of this.#feeds) feed.wake();
  }

  /** Ends every feed, also those opened later, with this error. */
  end(error: StorageError): void {
    this.#ended ??= error;
    for (const feed of this.#feeds) feed.fail(this.#ended);
    this.#feeds.clear();
  }

  #open(options: StorageWatchOptions): AsyncIterator<StorageBatch> {
    const feed = new EventFeed(this.#log, options, () => this.#feeds.delete(feed));
    if (this.#ended !== undefined) feed.fail(this.#ended);
    else if (!feed.isEnded) this.#feeds.add(feed);
    return feed;
  }
}

interface Waiter {
  resolve(result: IteratorResult<StorageBatch>): void;
  reject(error: unknown): void;
}

class EventFeed implements AsyncIterator<StorageBatch> {
  readonly #log: EventLog;
  readonly #prefix: string;
  readonly #signal: AbortSignal;
  readonly #onEnd: () => void;
  #position: Revision;
  /** The step under way: a second `next` called meanwhile comes after it. */
  #step: Promise<IteratorResult<StorageBatch>> | undefined;
  #waiter: Waiter | undefined;
  #error: StorageError | undefined;
  isEnded = false;

  constructor(log: EventLog, options: StorageWatchOptions, onEnd: () => void) {
    this.#log = log;
    this.#prefix = options.prefix;
    this.#position = options.after;
    this.#signal = options.signal;
    this.#onEnd = onEnd;
    if (options.signal.aborted) this.isEnded = true;
    else options.signal.addEventListener("abort", this.#finish, { once: true });
  }

  next(): Promise<IteratorResult<StorageBatch>> {
    if (this.#step !== undefined) return this.#step.then(this.#again, this.#again);
    const step = this.#advance();
    this.#step = step;
    const clear = () => {
      if (this.#step === step) this.#step = undefined;
    };
    step.then(clear, clear);
    return step;
  }

  return(): Promise<IteratorResult<StorageBatch>> {
    this.#finish();
    return Promise.resolve(DONE);
  }

  wake(): void {
    const waiter = this.#waiter;
    if (waiter === undefined || this.#log.current <= this.#position) return;
    this.#waiter = undefined;
    // Read at once where the log can, so that the consumer's promise is settled before the writer's.
    try {
      const batch = this.#log.read(this.#position, this.#prefix);
      if (batch instanceof Promise) this.#take(batch).then(waiter.resolve, waiter.reject);
      else waiter.resolve(this.#delivered(batch));
    } catch (error) {
      this.#finish();
      waiter.reject(error);
    }
  }

  fail(error: StorageError): void {
    if (this.isEnded) return;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter === undefined) this.#error = error;
    this.#finish();
    waiter?.reject(error);
  }

  readonly #again = (): Promise<IteratorResult<StorageBatch>> => this.next();

  readonly #finish = (): void => {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#signal.removeEventListener("abort", this.#finish);
    this.#onEnd();
    this.#waiter?.resolve(DONE);
    this.#waiter = undefined;
  };

  #advance(): Promise<IteratorResult<StorageBatch>> {
    if (this.isEnded) return this.#last();
    let batch: StorageBatch | Promise<StorageBatch>;
    try {
      // Read even when nothing can be new: the log is what knows whether this position is compacted.
      batch = this.#log.read(this.#position, this.#prefix);
    } catch (error) {
      this.#finish();
      return Promise.reject(error);
    }
    if (batch instanceof Promise) return this.#take(batch);
    if (batch.revision > this.#position) return Promise.resolve(this.#delivered(batch));
    return this.#wait();
  }

  async #take(pending: Promise<StorageBatch>): Promise<IteratorResult<StorageBatch>> {
    let batch: StorageBatch;
    try {
      batch = await pending;
    } catch (error) {
      if (this.isEnded) return this.#last();
      this.#finish();
      throw error;
    }
    if (this.isEnded) return this.#last();
    if (batch.revision > this.#position) return this.#delivered(batch);
    // Writes may have become durable while the log was read: those woke nobody, so look again instead of waiting for the next.
    return this.#log.current > this.#position ? this.#advance() : this.#wait();
  }

  /** What an ended feed answers: its error once, then that it is over. */
  #last(): Promise<IteratorResult<StorageBatch>> {
    const error = this.#error;
    this.#error = undefined;
    return error === undefined ? Promise.resolve(DONE) : Promise.reject(error);
  }

  #delivered(batch: StorageBatch): IteratorResult<StorageBatch> {
    this.#position = batch.revision;
    return { done: false, value: batch };
  }

  #wait(): Promise<IteratorResult<StorageBatch>> {
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }
}
