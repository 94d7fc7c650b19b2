import { FailedOperation } from "./json-patch.ts";

/** What Go's library says behind the complaint of its own. */
const SENTINELS: readonly (readonly [RegExp, string])[] = [
  [/^Unable to access invalid index/, "invalid index referenced"],
  [/^Unable to remove nonexistent key/, "missing value"],
];

/**
 * Why a JSON patch could not be applied, in the words of Go's library: of patches that no client sent, but a webhook or a policy, Kubernetes tells them.
 *
 * @param error what `applyJSONPatch` threw.
 * Source: evanphx/json-patch v4.13, patch.go.
 */
export function jsonPatchFault(error: unknown): string {
  const failed = error instanceof Error ? error.cause : undefined;
  if (!(failed instanceof FailedOperation)) return error instanceof Error && failed instanceof Error ? failed.message : "the patch cannot be applied";
  const { op, path = "", from = "" } = failed.operation;
  const why = failed.cause instanceof Error ? failed.cause.message : "";
  if (why.startsWith("doc is missing path") || why.startsWith("no place has")) return missingPlace(op, path, from, why);
  if (why.startsWith("testing value")) return `${why}: test failed`;
  if (why.startsWith("unexpected kind")) return `Unexpected kind: ${op}`;
  const sentinel = SENTINELS.find(([pattern]) => pattern.test(why))?.[1];
  const told = sentinel === undefined ? why : `${why}: ${sentinel}`;
  if (op === "replace") return `replace operation does not apply: doc is missing key: ${path}: missing value`;
  return op === "copy" ? `error in copy for from: '${from}': ${told}` : `error in ${op} for path: '${path}': ${told}`;
}

/** Whether a JSON patch was not applied because one of its tests found something else. @param error what `applyJSONPatch` threw. */
export function isFailedTest(error: unknown): boolean {
  const failed = error instanceof Error ? error.cause : undefined;
  return failed instanceof FailedOperation && failed.cause instanceof Error && failed.cause.message.startsWith("testing value");
}

function missingPlace(op: string, path: string, from: string, why: string): string {
  switch (op) {
    case "add":
    case "remove":
      return `${op} operation does not apply: doc is missing path: "${path}": missing value`;
    case "replace":
      return `replace operation does not apply: doc is missing path: ${path}: missing value`;
    case "test":
      return `test operation does not apply: is missing path: ${path}: missing value`;
    default: {
      // The place that is left out of the complaint was found.
      const isSource = why.endsWith(`: ${from}`);
      return `${op} operation does not apply: doc is missing ${isSource ? "from" : "destination"} path: ${isSource ? from : path}: missing value`;
    }
  }
}
