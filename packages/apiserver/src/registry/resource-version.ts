import { badRequest, quoteGo, timeout } from "@annex/apimachinery";
import type { Revision } from "../storage/index.ts";

/** The largest that Kubernetes reads: an unsigned integer of 64 bits. */
const MAX_RESOURCE_VERSION = 2n ** 64n - 1n;

/** @returns undefined when the text is not a decimal integer of 64 bits without sign. Zeros in front mean nothing. */
export function parseRevision(text: string): Revision | undefined {
  if (!/^0*\d{1,20}$/.test(text) || BigInt(text) > MAX_RESOURCE_VERSION) return undefined;
  // Beyond 2^53 no store ever comes; the value only has to stay larger than any revision.
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER) as Revision;
}

/** @param prefix of the message. @throws {APIError} `BadRequest` when the text is not a resourceVersion. */
export function requireRevision(text: string, prefix = ""): Revision {
  const revision = parseRevision(text);
  if (revision !== undefined) return revision;
  throw badRequest(`${prefix}resourceVersion: Invalid value: ${quoteGo(text)}: ${revisionFault(text)}`);
}

/** What is wrong with a text that is no revision, in the words of Go's strconv. */
export function revisionFault(text: string): string {
  return `strconv.ParseUint: parsing ${quoteGo(text)}: ${/^\d+$/.test(text) ? "value out of range" : "invalid syntax"}`;
}

/** The answer to a read that wants a state which this server has not seen. `wanted` is best as it was asked for: a revision does not hold it beyond 2^53. Source: storage.NewTooLargeResourceVersionError. */
export function tooLargeResourceVersion(wanted: Revision | string, current: Revision, retryAfterSeconds: number) {
  const message = "Too large resource version";
  return timeout(`${message}: ${wanted}, current: ${current}`, retryAfterSeconds, { reason: "ResourceVersionTooLarge", message });
}
