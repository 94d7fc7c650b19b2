import { fieldError, isDNS1123Subdomain } from "@annex/apimachinery";
import type { UserInfo } from "../authentication/user-info.ts";

const PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;
const PATH_SENTENCE = `Invalid path (regex used for validation is '${PATH.source.slice(1, -1).replace("\\/", "/")}')`;

/**
 * Says what the constrained modes of impersonation have against extra keys and values: keys are a domain and a path behind it, in lower case; nothing is empty.
 *
 * @returns undefined when they have nothing against them.
 * Source: k8s.io/apiserver endpoints/filters/impersonation, validateExtra; validation.IsDomainPrefixedPath.
 */
export function checkConstrainedExtra(extra: UserInfo["extra"]): string | undefined {
  for (const [key, values] of Object.entries(extra)) {
    if (key === "") return "impersonating the empty string key in extra is not allowed";
    const complaints = pathComplaints(key);
    if (complaints.length > 0) return `impersonating an invalid key in extra is not allowed: ${inBrackets(complaints)}`;
    if (key !== key.toLowerCase()) return `impersonating a non-lowercase key in extra is not allowed: ${JSON.stringify(key)}`;
    if (values.includes("")) return "impersonating the empty string value in extra is not allowed";
  }
  return undefined;
}

function pathComplaints(key: string): readonly string[] {
  const slash = key.indexOf("/");
  const [host, path] = slash === -1 ? ["", ""] : [key.slice(0, slash), key.slice(slash + 1)];
  const invalid = (value: string, why: string) => `extra.key: ${fieldError.invalid("", value, why).message}`;
  if (host === "" || path === "") return [invalid(key, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  return [...isDNS1123Subdomain(host).map((why) => invalid(host, why)), ...(PATH.test(path) ? [] : [invalid(path, PATH_SENTENCE)])];
}

function inBrackets(complaints: readonly string[]): string {
  return complaints.length === 1 ? complaints.join("") : `[${complaints.join(", ")}]`;
}
