/** A request as kube-apiserver's metrics label it. Absent values are the empty string. */
export interface RequestLabels {
  /** In capitals as there: `GET`, `LIST`, `WATCH`, `POST`, `PUT`, `PATCH`, `DELETE`, `DELETECOLLECTION`, `CONNECT`, `APPLY`. Others count as `other`. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  /** `cluster`, `namespace` or `resource`, by what the path names; empty outside of resources. */
  readonly scope: string;
}

/** A request that was answered. */
export interface FinishedRequest extends RequestLabels {
  /** The HTTP status code that was sent. */
  readonly code: number;
  /** From the first byte of the request to the last of the response. */
  readonly seconds: number;
  /** The size of the response's body. Zero for a watch. */
  readonly responseBytes: number;
}

/** Which of the separate budgets of flow control a running request counts to. */
export type InflightKind = "readOnly" | "mutating" | "watch";

/** The resources that a server has: metrics label these, and count what a client merely invents under one label. */
export interface KnownResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** Without the empty one. */
  readonly subresources: readonly string[];
}

/**
 * What the framework counts. An implementation never throws, and bounds the number of label values itself: a path that a client
 * made up must not add a time series.
 */
export interface RequestMetrics {
  /** Counts a finished request: `apiserver_request_total`, `_request_duration_seconds`, `_response_sizes`. */
  observeRequest(request: FinishedRequest): void;

  /** How many requests of this kind run now: `apiserver_current_inflight_requests`. */
  setInflight(kind: InflightKind, count: number): void;

  /** A watch (or another request without an end) began: `apiserver_longrunning_requests`. */
  longRunningStarted(request: RequestLabels): void;

  /** …and ended; called once for each {@link longRunningStarted}, with the same labels. */
  longRunningEnded(request: RequestLabels): void;

  /** How many objects of a resource storage holds: `apiserver_storage_objects`. */
  setStorageObjects(group: string, resource: string, count: number): void;
}
