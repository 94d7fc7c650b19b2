import { badRequest, timeout } from "@annex/apimachinery";
import type { Clock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
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
  return async (state, next) => {
    if (state.info.verb === "watch") return next(state);
    const asked = askedTimeoutMs(state.request.query);
    const isHasty = asked > 0 && asked < timeoutMs;
    const deadline = isHasty ? ownDeadline(state.signal, asked, clock) : deadlines.begin(state.request);
    state.cancellation = deadline;
    try {
      // An author's handler may not listen to its signal: the client is answered all the same.
      return await Promise.race([next(state), deadline.expired]);
    } catch (error) {
      // Whatever it was that the abort interrupted.
      if (deadline.isExpired) throw timeout("request did not complete within the allotted timeout");
      throw error;
    } finally {
      deadline.end();
    }
  };
}

/** The deadline of a request that asked for one: its timer goes with it. */
function ownDeadline(outer: AbortSignal, ms: number, clock: Clock): Pick<RequestDeadline, "signal" | "isExpired" | "expired" | "end"> {
  const deadline = withDeadline(outer, ms, clock);
  const { signal } = deadline;
  return {
    signal,
    get isExpired() {
      return deadline.isExpired;
    },
    expired: new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => deadline.isExpired && reject(signal.reason), { once: true });
    }),
    end: () => deadline[Symbol.dispose](),
  };
}

/** 0 when nothing was asked for. @throws {APIError} `BadRequest`. */
function askedTimeoutMs(query: string): number {
  if (!query.includes("timeout=")) return 0;
  const text = new URLSearchParams(query).get("timeout") ?? "";
  if (text === "") return 0;
  const ms = parseDuration(text);
  if (ms === undefined) throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`);
  return ms;
}

const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const DURATION = /^[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;

/** A duration as Go writes it, in milliseconds: `1m30s`, `500ms`, `0`. Undefined for what is none. Source: time.ParseDuration. */
function parseDuration(text: string): number | undefined {
  if (/^[-+]?0$/.test(text)) return 0;
  if (text.length > MAX_DURATION_LENGTH || !DURATION.test(text)) return undefined;
  let ms = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(/(\d+\.?\d*|\.\d+)([a-zµμ]+)/g)) ms += Number(amount) * (UNIT_MS[unit] ?? 0);
  return text.startsWith("-") ? -ms : ms;
}

const MAX_DURATION_LENGTH = 64;
