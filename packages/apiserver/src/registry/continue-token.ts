import { type APIError, badRequest, decodeStrictJSON, isJSONObject, type JSONObject, type JSONValue, quoteGo } from "@annex/apimachinery";
import type { Revision } from "../storage/index.ts";
import { parseRevision } from "./resource-version.ts";

/** Where the next page of a list begins. */
export interface ContinuePosition {
  /** The revision of the first page; undefined when the list goes on with the present state, since that revision is forgotten. */
  readonly revision: Revision | undefined;
  /** The first key of the page, whole. */
  readonly start: string;
}

const MAX_TOKEN_LENGTH = 4096;
/** Stands for a byte that is no text by itself, and how it is shown: no token of ours has it. */
const [DELETE, SHOWN_DELETE] = [0x7f, "'\\x7f'"];
const VERSION = "meta.k8s.io/v1";
/** What no clean path has between its slashes. Source: Go's path.Clean. */
const NO_SEGMENTS: ReadonlySet<string> = new Set(["", ".", ".."]);

/**
 * Makes the opaque `continue` token of a chunked list.
 *
 * @param prefix the key prefix of the list; the token is good for this list alone.
 * Source: KEP-365.
 */
export function encodeContinue({ revision, start }: ContinuePosition, prefix: string): string {
  const text = JSON.stringify({ v: VERSION, rv: revision ?? -1, p: prefix, start: start.slice(prefix.length) });
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Reads a `continue` token.
 *
 * @param token as sent; at most 4 KiB.
 * @param prefix of this list: a token made by hand, or for another list, must not read anything else.
 * @throws {APIError} `BadRequest` if this server did not make the token for this list.
 */
export function decodeContinue(token: string, prefix: string): ContinuePosition {
  const { revision, prefix: own, start } = readToken(token);
  if (own !== prefix) throw notValid("it belongs to another list");
  return { revision, start: prefix + start };
}

/** Of whatever list it is. @throws {APIError} `BadRequest` if this server did not make the token. */
export function requireReadableToken(token: string): void {
  readToken(token);
}

function readToken(token: string): { readonly revision: Revision | undefined; readonly prefix: JSONValue | undefined; readonly start: string } {
  const position = parseToken(token);
  const version = position.v ?? "";
  if (version !== VERSION) throw notValid(`server does not recognize this encoded version ${typeof version === "string" ? version : ""}`);
  const { rv, p, start = "" } = position;
  if (typeof rv !== "number" || typeof start !== "string" || rv === 0 || (rv !== -1 && parseRevision(String(rv)) === undefined)) {
    throw notValid("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  }
  if (start === "" || start.length > MAX_TOKEN_LENGTH) throw notValid("encoded start key empty (version meta.k8s.io/v1)");
  if (
    start
      .replace(/^\//, "")
      .split("/")
      .some((segment) => NO_SEGMENTS.has(segment))
  )
    throw notValid(start);
  return { revision: rv === -1 ? undefined : (rv as Revision), prefix: p, start };
}

function parseToken(token: string): JSONObject {
  const illegal = token.search(/[^A-Za-z0-9_-]/);
  if (token.length > MAX_TOKEN_LENGTH) throw notValid("it is too long");
  if (illegal >= 0 || token.length % 4 === 1) throw notValid(`illegal base64 data at input byte ${illegal >= 0 ? illegal : token.length - 1}`);
  const bytes = Uint8Array.from(atob(token.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  const value = parseJSON(bytes) ?? {};
  if (isJSONObject(value)) return value;
  throw notValid("json: cannot unmarshal a value that is not an object");
}

/** @throws {APIError} `BadRequest` with Go's sentence, which looks at bytes and does not mind what they encode. */
function parseJSON(bytes: Uint8Array): JSONValue {
  try {
    return decodeStrictJSON(bytes).value;
  } catch (error) {
    const first = bytes.find((byte) => byte >= 0x80);
    if (first === undefined) throw notValid(error instanceof Error ? error.message : "it is no JSON");
    try {
      return decodeStrictJSON(bytes.map((byte) => (byte < 0x80 ? byte : DELETE))).value;
    } catch (fault) {
      const shown = `'${quoteGo(String.fromCharCode(first)).slice(1, -1)}'`;
      throw notValid((fault instanceof Error ? fault.message : "it is no JSON").replace(SHOWN_DELETE, shown));
    }
  }
}

function notValid(why: string): APIError {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`);
}
