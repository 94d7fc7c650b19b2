import { badRequest, timeout } from "@annex/apimachinery";
import { type Awaitable, isPromise, whenSettled } from "../awaitable.ts";
import type { Clock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
import { parseDuration } from "../duration.ts";
import { parseQuery } from "../endpoints/query.ts";
import type { Filter } from "./filter.ts";
import { type RequestDeadline, RequestDeadlines } from "./request-deadlines.ts";

/**
 * Ends requests that take too long with a 504. Watches have a time of their own. With `timeout` in the query a client may ask for less time, never for more.
 *
 * @param timeoutMs the longest, in milliseconds.
 * @param closing aborts when the server is disposed of: nothing sleeps any longer.
 * Source: k8s.io/apiserver/pkg/endpoints/filters WithRequestDeadline, server/filters WithTimeoutForNonLongRunningRequests.
 */
export function deadlineFilter(timeoutMs: number, clock: Clock, closing: AbortSignal): Filter {
  const deadlines = new RequestDeadlines(timeoutMs, clock, closing);
  return (state, next) => {
    if (state.info.verb === "watch") return next(state);
    const asked = askedTimeoutMs(state.request.query);
    const isHasty = asked > 0 && asked < timeoutMs;
    const deadline = isHasty ? ownDeadline(state.signal, asked, clock) : deadlines.begin(state.request);
    state.cancellation = deadline;
    return whenSettled(
      // An author's handler may not listen to its signal: the client is answered all the same.
      () => deadline.limit(next(state)),
      (response) => {
        deadline.end();
        return response;
      },
      (error) => {
        deadline.end();
        // Whatever it was that the abort interrupted.
        throw deadline.isExpired ? timeout("request did not complete within the allotted timeout") : error;
      },
    );
  };
}

/** The deadline of a request that asked for one: its timer goes with it. */
function ownDeadline(outer: AbortSignal, ms: number, clock: Clock): Pick<RequestDeadline, "signal" | "isExpired" | "limit" | "end"> {
  const deadline = withDeadline(outer, ms, clock);
  const { signal } = deadline;
  return {
    signal,
    get isExpired() {
      return deadline.isExpired;
    },
    limit<T>(work: Awaitable<T>): Awaitable<T> {
      if (!isPromise(work)) return work;
      return new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => deadline.isExpired && reject(signal.reason), { once: true });
        work.then(resolve, reject);
      });
    },
    end: () => deadline[Symbol.dispose](),
  };
}

/** 0 when nothing was asked for. @throws {APIError} `BadRequest`. */
function askedTimeoutMs(query: string): number {
  if (!query.includes("timeout=")) return 0;
  const text = parseQuery(query).get("timeout") ?? "";
  if (text === "") return 0;
  const ms = parseDuration(text);
  if (ms === undefined) throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`);
  return ms;
}
