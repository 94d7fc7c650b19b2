import type { X509Certificate } from "node:crypto";
import type { CertificateAuthorities } from "@annex/apiserver";
import { parseCertificates } from "../serving-certificates/key-pair.ts";
import { type CertificateFacts, certificateFacts } from "./certificate-facts.ts";

/** By the value that stands for them. */
const parsed = new WeakMap<CertificateAuthorities, readonly CertificateFacts[]>();

/**
 * Reads CAs, one or more certificates in PEM; what stands between them is passed over.
 *
 * @throws {TypeError} when there is none, or one that cannot be read.
 */
export function certificateAuthorities(pem: string): CertificateAuthorities {
  const authorities = Object.freeze({ pem });
  parsed.set(authorities, readCertificates(pem));
  return authorities;
}

/** The certificates of CAs. @throws {TypeError} as {@link certificateAuthorities}, for a value that somebody else made. */
export function certificatesOf(authorities: CertificateAuthorities): readonly CertificateFacts[] {
  const known = parsed.get(authorities);
  if (known !== undefined) return known;
  const certificates = readCertificates(authorities.pem);
  parsed.set(authorities, certificates);
  return certificates;
}

function readCertificates(pem: string): readonly CertificateFacts[] {
  let certificates: readonly X509Certificate[];
  try {
    certificates = parseCertificates(pem);
  } catch (error) {
    throw new TypeError(`the text ${error instanceof Error ? error.message : "is no PEM"}`, { cause: error });
  }
  return certificates.map(certificateFacts).filter((facts) => facts !== undefined);
}
