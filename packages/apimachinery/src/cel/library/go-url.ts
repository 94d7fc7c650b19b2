import { quoteGo } from "../../meta/go-quote.ts";
import { AddressError, parseAddress } from "./network-address.ts";

/** Why a text is no URL, in Go's words. */
export class URLError extends Error {
  override readonly name = "URLError";
}

/** A URL as Go's net/url takes it apart. */
export interface GoURL {
  /** In lower case. */
  readonly scheme: string;
  /** What follows the scheme when it is no path. */
  readonly opaque: string;
  /** As written; undefined for none. */
  readonly userinfo: string | undefined;
  /** Host and port, unescaped. */
  readonly host: string;
  /** Whether there is no `//` before the path. */
  readonly omitsHost: boolean;
  /** As written. */
  readonly path: string;
  readonly query: string | undefined;
  readonly fragment: string | undefined;
}

/**
 * Reads an absolute URL, or an absolute path. A `#` is a character like any other.
 *
 * @throws {URLError}
 *
 * Source: net/url.ParseRequestURI.
 */
export function parseRequestURI(text: string): GoURL {
  return named(text, () => parse(text, true));
}

/** Reads a URL with a fragment. @throws {URLError} Source: net/url.Parse. */
export function parseURL(text: string): GoURL {
  const hash = text.indexOf("#");
  const before = hash < 0 ? text : text.slice(0, hash);
  const url = named(before, () => parse(before, false));
  if (hash < 0) return url;
  const fragment = text.slice(hash + 1);
  named(text, () => checkEscapes(fragment));
  return { ...url, fragment };
}

function named<Result>(text: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof URLError)) throw error;
    throw new URLError(`parse ${quoteGo(text)}: ${error.message}`);
  }
}

const NOTHING: GoURL = { scheme: "", opaque: "", userinfo: undefined, host: "", omitsHost: false, path: "", query: undefined, fragment: undefined };

function parse(text: string, isRequest: boolean): GoURL {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x1f\x7f]/.test(text)) throw new URLError("net/url: invalid control character in URL");
  if (text === "" && isRequest) throw new URLError("empty url");
  if (text === "*") return { ...NOTHING, path: "*" };
  if (text.startsWith(":")) throw new URLError("missing protocol scheme");
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text)?.[1] ?? "";
  const afterScheme = scheme === "" ? text : text.slice(scheme.length + 1);
  const mark = afterScheme.indexOf("?");
  const query = mark < 0 ? undefined : afterScheme.slice(mark + 1);
  const rest = mark < 0 ? afterScheme : afterScheme.slice(0, mark);
  const url = { ...NOTHING, scheme: scheme.toLowerCase(), query };
  if (!rest.startsWith("/")) {
    if (scheme !== "") return { ...url, opaque: rest };
    if (isRequest) throw new URLError("invalid URI for request");
    if (rest.split("/", 1)[0]?.includes(":") === true) throw new URLError("first path segment in URL cannot contain colon");
  }
  const hasAuthority = (scheme !== "" || (!isRequest && !rest.startsWith("///"))) && rest.startsWith("//");
  if (!hasAuthority) return { ...url, omitsHost: scheme !== "" && rest.startsWith("/"), path: checkEscapes(rest) };
  const slash = rest.indexOf("/", 2);
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
  return { ...url, ...parseAuthority(url.scheme, authority), path: checkEscapes(slash < 0 ? "" : rest.slice(slash)) };
}

/** @returns the text. @throws {URLError} for a percent sign without two digits behind it. */
function checkEscapes(text: string): string {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/su.exec(text)?.[0];
  if (bad !== undefined) throw new URLError(`invalid URL escape ${quoteGo(bad)}`);
  return text;
}

function parseAuthority(scheme: string, authority: string): Pick<GoURL, "userinfo" | "host"> {
  const at = authority.lastIndexOf("@");
  const host = parseHost(scheme, authority.slice(at + 1));
  if (at < 0) return { userinfo: undefined, host };
  const userinfo = authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(userinfo)) throw new URLError("net/url: invalid userinfo");
  return { userinfo: checkEscapes(userinfo), host };
}

function parseHost(scheme: string, host: string): string {
  const open = host.lastIndexOf("[");
  if (open > 0) throw new URLError("invalid IP-literal");
  if (open === 0) return parseLiteral(host);
  const isStrict = scheme === "http" || scheme === "https";
  const colon = isStrict ? host.indexOf(":") : host.lastIndexOf(":");
  if (colon >= 0) checkPort(host.slice(colon));
  return unescapeHost(host);
}

function parseLiteral(host: string): string {
  const close = host.lastIndexOf("]");
  if (close < 0) throw new URLError("missing ']' in host");
  const port = host.slice(close + 1);
  checkPort(port);
  const literal = host.slice(1, close);
  const zone = literal.indexOf("%25");
  const address = zone < 0 ? unescapeHost(literal) : unescapeHost(literal.slice(0, zone)) + unescapeZone(literal.slice(zone));
  try {
    if (parseAddress(address).bytes.length === 4) throw new URLError("invalid IP-literal");
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new URLError(`invalid host: ${error.message}`);
  }
  return `[${address}]${port}`;
}

