import { timeout } from "@annex/apimachinery";
import type { Clock } from "../clock.ts";
import { type Deadline, withDeadline } from "./deadline.ts";
import type { Filter } from "./filter.ts";

/** Ends requests that take too long with a 504. Watches have a time of their own. */
export function deadlineFilter(timeoutMs: number, clock: Clock): Filter {
  return async (state, next) => {
    if (state.info.verb === "watch") return next(state);
    const deadline = withDeadline(state.signal, timeoutMs, clock);
    state.signal = deadline.signal;
    try {
      // An author's handler may not listen to its signal: the client is answered all the same.
      return await Promise.race([next(state), expiry(deadline)]);
    } catch (error) {
      // Whatever it was that the abort interrupted.
      if (deadline.isExpired) throw timeout("request did not complete within the allotted timeout");
      throw error;
    } finally {
      deadline[Symbol.dispose]();
    }
  };
}

/** Rejects when the time is up; otherwise it never settles. */
function expiry(deadline: Deadline): Promise<never> {
  return new Promise((_resolve, reject) => {
    deadline.signal.addEventListener("abort", () => deadline.isExpired && reject(deadline.signal.reason), { once: true });
  });
}
