import type { Awaitable } from "../awaitable.ts";

/** What a peer's TLS certificate says, where a CA vouches for it. */
export interface PeerCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly uid?: string;
  /** The SHA-256 of the whole certificate, in hexadecimal digits of lower case. */
  readonly fingerprint?: string;
}

/** CAs in whose signatures somebody believes, one or more. Made by the adapter, once: it remembers by the value for whom they vouched. */
export interface CertificateAuthorities {
  readonly pem: string;
}

/** The certificates with which a peer opened its connection. */
export interface PeerCertificates {
  /**
   * Has some CAs vouch for the peer: now, over the intermediates that it showed, within all their dates. To be asked for each request; what did not change since the last time is not
   * checked again.
   *
   * @returns the same value each time; undefined when they do not vouch for it, or it is not certain whom it names.
   */
  verifiedBy(authorities: CertificateAuthorities): PeerCertificate | undefined;
}

/** The other end of a connection. */
export interface Peer {
  readonly address: string;
  /** Undefined when it showed none. Until CAs vouch for them they say nothing. */
  readonly certificates: PeerCertificates | undefined;
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
   * The values of a header as they were sent, one for each time: a comma in one is a part of it. Absent where no header was sent twice.
   *
   * @param name in lower case.
   */
  headerValues?(name: string): readonly string[];
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
export type RequestHandler = (request: APIRequest) => Awaitable<APIResponse>;
