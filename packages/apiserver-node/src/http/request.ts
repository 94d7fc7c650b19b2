import type { IncomingHttpHeaders } from "node:http";
import type { APIRequest, Peer } from "@annex/apiserver";

/** Where a request's target and headers stand in bytes, beside their values. */
export interface RequestHead {
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Names and values in turns, as they were sent. */
  readonly rawHeaders: readonly string[];
  /** Names and values of the headers together. */
  readonly headerBytes: number;
}

/** What a request value asks of the exchange that it belongs to. */
export interface RequestSource {
  readBody(maxBytes: number): Promise<Uint8Array>;
  readonly signal: AbortSignal;
}

/**
 * The request value that the framework sees. `signal` is a getter of the class, because an AbortController costs a fifth of a small
 * request and many requests never ask for one: so copy a request field by field, not by spread.
 */
export class HTTPRequest implements APIRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: (maxBytes: number) => Promise<Uint8Array>;
  readonly peer: Peer;
  readonly #rawHeaders: readonly string[];
  readonly #source: RequestSource;

  constructor(method: string, head: RequestHead, peer: Peer, source: RequestSource) {
    this.method = method;
    this.path = head.path;
    this.query = head.query;
    this.headers = head.headers;
    this.#rawHeaders = head.rawHeaders;
    this.body = (maxBytes) => source.readBody(maxBytes);
    this.peer = peer;
    this.#source = source;
  }

  headerValues(name: string): readonly string[] {
    return this.#rawHeaders.filter((_value, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === name);
  }

  get signal(): AbortSignal {
    return this.#source.signal;
  }
}

/**
 * Splits a request target and makes the header record: no pseudo headers, `:authority` as `host`, repeated headers joined.
 *
 * @param target as sent: `/path?query`, or the absolute form that proxies use.
 * @param incoming Node's record: lower-case names, values already joined but for `set-cookie`. Where Node keeps only the first of a
 *   repeated header (`authorization`, `content-type`, `user-agent`, …), so does the record.
 * @param rawHeaders names and values in turns, as they were sent.
 */
export function requestHead(target: string, incoming: IncomingHttpHeaders, rawHeaders: readonly string[]): RequestHead {
  const start = originForm(target);
  const mark = start.indexOf("?");
  // Without a prototype: a header named like a property of Object must not be found where none was sent.
  const headers: Record<string, string | undefined> = Object.create(null);
  let headerBytes = 0;
  for (const name in incoming) {
    const value = incoming[name];
    if (value === undefined) continue;
    const text = typeof value === "string" ? value : value.join(", ");
    headerBytes += name.length + text.length;
    if (name.charCodeAt(0) === 0x3a) {
      if (name === ":authority") headers.host ??= text;
      // The target has a limit of its own.
      else if (name === ":path") headerBytes -= text.length;
    } else headers[name] = text;
  }
  return mark === -1
    ? { path: start, query: "", headers, rawHeaders, headerBytes }
    : { path: start.slice(0, mark), query: start.slice(mark + 1), headers, rawHeaders, headerBytes };
}

function originForm(target: string): string {
  if (target.charCodeAt(0) === 0x2f) return target;
  const absolute = /^https?:\/\/[^/?#]*(.*)$/is.exec(target);
  const rest = absolute?.[1];
  if (rest === undefined) return target;
  return rest.startsWith("/") ? rest : `/${rest}`;
}
