import { ANONYMOUS, type UserInfo } from "../authentication/user-info.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { Cancellation } from "../cancellation.ts";
import type { RequestContext } from "../registry/verbs.ts";
import type { APIRequest } from "./http.ts";
import { parseQuery } from "./query.ts";
import type { RequestInfo } from "./request-info.ts";
import { Warnings } from "./warnings.ts";

/** A request on its way through the filters: what each has found out, for those behind it. To the verbs it is the context of the request. */
export class RequestState implements RequestContext {
  /** As the client sent it; without the headers of impersonation once that was allowed. */
  request: APIRequest;
  readonly info: RequestInfo;
  readonly auditID: string;
  /** Milliseconds since the epoch at which the request came: every rule of one request sees the same time. */
  readonly now: number;
  readonly authorizer: Authorizer;
  /** Who asks; anonymous until authentication has spoken. */
  user: UserInfo;
  /** Who asks in truth, when `user` is somebody as whom they may act. */
  impersonator: UserInfo | undefined;
  /** What ends the request early: the client that goes, and the deadline once there is one. */
  cancellation: Cancellation;
  readonly #warnings = new Warnings();
  #query: URLSearchParams | undefined;

  constructor(fields: {
    readonly request: APIRequest;
    readonly info: RequestInfo;
    readonly auditID: string;
    readonly now: number;
    readonly authorizer: Authorizer;
  }) {
    this.request = fields.request;
    this.info = fields.info;
    this.auditID = fields.auditID;
    this.now = fields.now;
    this.user = ANONYMOUS;
    this.impersonator = undefined;
    this.authorizer = fields.authorizer;
    this.cancellation = fields.request;
  }

  /** Aborts when the client is gone, the server stops, or the deadline is over. */
  get signal(): AbortSignal {
    return this.cancellation.signal;
  }

  get query(): URLSearchParams {
    this.#query ??= parseQuery(this.request.query);
    return this.#query;
  }

  /** The warnings, as values of `Warning` headers. */
  get warnings(): readonly string[] {
    return this.#warnings.headers;
  }

  /** Adds a warning. */
  readonly warn = (text: string): void => this.#warnings.add(text);
}
