/** A request as it is to be sent: nothing in it has to be valid. */
export interface HostileRequest {
  readonly method: string;
  /** Percent-encoded, without the query. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Names in lower case; the same name may stand several times. */
  readonly headers: readonly Header[];
  readonly body: Uint8Array | undefined;
}

export type Header = readonly [name: string, value: string];

/** The first value of a header. */
export function headerOf({ headers }: HostileRequest, name: string): string | undefined {
  return headers.find(([one]) => one === name)?.[1];
}

/** The request with this header, and no other of its name. */
export function withHeader(request: HostileRequest, name: string, value: string): HostileRequest {
  return { ...request, headers: [...request.headers.filter(([one]) => one !== name), [name, value]] };
}

export function targetOf({ path, query }: HostileRequest): string {
  return query === "" ? path : `${path}?${query}`;
}

/** A text in quotes; what repeats one character is counted. */
const quote = (text: string) => JSON.stringify(text).replace(/(.)\1{39,}/g, (run, one: string) => `\u00ab${one} x ${run.length}\u00bb`);

/** The request in full, for people and for a test of its own: every byte of it can be told. */
export function describeRequest(request: HostileRequest): string {
  const { method, headers, body } = request;
  const lines = [`${method} ${quote(targetOf(request))}`, ...headers.map(([name, value]) => `${name}: ${quote(value)}`)];
  if (body !== undefined) lines.push(`body, ${body.length} bytes: ${describeBytes(body)}`);
  return lines.join("\n");
}

function describeBytes(body: Uint8Array): string {
  const bytes = Buffer.from(body);
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? quote(text) : `in base64: ${quote(bytes.toString("base64"))}`;
}

/** What the HTTP/2 library takes as one header, in bytes: with more it ends the connection, whatever else runs on it. */
const MAX_HPACK_BYTES = 65_536;

/** Whether a header, or the target, is longer than HTTP/2 is spoken with here. */
export function isBeyondHTTP2(request: HostileRequest): boolean {
  return [targetOf(request), ...request.headers.map(([, value]) => value)].some((text) => text.length > MAX_HPACK_BYTES);
}

/** What HTTP/2 adds to each header, in bytes, where they are counted together. Source: RFC 9113, section 6.5.2. */
const HEADER_OVERHEAD_BYTES = 32;
/** Method, scheme, authority and what the sender adds. */
const OTHER_HEADERS_BYTES = 1_024;

/** Whether the headers are more together than the server says it takes in HTTP/2: it resets the stream. */
export function isBeyondHeaderList(request: HostileRequest): boolean {
  const sizes = request.headers.map(([name, value]) => name.length + value.length + HEADER_OVERHEAD_BYTES);
  return sizes.reduce((sum, size) => sum + size, targetOf(request).length + OTHER_HEADERS_BYTES) > MAX_HPACK_BYTES;
}
