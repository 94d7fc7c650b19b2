import type { StatusReason } from "@annex/apimachinery";
import { OperatorError } from "@annex/apiserver";

/** What a failure that Node reports means to this server. */
export type NodeErrorMeaning =
  /** The other end is gone, or broke the protocol so that no answer reaches it. Nothing is wrong here. */
  | { readonly kind: "peerGone" }
  /** A request that can't be read, and whose sender can still be told. */
  | { readonly kind: "badRequest"; readonly code: number; readonly reason: StatusReason; readonly message: string }
  /** The handshake did not come about. */
  | { readonly kind: "handshake" }
  /** The operator's concern: the address can't be listened on. `message` is one line for the terminal. */
  | { readonly kind: "listen"; readonly message: string }
  /** Anything else: a fault of this process. */
  | { readonly kind: "unknown" };

const PEER_GONE: NodeErrorMeaning = { kind: "peerGone" };
const HANDSHAKE: NodeErrorMeaning = { kind: "handshake" };
const UNKNOWN: NodeErrorMeaning = { kind: "unknown" };

/** Exact codes; families of codes are told by their prefix in {@link nodeErrorMeaning}. */
const MEANINGS: ReadonlyMap<string, NodeErrorMeaning> = new Map<string, NodeErrorMeaning>([
  // A peer that crashes, or whose network does, shows as any of these.
  ["ECONNRESET", PEER_GONE],
  ["ECONNABORTED", PEER_GONE],
  ["EPIPE", PEER_GONE],
  ["ETIMEDOUT", PEER_GONE],
  ["EHOSTUNREACH", PEER_GONE],
  ["ENETUNREACH", PEER_GONE],
  ["ENOTCONN", PEER_GONE],
  // Writing or reading after the stream was closed from the other side.
  ["ERR_STREAM_DESTROYED", PEER_GONE],
  ["ERR_STREAM_PREMATURE_CLOSE", PEER_GONE],
  ["ERR_STREAM_WRITE_AFTER_END", PEER_GONE],
  ["ERR_HTTP2_INVALID_STREAM", PEER_GONE],
  ["ERR_HTTP2_INVALID_SESSION", PEER_GONE],
  ["ERR_HTTP2_STREAM_CANCEL", PEER_GONE],
  ["ERR_HTTP2_GOAWAY_SESSION", PEER_GONE],
  // RST_STREAM or GOAWAY with an error code, from the peer or answered to it by nghttp2.
  ["ERR_HTTP2_STREAM_ERROR", PEER_GONE],
  ["ERR_HTTP2_SESSION_ERROR", PEER_GONE],
  // nghttp2 found frames that break the protocol, or too many of them.
  ["ERR_HTTP2_ERROR", PEER_GONE],
  ["ERR_HTTP2_TOO_MANY_INVALID_FRAMES", PEER_GONE],
  // llhttp, on HTTP/1.1.
  ["HPE_HEADER_OVERFLOW", badRequest(431, "BadRequest", "the header of the request is too large")],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", badRequest(413, "RequestEntityTooLarge", "the chunk extensions of the request are too large")],
  ["ERR_HTTP_REQUEST_TIMEOUT", badRequest(408, "Timeout", "the request did not arrive in time")],
  // llhttp's words for a socket that ended inside of a request.
  ["HPE_INVALID_EOF_STATE", PEER_GONE],
]);

const MALFORMED = badRequest(400, "BadRequest", "the request is not well-formed HTTP/1.1");

function badRequest(code: number, reason: StatusReason, message: string): NodeErrorMeaning {
  return { kind: "badRequest", code, reason, message };
}

/** @returns the `code` of a Node error, or the empty string. */
export function nodeErrorCode(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

/**
 * Says what an error of Node's sockets, TLS, HTTP/1.1 parser or HTTP/2 sessions means here. Everything in this package that looks at
 * `error.code` of a connection does it through this function.
 */
export function nodeErrorMeaning(error: unknown): NodeErrorMeaning {
  const code = nodeErrorCode(error);
  const exact = MEANINGS.get(code);
  if (exact !== undefined) return exact;
  if (code.startsWith("HPE_")) return MALFORMED;
  // ERR_TLS_HANDSHAKE_TIMEOUT, ERR_TLS_CERT_…; OpenSSL's own begin with ERR_SSL_.
  if (code.startsWith("ERR_TLS_") || code.startsWith("ERR_SSL_")) return HANDSHAKE;
  const message = listenMessage(code);
  return message === undefined ? UNKNOWN : { kind: "listen", message };
}

function listenMessage(code: string): string | undefined {
  switch (code) {
    case "EADDRINUSE":
      return "the port is in use by another process";
    case "EADDRNOTAVAIL":
      return "this machine has no such address";
    case "EACCES":
    case "EPERM":
      return "this user may not listen on that port";
    case "EAFNOSUPPORT":
      return "this machine does not support that kind of address";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the host name does not resolve";
    default:
      return undefined;
  }
}

/** The address can't be listened on; the message is one line, for the terminal. */
export class ListenError extends OperatorError {
  override readonly name = "ListenError";
}
