import { unauthorized } from "@annex/apimachinery";
import type { APIRequest, CertificateAuthorities } from "../endpoints/http.ts";
import { withAuthenticatedGroup } from "./authenticated-group.ts";
import type { Authenticator } from "./authenticator.ts";
import { decodeExtraKey, headerTexts } from "./header-values.ts";
import type { UserInfo } from "./user-info.ts";

/** In which headers a front proxy says who asks, and which front proxies are believed. Names of headers are in any case. */
export interface RequestHeaderConfig {
  readonly authorities: CertificateAuthorities;
  /** Common names of front proxies. Empty: any that the CA vouches for. */
  readonly allowedNames: readonly string[];
  /** The first with a value counts. */
  readonly usernameHeaders: readonly string[];
  /** The first with a value counts. */
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  /** What headers of extra begin with; the key stands behind it. */
  readonly extraHeaderPrefixes: readonly string[];
}

/**
 * Believes what a front proxy, the aggregator of a kube-apiserver, says in headers: `X-Remote-User`, `X-Remote-Uid`, `X-Remote-Group` (once for each group) and `X-Remote-Extra-KEY`
 * (once for each value). A comma is a part of the value.
 *
 * Only the certificate of a front proxy makes them mean anything. From anybody else they are as good as not there; a certificate that the CA does not vouch for, or of another name, is refused
 * unless somebody else accepts the request.
 *
 * @param config of now; undefined while there is none, when nobody is a front proxy.
 * Source: k8s.io/apiserver authentication/request/headerrequest, and x509.NewDynamicCAVerifier.
 */
export function requestHeaderAuthenticator(config: () => RequestHeaderConfig | undefined): Authenticator {
  return {
    authenticate(request) {
      const { certificates } = request.peer;
      if (certificates === undefined) return undefined;
      const current = config();
      if (current === undefined) return undefined;
      const proxy = certificates.verifiedBy(current.authorities);
      if (proxy === undefined || !isAllowed(proxy.commonName, current)) throw unauthorized();
      const user = userOf(request, current);
      return user && withAuthenticatedGroup(user);
    },
  };
}

function isAllowed(commonName: string, { allowedNames }: RequestHeaderConfig): boolean {
  return allowedNames.length === 0 || allowedNames.includes(commonName);
}

function userOf(request: APIRequest, config: RequestHeaderConfig): UserInfo | undefined {
  const name = firstValue(request, config.usernameHeaders);
  if (name === "") return undefined;
  const uid = firstValue(request, config.uidHeaders);
  const groups = config.groupHeaders.flatMap((header) => headerTexts(request, header.toLowerCase())).filter((group) => group !== "");
  return { name, ...(uid === "" ? {} : { uid }), groups, extra: readExtra(request, config.extraHeaderPrefixes) };
}

/** Of a header that was sent several times the first one counts; an empty one is none. */
function firstValue(request: APIRequest, headers: readonly string[]): string {
  for (const header of headers) {
    const [value = ""] = headerTexts(request, header.toLowerCase());
    if (value !== "") return value;
  }
  return "";
}

function readExtra(request: APIRequest, prefixes: readonly string[]): UserInfo["extra"] {
  const extra = new Map<string, readonly string[]>();
  for (const prefix of prefixes.map((text) => text.toLowerCase())) {
    for (const header in request.headers) {
      if (!header.startsWith(prefix)) continue;
      const key = decodeExtraKey(header.slice(prefix.length));
      extra.set(key, [...(extra.get(key) ?? []), ...headerTexts(request, header)]);
    }
  }
  return Object.fromEntries(extra);
}
