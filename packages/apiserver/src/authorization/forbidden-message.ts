import { APIError, forbidden, formatGroupResource, quoteGo } from "@annex/apimachinery";
import type { Attributes } from "./authorizer.ts";

/**
 * The 403 for what somebody may not do: `flunders.wardle.example.com "a" is forbidden: User "alice" cannot get resource "flunders" in API group
 * "wardle.example.com" in the namespace "x"`, or `forbidden: User "alice" cannot get path "/metrics"`.
 *
 * @param reason the authorizer's; put behind the sentence unless it is empty.
 * Source: k8s.io/apiserver endpoints/handlers/responsewriters, ForbiddenStatusError.
 */
export function forbiddenError(attributes: Attributes, reason: string): APIError {
  const sentence = escapeHTML(forbiddenSentence(attributes));
  const why = reason === "" ? sentence : `${sentence}: ${reason}`;
  if (attributes.type === "path") return forbidden({ group: "", resource: "" }, "", why);
  const { group, resource, name } = attributes;
  const error = forbidden({ group, resource }, name, why);
  if (name === "" || error.details === undefined) return error;
  // Nobody has checked the name yet: what would break out of the quotes is escaped, in the sentence only.
  const message = `${formatGroupResource({ group, resource })} ${quoteGo(name)} is forbidden: ${why}`;
  return new APIError("Forbidden", message, { details: error.details });
}

function forbiddenSentence(attributes: Attributes): string {
  const who = `User ${quoteGo(attributes.user.name)} cannot ${attributes.verb}`;
  if (attributes.type === "path") return `${who} path ${quoteGo(attributes.path)}`;
  const { group, resource, subresource, namespace } = attributes;
  const what = quoteGo(subresource === "" ? resource : `${resource}/${subresource}`);
  const where = namespace === "" ? "at the cluster scope" : `in the namespace ${quoteGo(namespace)}`;
  return `${who} resource ${what} in API group ${quoteGo(group)} ${where}`;
}

/** So that no browser takes a path or a name for a page. */
function escapeHTML(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
