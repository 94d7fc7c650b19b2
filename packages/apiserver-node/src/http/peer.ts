import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { CertificateAuthorities, Peer, PeerCertificate, PeerCertificates } from "@annex/apiserver";
import { type CertificateFacts, certificateFacts, certificatesOf, verifyChain } from "../x509/index.ts";

/** Kubernetes' own attribute type for a user's UID in a certificate's subject (apiserver: asn1.X509UID). */
const UID_ATTRIBUTE = "1.3.6.1.4.1.57683.2";
/** A client's own certificate, ten intermediates and its root. */
const MAX_CERTIFICATES = 12;
/** Of one connection: those of clients and of the front proxy, each with the ones that were there before. */
const MAX_VERDICTS = 4;

/** Who is at the other end of one connection. */
export class ConnectionPeer implements Peer {
  readonly address: string;
  readonly certificates: PeerCertificates | undefined;

  /** @param socket after its handshake, whatever OpenSSL said of the certificate there. Asked for its certificates once: Node forgets those behind the first when it has told them. */
  constructor(socket: Socket) {
    this.address = formatAddress(socket.remoteAddress);
    const leaf = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    this.certificates = leaf && new ShownCertificates(leaf);
  }
}

interface Verdict {
  readonly authorities: CertificateAuthorities;
  readonly certificate: PeerCertificate | undefined;
  /** Between these no date passes of any certificate that had a part in it. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** The certificates that a client showed, and what was found out about them. */
export class ShownCertificates implements PeerCertificates {
  readonly #leaf: X509Certificate;
  #chain: readonly CertificateFacts[] | undefined;
  #named: PeerCertificate | undefined;
  #verdicts: readonly Verdict[] = [];

  /** @param leaf the certificates that came behind it are its `issuerCertificate`, and so on. */
  constructor(leaf: X509Certificate) {
    this.#leaf = leaf;
  }

  verifiedBy(authorities: CertificateAuthorities): PeerCertificate | undefined {
    const now = Date.now();
    for (const verdict of this.#verdicts) {
      if (verdict.authorities === authorities && verdict.sinceMs <= now && now < verdict.untilMs) return verdict.certificate;
    }
    return this.#judge(authorities, now).certificate;
  }

  #judge(authorities: CertificateAuthorities, now: number): Verdict {
    this.#chain ??= chainOf(this.#leaf);
    const roots = certificatesOf(authorities);
    const certificate = verifyChain(this.#chain, roots, now) ? this.#name() : undefined;
    const verdict = { authorities, certificate, ...betweenDates([...this.#chain, ...roots], now) };
    const others = this.#verdicts.filter((other) => other.authorities !== authorities);
    this.#verdicts = [verdict, ...others].slice(0, MAX_VERDICTS);
    return verdict;
  }

  /** One value, whoever vouches for it: users are remembered by it. */
  #name(): PeerCertificate | undefined {
    this.#named ??= peerCertificate(this.#leaf);
    return this.#named;
  }
}

/** @returns nothing when the client's own certificate is odd; odd ones behind it are left out. */
function chainOf(leaf: X509Certificate): readonly CertificateFacts[] {
  const chain: CertificateFacts[] = [];
  let next: X509Certificate | undefined = leaf;
  for (let count = 0; next !== undefined && count < MAX_CERTIFICATES; count++) {
    const facts = certificateFacts(next);
    if (facts !== undefined) chain.push(facts);
    else if (next === leaf) return [];
    next = next.issuerCertificate;
  }
  return chain;
}

/** The time around now in which none of the certificates begins or ends. */
function betweenDates(certificates: readonly CertificateFacts[], now: number): Pick<Verdict, "sinceMs" | "untilMs"> {
  let [sinceMs, untilMs] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const { notBeforeMs, notAfterMs } of certificates) {
    for (const change of [notBeforeMs, notAfterMs + 1]) {
      if (change <= now) sinceMs = Math.max(sinceMs, change);
      else if (change > now) untilMs = Math.min(untilMs, change);
    }
  }
  return { sinceMs, untilMs };
}

/**
 * Reads what of a certificate names a user, and the certificate itself.
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
  const fingerprint = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  return { commonName, organizations, fingerprint, ...(uids[0] === undefined ? {} : { uid: uids[0] }) };
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
