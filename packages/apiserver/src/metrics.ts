import type { StoredVersion } from "./watch-cache/stored-versions.ts";

export type { StoredVersion } from "./watch-cache/stored-versions.ts";

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

/** What came of asking who somebody is: `failure` where nobody knows. */
export type AuthenticationResult = "success" | "failure" | "error";

/** What came of asking whether somebody may do something. */
export type AuthorizationResult = "allowed" | "denied" | "no-opinion" | "error";

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

/** How many objects of a resource storage holds, by the version that they are stored in. */
export interface StoredObjects {
  readonly group: string;
  readonly resource: string;
  /** The apiVersion that they are written in now. */
  readonly storageVersion: string;
  /** By name; those of which there are objects. */
  readonly versions: readonly StoredVersion[];
}

/**
 * What the framework counts. An implementation never throws, and bounds the number of label values itself: a path that a client
 * made up must not add a time series.
 */
export interface RequestMetrics {
  /**
   * Counts a finished request: `apiserver_request_total`, `_request_duration_seconds`, `_response_sizes`. Takes its facts one by one: an object for each request would show.
   *
   * @param code the HTTP status code that was sent.
   * @param seconds from the first byte of the request to the last of the response.
   * @param responseBytes the size of the response's body; zero for a watch.
   */
  observeRequest(request: RequestLabels, code: number, seconds: number, responseBytes: number): void;

  /** Counts one request's authentication: `authentication_attempts`. */
  countAuthentication(result: AuthenticationResult): void;

  /** Counts one request's authorization, not the questions of reviews and impersonation: `authorization_attempts_total`. */
  countAuthorization(result: AuthorizationResult): void;

  /** How many requests of this kind run now: `apiserver_current_inflight_requests`. */
  setInflight(kind: InflightKind, count: number): void;

  /** A watch (or another request without an end) began: `apiserver_longrunning_requests`. */
  longRunningStarted(request: RequestLabels): void;

  /** …and ended; called once for each {@link longRunningStarted}, with the same labels. */
  longRunningEnded(request: RequestLabels): void;
}
