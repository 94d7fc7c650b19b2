import { timeout } from "@annex/apimachinery";
import type { Clock } from "../clock.ts";
import { withDeadline } from "./deadline.ts";
import type { Filter } from "./filter.ts";

/** Ends requests that take too long with a 504. Watches have a time of their own. */
export function deadlineFilter(timeoutMs: number, clock: Clock): Filter {
  return async (state, next) => {
    if (state.info.verb === "watch") return next(state);
    const deadline = withDeadline(state.signal, timeoutMs, clock);
    state.signal = deadline.signal;
    try {
      return await next(state);
    } catch (error) {
      // Whatever it was that the abort interrupted.
      if (deadline.isExpired) throw timeout("request did not complete within the allotted timeout");
      throw error;
    } finally {
      deadline[Symbol.dispose]();
    }
  };
}
