import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Peer, PeerCertificate } from "@annex/apiserver";

/** Kubernetes' own attribute type for a user's UID in a certificate's subject (apiserver: asn1.X509UID). */
const UID_ATTRIBUTE = "1.3.6.1.4.1.57683.2";

/**
 * Who is at the other end of one connection. Asked for each request, so the verdict is made once; only the certificate's end is
 * looked at anew, because a connection may outlive it.
 */
export class ConnectionPeer {
  /** Whether a client certificate was believed; such connections are retired when the client CAs change. */
  readonly hasCertificate: boolean;
  readonly #known: Peer;
  readonly #anonymous: Peer;
  readonly #notAfterMs: number;

  /**
   * @param socket a TLS socket after its handshake, of a server whose `ca` option holds the client CAs and nothing else, with
   *   `rejectUnauthorized: false`. Then `authorized` is OpenSSL's verdict about the chain, its dates and the key usage `clientAuth`.
   * @param believesClients false while the server has no client CA: then nobody has a certificate.
   */
  constructor(socket: Socket, believesClients: boolean) {
    const address = formatAddress(socket.remoteAddress);
    this.#anonymous = { address, clientCertificate: undefined };
    this.#known = this.#anonymous;
    this.#notAfterMs = Number.POSITIVE_INFINITY;
    const leaf = believesClients && socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
    this.hasCertificate = leaf !== undefined;
    if (leaf === undefined) return;
    const certificate = peerCertificate(leaf);
    // A subject that we can't read for certain is nobody's.
    if (certificate === undefined) return;
    this.#known = { address, clientCertificate: certificate };
    this.#notAfterMs = Date.parse(leaf.validTo);
  }

  /** @param nowMs milliseconds since the epoch. */
  at(nowMs: number): Peer {
    return nowMs <= this.#notAfterMs ? this.#known : this.#anonymous;
  }
}

/**
 * Reads the parts of a certificate's subject that name a user.
 *
 * @returns undefined if it has several UIDs or an empty one, which kube-apiserver refuses (request/x509: parseUIDFromCert).
 */
export function peerCertificate(certificate: X509Certificate): PeerCertificate | undefined {
  // The legacy form lists repeated attributes as arrays; the `subject` string would have to be unescaped.
  // `toLegacyObject` is typed as the peer certificate whose attributes are strings only.
  const subject: Readonly<Record<string, unknown>> = { ...certificate.toLegacyObject().subject };
  const uids = values(subject[UID_ATTRIBUTE]);
  if (uids.length > 1 || uids[0] === "") return undefined;
  // Of several common names Go's pkix keeps the last.
  const commonName = values(subject.CN).at(-1) ?? "";
  const organizations = values(subject.O);
  return uids[0] === undefined ? { commonName, organizations } : { commonName, organizations, uid: uids[0] };
}

function values(attribute: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(attribute) ? attribute : [attribute];
  return list.filter((value) => typeof value === "string");
}

/** An IPv4 peer of a dual-stack socket has the plain IPv4 form, as in Go. */
function formatAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
