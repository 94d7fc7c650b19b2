import { SYSTEM_MASTERS } from "../authentication/user-info.ts";
import type { RequestInfo } from "../endpoints/request-info.ts";
import type { RequestState } from "../endpoints/request-state.ts";
import type { InflightKind } from "../metrics.ts";
import type { Filter } from "./filter.ts";
import type { FlowControl } from "./flow-control.ts";

const READS: ReadonlySet<string> = new Set(["get", "list", "watch", "head", "options"]);
const HEALTH = /^\/(?:healthz|livez|readyz)(?:\/|$)/;

/** Lets only so many requests run at once. Health and system:masters always may, so that a busy server can be looked after. */
export function flowControlFilter(flowControl: FlowControl): Filter {
  return async (state, next) => {
    const { info, user } = state;
    const release = await flowControl.acquire({ user, kind: kindOf(info), isExempt: isExempt(state) }, state.signal);
    let isStream = false;
    try {
      const response = await next(state);
      const { body } = response;
      if (typeof body !== "function") return response;
      isStream = true;
      // A client that goes before the headers are out never has the stream begun.
      state.request.signal.addEventListener("abort", release, { once: true });
      return { ...response, body: (sink, signal) => body(sink, signal).finally(release) };
    } finally {
      if (!isStream || state.request.signal.aborted) release();
    }
  };
}

function kindOf({ verb }: RequestInfo): InflightKind {
  if (verb === "watch") return "watch";
  return READS.has(verb) ? "readOnly" : "mutating";
}

function isExempt({ info, user }: RequestState): boolean {
  return user.groups.includes(SYSTEM_MASTERS) || (info.type === "path" && HEALTH.test(info.path));
}
