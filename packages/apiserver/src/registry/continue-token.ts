import { badRequest, type JSONObject } from "@annex/apimachinery";
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
const VERSION = "meta.k8s.io/v1";

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
  const position = parseToken(token);
  if (position["v"] !== VERSION) {
    throw badRequest(
      `invalid continue token: continue key is not valid: server does not recognize this encoded version ${String(position["v"] ?? "")}`,
    );
  }
  const { rv, p, start } = position;
  if (typeof rv !== "number" || typeof start !== "string" || (rv !== -1 && parseRevision(String(rv)) === undefined)) {
    throw badRequest("invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  }
  if (start === "" || start.length > MAX_TOKEN_LENGTH)
    throw badRequest("invalid continue token: continue key is not valid: encoded start key empty (version meta.k8s.io/v1)");
  if (p !== prefix) throw badRequest("invalid continue token: continue key is not valid: it belongs to another list");
  return { revision: rv === -1 ? undefined : (rv as Revision), start: prefix + start };
}

function parseToken(token: string): JSONObject {
  if (token.length <= MAX_TOKEN_LENGTH && /^[A-Za-z0-9_-]*={0,2}$/.test(token)) {
    try {
      const value: unknown = JSON.parse(atob(token.replaceAll("-", "+").replaceAll("_", "/")));
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JSONObject;
    } catch {
      // Falls through: what cannot be read was not made here.
    }
  }
  throw badRequest("invalid continue token: continue key is not valid: illegal base64 data or JSON");
}
