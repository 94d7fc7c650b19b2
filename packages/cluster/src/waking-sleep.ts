import { type Clock, JoinedSignal } from "@annex/apiserver";

/** A sleep that somebody may end. Whoever is woken while awake does not sleep the next time. */
export class WakingSleep {
  readonly #clock: Clock;
  #isWoken = false;
  #asleep: JoinedSignal | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#isWoken = true;
    this.#asleep?.abort();
  }

  /** @returns when the time is over, somebody called {@link wake}, or the signal is aborted. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isWoken) {
      using asleep = new JoinedSignal(signal);
      this.#asleep = asleep;
      await this.#clock.sleep(ms, asleep.signal).catch(() => undefined);
      this.#asleep = undefined;
    }
    this.#isWoken = false;
  }
}
