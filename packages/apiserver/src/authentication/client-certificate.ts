import { withAuthenticatedGroup } from "./authenticated-group.ts";
import type { Authenticator } from "./authenticator.ts";

/**
 * Believes the certificate that the peer's TLS connection was opened with: its common name is the user, its organizations are the groups. The adapter
 * has verified it against the client CA before; a certificate that is not of that CA never gets here and counts as none.
 *
 * A certificate without a common name names nobody. `extra` is empty: the fingerprint that kube-apiserver puts there is not known here.
 *
 * Source: k8s.io/apiserver authentication/request/x509, CommonNameUserConversion.
 */
export const clientCertificateAuthenticator: Authenticator = {
  async authenticate({ peer: { clientCertificate } }) {
    if (clientCertificate === undefined || clientCertificate.commonName === "") return undefined;
    const { commonName, organizations, uid } = clientCertificate;
    return withAuthenticatedGroup({ name: commonName, ...(uid === undefined ? {} : { uid }), groups: organizations, extra: {} });
  },
};
