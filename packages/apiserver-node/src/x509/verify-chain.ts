import type { CertificateFacts } from "./certificate-facts.ts";

/** Certificates that a client sends between its own and the CA. */
const MAX_INTERMEDIATES = 10;
/** A check of a signature takes up to a tenth of a millisecond. Go allows itself 100. */
const MAX_SIGNATURE_CHECKS = 40;

/**
 * Whether a CA vouches for a client's certificate at a time, over the intermediates that came with it. Each on the way is within its dates, may be used to authenticate clients, and
 * says nothing critical that is not known here; each but the first is a CA that may sign certificates and has room for those below it.
 *
 * @param chain the client's own certificate first, then the intermediates, in any order; those beyond the tenth are not looked at.
 * @param roots in whose signatures somebody believes. They need not have signed themselves. The client's own certificate may be one.
 * Source: Go crypto/x509 Verify with the key usage ClientAuth.
 */
export function verifyChain(chain: readonly CertificateFacts[], roots: readonly CertificateFacts[], nowMs: number): boolean {
  const [leaf, ...rest] = chain;
  if (leaf === undefined || !isUsable(leaf, nowMs)) return false;
  if (roots.some(({ certificate }) => certificate.raw.equals(leaf.certificate.raw))) return true;
  return new ChainSearch(rest.slice(0, MAX_INTERMEDIATES), roots, nowMs).leadsToRoot([leaf]);
}

class ChainSearch {
  readonly #intermediates: readonly CertificateFacts[];
  readonly #roots: readonly CertificateFacts[];
  readonly #nowMs: number;
  #checks = 0;

  constructor(intermediates: readonly CertificateFacts[], roots: readonly CertificateFacts[], nowMs: number) {
    this.#intermediates = intermediates;
    this.#roots = roots;
    this.#nowMs = nowMs;
  }

  /** @param path from the leaf to the one for whom somebody is to vouch. */
  leadsToRoot(path: readonly [CertificateFacts, ...CertificateFacts[]]): boolean {
    // A root of the first version cannot say that it is a CA: whoever believes in it has said it.
    if (this.#roots.some((root) => (root.isCA ?? !root.isVersion3) && this.#vouches(root, path))) return true;
    return this.#intermediates.some((candidate) => {
      const isNew = !path.some((known) => known.subject === candidate.subject && hasSameKey(known, candidate));
      return isNew && candidate.isCA === true && this.#vouches(candidate, path) && this.leadsToRoot([...path, candidate]);
    });
  }

  #vouches(candidate: CertificateFacts, path: readonly CertificateFacts[]): boolean {
    const child = path.at(-1);
    if (child === undefined || candidate.publicKey === undefined || candidate.subject !== child.issuer) return false;
    if (!candidate.maySignCertificates || candidate.maxIntermediates < path.length - 1 || !isUsable(candidate, this.#nowMs)) return false;
    if (!child.hasSafeSignature || ++this.#checks > MAX_SIGNATURE_CHECKS) return false;
    return child.certificate.verify(candidate.publicKey);
  }
}

function isUsable({ notBeforeMs, notAfterMs, mayAuthenticateClients, isUnderstood }: CertificateFacts, nowMs: number): boolean {
  // A date that could not be read is no number, and compares to nothing.
  return notBeforeMs <= nowMs && nowMs <= notAfterMs && mayAuthenticateClients && isUnderstood;
}

function hasSameKey(one: CertificateFacts, other: CertificateFacts): boolean {
  return one.publicKey !== undefined && other.publicKey !== undefined && one.publicKey.equals(other.publicKey);
}
