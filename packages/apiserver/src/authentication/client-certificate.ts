import { unauthorized } from "@annex/apimachinery";
import type { CertificateAuthorities, PeerCertificate } from "../endpoints/http.ts";
import { withAuthenticatedGroup } from "./authenticated-group.ts";
import type { Authenticator } from "./authenticator.ts";
import type { UserInfo } from "./user-info.ts";

/**
 * Believes the certificate that the peer's TLS connection was opened with, where the client CA vouches for it: its common name is the user, its organizations are the groups.
 * A certificate without a common name names nobody. `extra` tells which certificate it was, by its fingerprint.
 *
 * A certificate that the client CA does not vouch for is refused, not ignored: the user would wonder why they are anonymous.
 *
 * @param authorities the client CA of now; undefined while there is none, when certificates mean nothing.
 * Source: k8s.io/apiserver authentication/request/x509, CommonNameUserConversion.
 */
export function clientCertificateAuthenticator(authorities: () => CertificateAuthorities | undefined): Authenticator {
  return {
    authenticate({ peer: { certificates } }) {
      if (certificates === undefined) return undefined;
      const current = authorities();
      if (current === undefined) return undefined;
      const certificate = certificates.verifiedBy(current);
      if (certificate === undefined) throw unauthorized();
      return certificate.commonName === "" ? undefined : rememberedUser(certificate);
    },
  };
}

function rememberedUser(certificate: PeerCertificate): UserInfo {
  const known = users.get(certificate);
  if (known !== undefined) return known;
  const user = userOf(certificate);
  users.set(certificate, user);
  return user;
}

/** Every request of a connection comes with the same certificate. */
const users = new WeakMap<PeerCertificate, UserInfo>();

const CREDENTIAL_ID = "authentication.kubernetes.io/credential-id";

function userOf({ commonName, organizations, uid, fingerprint }: PeerCertificate): UserInfo {
  const extra = fingerprint === undefined ? {} : { [CREDENTIAL_ID]: [`X509SHA256=${fingerprint}`] };
  return withAuthenticatedGroup({ name: commonName, ...(uid === undefined ? {} : { uid }), groups: organizations, extra });
}
