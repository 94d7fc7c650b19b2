import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";

/** Longer than a client, and a front proxy before it, take from one answer to the next request. */
const QUIET_MS = 500;

/** What carries a body, and has arrived. */
export interface Upload {
  run(): unknown;
}

/**
 * Holds requests with a body back while a GOAWAY is to be sent, so that none crosses it.
 *
 * A client sends again by itself what comes too late for a GOAWAY, unless it had a body (RFC 9113 section 8.7): Go's proxies keep none, so the write fails. The protocol has a first
 * GOAWAY for that, which only announces (section 6.8), but nghttp2 drops what comes behind any that Node can send. So uploads wait, unanswered: who waits for an answer sends nothing
 * more, and when nothing has come for a while GOAWAY is sent, and then they run.
 */
export class UploadGate {
  #held: Upload[] | undefined;
  #heldMs = 0;

  /** Runs an upload, or holds it until the gate opens. */
  pass(upload: Upload): void {
    if (this.#held === undefined) {
      upload.run();
      return;
    }
    this.#held.push(upload);
    this.#heldMs = performance.now();
  }

  /**
   * From now on uploads are held. Ends when none came for a while.
   *
   * @param timeoutMs the end in any case.
   */
  async close(timeoutMs: number): Promise<void> {
    this.#held ??= [];
    const closedMs = performance.now();
    this.#heldMs = closedMs;
    for (;;) {
      const waitMs = Math.min(this.#heldMs + QUIET_MS, closedMs + timeoutMs) - performance.now();
      if (waitMs <= 0) return;
      await sleep(waitMs);
      // What has arrived by now is read first.
      await nextTurn();
    }
  }

  /** Runs what was held. */
  open(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const upload of held) upload.run();
  }
}
