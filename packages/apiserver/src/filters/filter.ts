import type { Awaitable } from "../awaitable.ts";
import type { APIResponse } from "../endpoints/http.ts";
import type { RequestState } from "../endpoints/request-state.ts";

/** Answers a request, or has the next one answer it: at once where nobody waits for anything. */
export type Filter = (state: RequestState, next: Handler) => Awaitable<APIResponse>;

export type Handler = (state: RequestState) => Awaitable<APIResponse>;

/** One handler of many filters: the first is the outermost. */
export function chain(filters: readonly Filter[], last: Handler): Handler {
  return filters.reduceRight<Handler>((next, filter) => (state) => filter(state, next), last);
}
