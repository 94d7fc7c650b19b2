import { APIError, formatGroupResource, invalid, quoteGo } from "@annex/apimachinery";
import type { Resource } from "@annex/apiserver";

/** What clients know of both: the rest of a Secret is where the object's fields lie, and has no path there. */
const SHARED_FIELD = /^metadata\.(labels|annotations)\b/;

/**
 * A failure of the Secret, told of the object: the client knows nothing of the other. Whatever does not name the Secret (a namespace that is missing, a webhook's refusal, a server too busy) is told as
 * it is.
 *
 * @param name of the object, and of its Secret; empty for a collection.
 */
export function errorOfObject(resource: Resource, name: string, error: unknown): unknown {
  if (!APIError.is(error)) return error;
  if (APIError.is(error, "Invalid") && error.message.startsWith("Secret ")) return invalidObject(resource, name, error);
  const { kind, group } = error.details ?? {};
  if ((kind !== "secrets" && kind !== "Secret") || group !== undefined) return error;
  const details = { ...error.details, ...(resource.group === "" ? {} : { group: resource.group }), kind: resource.resource };
  return new APIError(error.reason, renamed(resource, name, error.message), { code: error.code, details, cause: error });
}

/** The Secret stands where a sentence begins to speak of it; that a user may not write `resource "secrets"` stays. */
function renamed(resource: Resource, name: string, message: string): string {
  const own = formatGroupResource(resource);
  const quoted = ` ${quoteGo(name)}`;
  for (const before of ["", "Operation cannot be fulfilled on "]) {
    if (name !== "" && message.startsWith(`${before}secrets${quoted}`))
      return `${before}${own}${quoted}${message.slice(`${before}secrets${quoted}`.length)}`;
    if (message.startsWith(`${before}secrets is `)) return `${before}${own}${message.slice(`${before}secrets`.length)}`;
  }
  return message;
}

function invalidObject(resource: Resource, name: string, { details }: APIError): APIError {
  const causes = (details?.causes ?? []).map(({ message = "", reason = "FieldValueInvalid", field = "" }) => ({
    reason,
    message,
    field: SHARED_FIELD.test(field) ? field : "<nil>",
  }));
  return invalid(resource, name, causes);
}
