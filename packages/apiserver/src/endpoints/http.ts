/** What the peer's TLS certificate said, after the chain was verified against the named CA. */
export interface PeerCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly uid?: string;
}

/** The other end of a connection. */
export interface Peer {
  readonly address: string;
  /** Present only when the certificate was verified against the client CA. */
  readonly clientCertificate: PeerCertificate | undefined;
}

/** A request as a value: no socket behind it that the framework could see. */
export interface APIRequest {
  readonly method: string;
  /** The path as sent: percent-encoded, without the query. */
  readonly path: string;
  /** The query as sent, without `?`; empty when there is none. */
  readonly query: string;
  /** Lower-case names. A header sent several times is joined by `, ` (cookies aside, as HTTP allows). */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /**
   * Reads the body once.
   *
   * @param maxBytes beyond it the promise rejects with {@link BodyTooLarge} and the rest is not read.
   */
  readonly body: (maxBytes: number) => Promise<Uint8Array>;
  readonly peer: Peer;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** The body of a request is longer than was allowed. */
export class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
}

export type ResponseHeaders = Record<string, string | readonly string[]>;

/** Where a stream writes to. `write` answers false when the peer is slow: then wait for `drained`. */
export interface ByteSink {
  write(chunk: Uint8Array): boolean;
  /** Resolves when more may be written; rejects when the peer is gone. */
  drained(): Promise<void>;
}

/** A response as a value. */
export interface APIResponse {
  readonly status: number;
  /** Of this response alone: filters write into it. Values are in bytes, one a character (Latin-1): other text is in UTF-8 that was taken apart. */
  readonly headers: ResponseHeaders;
  /** Whole: sent with content-length. Stream: called once the headers are out; the response ends when it resolves, and is reset when it rejects. */
  readonly body: Uint8Array | ((sink: ByteSink, signal: AbortSignal) => Promise<void>) | undefined;
}

/** An API server: what `apiserver-node` puts behind a socket and a test calls directly. */
export type RequestHandler = (request: APIRequest) => Promise<APIResponse>;
