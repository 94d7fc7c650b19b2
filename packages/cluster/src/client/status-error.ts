import { APIError, decodeJSON, type Status, type StatusReason } from "@annex/apimachinery";

/** The reason of answers that name none, or one that is not known here. Source: apimachinery errors.NewGenericServerResponse. */
const REASONS: ReadonlyMap<number, StatusReason> = new Map<number, StatusReason>([
  [400, "BadRequest"],
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [404, "NotFound"],
  [405, "MethodNotAllowed"],
  [406, "NotAcceptable"],
  [409, "Conflict"],
  [410, "Gone"],
  [413, "RequestEntityTooLarge"],
  [415, "UnsupportedMediaType"],
  [422, "Invalid"],
  [429, "TooManyRequests"],
  [503, "ServiceUnavailable"],
  [504, "Timeout"],
]);

const KNOWN: ReadonlySet<unknown> = new Set([...REASONS.values(), "AlreadyExists", "Expired", "InternalError"]);

/** The error of an answer, as the server that gave it meant it. */
export function statusError(code: number, body: Uint8Array): APIError {
  const status = parseStatus(body);
  const actual = status?.code ?? code;
  const reason = KNOWN.has(status?.reason) ? (status?.reason as StatusReason) : (REASONS.get(actual) ?? "InternalError");
  const { message, details, metadata } = status ?? {};
  const next = metadata?.continue;
  return new APIError(reason, message ?? `the server answered ${actual}`, {
    code: actual,
    ...(details === undefined ? {} : { details }),
    ...(next === undefined ? {} : { continue: next }),
  });
}

function parseStatus(body: Uint8Array): Status | undefined {
  try {
    const value = decodeJSON(body);
    const isStatus = typeof value === "object" && value !== null && "kind" in value && value.kind === "Status";
    return isStatus ? (value as unknown as Status) : undefined;
  } catch {
    return undefined;
  }
}
