/**
 * What one server grants its peers. Every limit is per server unless its line says otherwise; each is a positive integer.
 *
 * Where kube-apiserver has the same limit, its value is ours (apiserver's secure_serving.go: 250 streams, 90 s idle, 32 s for headers).
 */
export interface HTTPLimits {
  /** Open connections, also those still in their TLS handshake. Beyond it new ones are closed. Default 10,000. */
  readonly maxConnections: number;
  /** Requests that one connection may have running, those that it reset and whose handlers still run included. Default 250. */
  readonly maxConcurrentStreams: number;
  /** Names and values of one request's headers, in bytes: more is answered 431. Default 64 KiB. In HTTP/2 see {@link LONGEST_HEADER_BYTES}, beyond which this cannot go. */
  readonly maxHeaderBytes: number;
  /** Path and query, in bytes: more is answered 414. Default 32 KiB. */
  readonly maxURLBytes: number;
  /** For the TLS handshake. Default 10 s. */
  readonly handshakeTimeoutMs: number;
  /** From the handshake to the end of the first request's headers. Default 32 s. */
  readonly headersTimeoutMs: number;
  /** For a request to arrive whole, body included; it doesn't limit the answer. Default 120 s. */
  readonly requestTimeoutMs: number;
  /** A connection without a request. Default 90 s. */
  readonly idleTimeoutMs: number;
  /** A response with bytes to send of which the peer takes none: it is reset. Default 60 s. */
  readonly stallTimeoutMs: number;
  /** Bytes that wait in one streamed response; a writer that goes on beyond them, without waiting for `drained`, is cut off. Default 1 MiB. */
  readonly maxStreamWaitingBytes: number;
  /** Bytes that wait in all responses together. Default 256 MiB. Buffers shared between responses count once for each. */
  readonly maxWaitingBytes: number;
  /**
   * Streams that the peer of one HTTP/2 connection may reset before the end of their answer, in 10 s, until it has to open another one (CVE-2023-44487). Default 300: nghttp2
   * allows 33 a second in the long run, and then ends the connection with all that is on it.
   */
  readonly maxStreamResets: number;
}

export const DEFAULT_LIMITS: HTTPLimits = {
  maxConnections: 10_000,
  maxConcurrentStreams: 250,
  maxHeaderBytes: 64 * 1024,
  maxURLBytes: 32 * 1024,
  handshakeTimeoutMs: 10_000,
  headersTimeoutMs: 32_000,
  requestTimeoutMs: 120_000,
  idleTimeoutMs: 90_000,
  stallTimeoutMs: 60_000,
  maxStreamWaitingBytes: 1024 * 1024,
  maxWaitingBytes: 256 * 1024 * 1024,
  maxStreamResets: 300,
};

/**
 * Completes an author's limits with the defaults.
 *
 * @throws {RangeError} naming the limit that is not a positive integer.
 */
export function resolveLimits(limits: Partial<HTTPLimits> = {}): HTTPLimits {
  const resolved = { ...DEFAULT_LIMITS, ...limits };
  for (const [name, value] of Object.entries(resolved)) {
    if (!Number.isSafeInteger(value) || value <= 0) throw new RangeError(`limit ${name} must be a positive integer, not ${value}`);
  }
  return resolved;
}

/**
 * nghttp2 takes no longer header, and answers one by ending its connection for all who share it, as those do who come through an aggregator. A client that heeds
 * what is said here of all headers of a request together, as Go's does, sends none. Of who sends more of them, 32 bytes counted for each, Node resets the stream.
 */
export const LONGEST_HEADER_BYTES = 64 * 1024;

/**
 * What Node itself refuses before we see a request. It lies well above {@link HTTPLimits.maxHeaderBytes}, so that most oversized
 * requests of HTTP/1.1 get a Status instead of a reset.
 */
export function hardHeaderBytes(limits: HTTPLimits): number {
  return 2 * (limits.maxHeaderBytes + limits.maxURLBytes);
}
