import { whenReady } from "../awaitable.ts";
import type { APIResponse } from "../endpoints/http.ts";
import type { RequestInfo } from "../endpoints/request-info.ts";
import type { RequestState } from "../endpoints/request-state.ts";
import type { RequestLabels, RequestMetrics } from "../metrics.ts";
import type { Filter } from "./filter.ts";

/** Counts every request, also those that other filters refuse. */
export function metricsFilter(metrics: RequestMetrics, now: () => number): Filter {
  return (state, next) => whenReady(next(state), (response) => counted(response, state, metrics, now));
}

function counted(response: APIResponse, state: RequestState, metrics: RequestMetrics, now: () => number): APIResponse {
  const labels = labelsOf(state);
  const { body, status: code } = response;
  if (typeof body !== "function") {
    metrics.observeRequest(labels, code, (now() - state.now) / 1000, body?.length ?? 0);
    return response;
  }
  return {
    ...response,
    async body(sink, signal) {
      metrics.longRunningStarted(labels);
      try {
        await body(sink, signal);
      } finally {
        metrics.longRunningEnded(labels);
        metrics.observeRequest(labels, code, (now() - state.now) / 1000, 0);
      }
    },
  };
}

const CAPITALS: Readonly<Record<string, string | undefined>> = {
  get: "GET",
  list: "LIST",
  watch: "WATCH",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
  deletecollection: "DELETECOLLECTION",
};

function labelsOf({ info, request }: RequestState): RequestLabels {
  if (info.type === "path") return { verb: request.method, group: "", version: "", resource: "", subresource: "", scope: "" };
  const { group, version, resource, subresource } = info;
  return { verb: CAPITALS[info.verb] ?? request.method, group, version, resource, subresource, scope: scopeOf(info) };
}

function scopeOf(info: Extract<RequestInfo, { type: "resource" }>): string {
  if (info.name !== "") return "resource";
  return info.namespace === "" ? "cluster" : "namespace";
}
