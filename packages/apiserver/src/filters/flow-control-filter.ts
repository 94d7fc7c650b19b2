import { SYSTEM_MASTERS } from "../authentication/user-info.ts";
import { whenReady, whenSettled } from "../awaitable.ts";
import type { APIResponse } from "../endpoints/http.ts";
import type { RequestInfo } from "../endpoints/request-info.ts";
import type { RequestState } from "../endpoints/request-state.ts";
import type { InflightKind } from "../metrics.ts";
import type { Filter } from "./filter.ts";
import type { FlowControl } from "./flow-control.ts";

const READS: ReadonlySet<string> = new Set(["get", "list", "watch", "head", "options"]);
const HEALTH = /^\/(?:healthz|livez|readyz)(?:\/|$)/;

/** Lets only so many requests run at once. Health and system:masters always may, so that a busy server can be looked after. */
export function flowControlFilter(flowControl: FlowControl): Filter {
  return (state, next) => {
    const { info, user } = state;
    return whenReady(flowControl.acquire({ user, kind: kindOf(info), isExempt: isExempt(state) }, state.cancellation), (release) =>
      whenSettled(
        () => next(state),
        (response) => holdingWhileStreaming(response, state, release),
        (error) => {
          release();
          throw error;
        },
      ),
    );
  };
}

/** A stream has its place until it ends; any other answer gives it back now. */
function holdingWhileStreaming(response: APIResponse, { request }: RequestState, release: () => void): APIResponse {
  const { body } = response;
  if (typeof body !== "function" || request.signal.aborted) {
    release();
    return response;
  }
  // A client that goes before the headers are out never has the stream begun.
  request.signal.addEventListener("abort", release, { once: true });
  return { ...response, body: (sink, signal) => body(sink, signal).finally(release) };
}

function kindOf({ verb }: RequestInfo): InflightKind {
  if (verb === "watch") return "watch";
  return READS.has(verb) ? "readOnly" : "mutating";
}

function isExempt({ info, user }: RequestState): boolean {
  return user.groups.includes(SYSTEM_MASTERS) || (info.type === "path" && HEALTH.test(info.path));
}
