import type { UserInfo } from "../authentication/user-info.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { Cancellation } from "../cancellation.ts";
import type { RequestContext } from "../registry/verbs.ts";
import type { APIRequest } from "./http.ts";
import type { RequestInfo } from "./request-info.ts";

/** How much of warnings one answer carries, in characters. Source: k8s.io/apiserver filters, warning recorder's 4 KiB for all. */
const MAX_WARNINGS_LENGTH = 4 * 1024;

const MAX_WARNINGS = 100;
const encoder = new TextEncoder();

/** The value of a `Warning` header: text in UTF-8, one byte a character, as headers are sent. Control characters cannot stand in one. */
function warningHeader(text: string): string {
  const printable = text
    .replace(/[\p{Cc}\p{Cf}]/gu, " ")
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"');
  const isASCII = /^[ -~]*$/.test(printable);
  return `299 - "${isASCII ? printable : Array.from(encoder.encode(printable), (byte) => String.fromCharCode(byte)).join("")}"`;
}

/** A request on its way through the filters: what each has found out, for those behind it. */
export class RequestState {
  readonly request: APIRequest;
  readonly info: RequestInfo;
  readonly auditID: string;
  /** Milliseconds since the epoch at which the request came: every rule of one request sees the same time. */
  readonly now: number;
  readonly authorizer: Authorizer;
  /** Who asks; anonymous until authentication has spoken. */
  user: UserInfo;
  /** What ends the request early: the client that goes, and the deadline once there is one. */
  cancellation: Cancellation;
  readonly #warnings: string[] = [];
  #warningsLength = 0;
  #query: URLSearchParams | undefined;

  constructor(fields: {
    readonly request: APIRequest;
    readonly info: RequestInfo;
    readonly auditID: string;
    readonly now: number;
    readonly user: UserInfo;
    readonly authorizer: Authorizer;
  }) {
    this.request = fields.request;
    this.info = fields.info;
    this.auditID = fields.auditID;
    this.now = fields.now;
    this.user = fields.user;
    this.authorizer = fields.authorizer;
    this.cancellation = fields.request;
  }

  /** Aborts when the client is gone, the server stops, or the deadline is over. */
  get signal(): AbortSignal {
    return this.cancellation.signal;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.request.query);
    return this.#query;
  }

  /** The warnings, as values of `Warning` headers. Source: RFC 9111 (obsoleted there, alive in Kubernetes), k8s.io/apiserver/pkg/warning. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Adds a warning once; what is too much for the headers is dropped. */
  readonly warn = (text: string): void => {
    if (text === "" || this.#warnings.length >= MAX_WARNINGS) return;
    const value = warningHeader(text);
    if (this.#warnings.includes(value) || this.#warningsLength + value.length > MAX_WARNINGS_LENGTH) return;
    this.#warnings.push(value);
    this.#warningsLength += value.length;
  };

  context(): RequestContext {
    const { user, now, cancellation, authorizer, warn } = this;
    return {
      user,
      now,
      get signal() {
        return cancellation.signal;
      },
      authorizer,
      warn,
    };
  }
}
