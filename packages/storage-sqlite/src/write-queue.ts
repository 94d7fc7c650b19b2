import { conflict, type Revision, StorageError, type StorageEvent, type StorageKey, type StoredValue } from "@annex/apiserver";
import type { Row, Write, WriteResult } from "./worker/protocol.ts";

/** What one transaction takes, and what may wait for the next: beyond that writes are refused, so that a slow disk does not fill the memory. */
const BATCH_WRITES = 1_024;
const BATCH_BYTES = 32 * 1024 * 1024;
const MAX_WAITING_BYTES = 512 * 1024 * 1024;
const MAX_WAITING_WRITES = 65_536;

interface Waiting {
  readonly write: Write;
  resolve(revision: Revision): void;
  reject(error: StorageError): void;
}

export interface WriteQueueHandlers {
  /** Makes the writes durable, all in one transaction. */
  commit(writes: readonly Write[]): Promise<readonly WriteResult[]>;
  /** Takes the events of a transaction that is durable; the writers are told after it returns. */
  publish(events: readonly StorageEvent[]): void;
  /** What the writers of a transaction that failed are told. */
  failure(error: unknown): StorageError;
}

/** Group commit: while one transaction is being flushed the next one gathers, so that many writers share a flush. */
export class WriteQueue {
  readonly #handlers: WriteQueueHandlers;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isBusy = false;
  #isScheduled = false;
  #onIdle: (() => void)[] = [];

  constructor(handlers: WriteQueueHandlers) {
    this.#handlers = handlers;
  }

  add(write: Write): Promise<Revision> {
    if (this.#waitingBytes + sizeOf(write) > MAX_WAITING_BYTES || this.#waiting.length >= MAX_WAITING_WRITES) {
      return Promise.reject(new StorageError("Unavailable", "the store cannot keep up: too many writes wait for the disk"));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject });
      this.#waitingBytes += sizeOf(write);
      this.#schedule();
    });
  }

  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void> {
    if (!this.#isBusy && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  #schedule(): void {
    if (this.#isBusy || this.#isScheduled) return;
    this.#isScheduled = true;
    // Not at once: writers that were woken together, by one answer, are to travel together.
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      try {
        this.#settle(batch, await this.#handlers.commit(batch.map(({ write }) => write)));
      } catch (error) {
        const failure = this.#handlers.failure(error);
        for (const { reject } of batch) reject(failure);
      }
    }
    this.#isBusy = false;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { write } of this.#waiting) {
      if (count > 0 && (count >= BATCH_WRITES || bytes + sizeOf(write) > BATCH_BYTES)) break;
      bytes += sizeOf(write);
      count += 1;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  #settle(batch: readonly Waiting[], results: readonly WriteResult[]): void {
    const events = results.flatMap((result, index) => {
      const write = batch[index]?.write;
      return result.type === "done" && write !== undefined ? [eventOf(write, result.revision, result.previous)] : [];
    });
    this.#handlers.publish(events);
    for (const [index, { write, resolve, reject }] of batch.entries()) {
      const result = results[index];
      if (result?.type === "done")
        resolve(result.revision as Revision); // the thread's counter is the store's
      else if (result?.type === "conflict")
        reject(conflict(write.key as StorageKey, result.current && storedValue(result.current))); // it came in as one
      else reject(new StorageError("Unavailable", result?.message ?? "the store gave no answer"));
    }
  }
}

/** A row that comes from the thread, in the contract's terms. */
export function storedValue({ key, revision, value }: Row): StoredValue {
  return { key: key as StorageKey, revision: revision as Revision, value }; // the thread hands out what was put in with these brands
}

function eventOf(write: Write, revision: number, previous: Row | undefined): StorageEvent {
  const base = { key: write.key as StorageKey, revision: revision as Revision }; // as above
  const was = previous === undefined ? undefined : storedValue(previous);
  if (write.type === "put") return { ...base, type: "put", value: write.value, previous: was };
  if (was === undefined) throw new Error("a delete of nothing was committed");
  return { ...base, type: "delete", previous: was };
}

function sizeOf(write: Write): number {
  // Something for the key and what holds it, so that many small writes count as well.
  return 256 + (write.type === "put" ? write.value.byteLength : 0);
}
