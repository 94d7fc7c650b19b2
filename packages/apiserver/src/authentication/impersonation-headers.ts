import { badRequest } from "@annex/apimachinery";
import type { APIRequest } from "../endpoints/http.ts";
import { decodeExtraKey, headerTexts } from "./header-values.ts";
import type { UserInfo } from "./user-info.ts";

const USER = "impersonate-user";
const UID = "impersonate-uid";
const GROUP = "impersonate-group";
const EXTRA_PREFIX = "impersonate-extra-";

/** Whether a header says as whom somebody wants to act; the name is in lower case. */
export function isImpersonationHeader(name: string): boolean {
  return name.startsWith("impersonate-") && (name === USER || name === UID || name === GROUP || name.startsWith(EXTRA_PREFIX));
}

/** Whether a request says anything of the kind. */
export function hasImpersonationHeaders({ headers }: APIRequest): boolean {
  for (const name in headers) if (isImpersonationHeader(name)) return true;
  return false;
}

/**
 * Reads as whom a request is to be carried out: `Impersonate-User`, `-Uid`, `-Group` (once for each group) and `-Extra-KEY` (once for each value; the key is
 * percent-encoded and in any case). A comma is a part of the value.
 *
 * @returns the user as asked for: nothing is checked or added. Undefined when nobody is named; other headers that begin with `Impersonate-` mean nothing.
 * @throws {APIError} `BadRequest` when anything else is named without a user.
 * Source: k8s.io/apiserver endpoints/filters/impersonation, processImpersonationHeaders.
 */
export function readImpersonation(request: APIRequest): UserInfo | undefined {
  const names = Object.keys(request.headers).filter(isImpersonationHeader);
  if (names.length === 0) return undefined;
  const valuesOf = (name: string) => headerTexts(request, name);
  const [name = ""] = valuesOf(USER);
  const [uid = ""] = valuesOf(UID);
  const groups = valuesOf(GROUP);
  const extra = new Map<string, readonly string[]>();
  for (const header of names) {
    if (!header.startsWith(EXTRA_PREFIX)) continue;
    const key = decodeExtraKey(header.slice(EXTRA_PREFIX.length));
    extra.set(key, [...(extra.get(key) ?? []), ...valuesOf(header)]);
  }
  if (name !== "") return { name, ...(uid === "" ? {} : { uid }), groups, extra: Object.fromEntries(extra) };
  if (uid === "" && groups.length === 0 && extra.size === 0) return undefined;
  const asked = JSON.stringify({ ...(uid === "" ? {} : { uid }), ...(groups.length === 0 ? {} : { groups }), extra: Object.fromEntries(extra) });
  throw badRequest(`requested ${asked} without impersonating a user name`);
}