function checkPort(text: string): void {
  if (!/^(?::\d*)?$/.test(text)) throw new URLError(`invalid port ${quoteGo(text)} after host`);
}

const HOST_CHARS = /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/;

/** Escapes in a host are for bytes beyond ASCII, and for the percent sign. */
function unescapeHost(text: string): string {
  return unescapeStrict(text, (escape) => /^%(?:[89a-fA-F]|25)/.test(escape));
}

/** Those in a zone are for what may stand there as it is, too, and for a space. */
function unescapeZone(text: string): string {
  return unescapeStrict(text, (escape) => {
    const char = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return escape === "%25" || char === " " || HOST_CHARS.test(char);
  });
}

function unescapeStrict(text: string, isAllowed: (escape: string) => boolean): string {
  checkEscapes(text);
  for (const escape of text.match(/%[0-9a-fA-F]{2}/g) ?? []) if (!isAllowed(escape)) throw new URLError(`invalid URL escape ${quoteGo(escape)}`);
  for (const char of text.replaceAll(/%[0-9a-fA-F]{2}/g, "")) {
    if (char < "\x80" && !HOST_CHARS.test(char)) throw new URLError(`invalid character ${quoteGo(char)} in host name`);
  }
  return unescapeText(text);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function unescapeText(text: string): string {
  if (!text.includes("%")) return text;
  const bytes: number[] = [];
  let end = 0;
  for (const match of text.matchAll(/%([0-9a-fA-F]{2})/g)) {
    bytes.push(...encoder.encode(text.slice(end, match.index)), Number.parseInt(match[1] ?? "", 16));
    end = match.index + match[0].length;
  }
  bytes.push(...encoder.encode(text.slice(end)));
  return decoder.decode(Uint8Array.from(bytes));
}

/** A text with all bytes escaped that a pattern does not take. */
function escapeText(text: string, isPlain: RegExp): string {
  let escaped = "";
  for (const byte of encoder.encode(text)) {
    const char = String.fromCharCode(byte);
    escaped += byte < 0x80 && isPlain.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}

/** The path as written, if that is well-formed; else escaped anew. Source: net/url URL.EscapedPath. */
export function escapedPath({ path }: GoURL): string {
  return /^[A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]%]*$/.test(path) ? path : escapeText(unescapeText(path), /[A-Za-z0-9\-_.~$&+,/:;=@]/);
}

/** The host without port and brackets. */
export function hostname({ host }: GoURL): string {
  const close = host.indexOf("]");
  if (close >= 0 && /^(?::\d*)?$/.test(host.slice(close + 1))) return host.slice(host.startsWith("[") ? 1 : 0, close);
  const colon = host.lastIndexOf(":");
  return colon >= 0 && /^:\d*$/.test(host.slice(colon)) ? host.slice(0, colon) : host;
}

export function port({ host }: GoURL): string {
  return /:(\d*)$/.exec(host)?.[1] ?? "";
}

/** The values of each key. What cannot be read is left out. Source: net/url URL.Query. */
export function queryValues({ query = "" }: GoURL): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const pair of query.split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const equal = pair.indexOf("=");
    const key = queryText(equal < 0 ? pair : pair.slice(0, equal));
    const value = queryText(equal < 0 ? "" : pair.slice(equal + 1));
    if (key === undefined || value === undefined) continue;
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  return values;
}

function queryText(text: string): string | undefined {
  return /%(?![0-9a-fA-F]{2})/.test(text) ? undefined : unescapeText(text.replaceAll("+", " "));
}

/** Source: net/url URL.String. */
export function formatURL(url: GoURL): string {
  const scheme = url.scheme === "" ? "" : `${url.scheme}:`;
  const query = url.query === undefined ? "" : `?${url.query}`;
  const fragment =
    url.fragment === undefined || url.fragment === "" ? "" : `#${escapeText(unescapeText(url.fragment), /[A-Za-z0-9\-_.~$&+,/:;=?@!()*]/)}`;
  if (url.opaque !== "") return scheme + url.opaque + query + fragment;
  return scheme + authorityText(url) + escapedPath(url) + query + fragment;
}

function authorityText({ scheme, host, userinfo, omitsHost, path }: GoURL): string {
  if ((scheme === "" && host === "" && userinfo === undefined) || (omitsHost && host === "" && userinfo === undefined)) return "";
  const slashes = host !== "" || path !== "" || userinfo !== undefined ? "//" : "";
  const user = userinfo === undefined ? "" : `${userinfo.split(/:(.*)/s, 2).map(userText).join(":")}@`;
  return slashes + user + escapeText(host, HOST_CHARS);
}

const userText = (text: string): string => escapeText(unescapeText(text), /[A-Za-z0-9\-_.~$&+,;=]/);
