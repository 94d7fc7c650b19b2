import { badRequest, timeout } from "@annex/apimachinery";
import type { Revision } from "../storage/index.ts";

/** @returns undefined when the text is not a decimal integer that a revision can be. */
export function parseRevision(text: string): Revision | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined;
  const value = Number(text);
  // Beyond 2^53 no store ever comes; the value only has to stay larger than any revision.
  return Math.min(value, Number.MAX_SAFE_INTEGER) as Revision;
}

/** @throws {APIError} `BadRequest` when the text is not a resourceVersion. */
export function requireRevision(text: string): Revision {
  const revision = parseRevision(text);
  if (revision === undefined)
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  return revision;
}

/** The answer to a read that wants a state which this server has not seen. Source: storage.NewTooLargeResourceVersionError. */
export function tooLargeResourceVersion(wanted: Revision, current: Revision, retryAfterSeconds: number) {
  const message = "Too large resource version";
  return timeout(`${message}: ${wanted}, current: ${current}`, retryAfterSeconds, { reason: "ResourceVersionTooLarge", message });
}
