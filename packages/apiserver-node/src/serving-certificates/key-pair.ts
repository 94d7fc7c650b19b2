import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/g;

/**
 * The certificates in a text of PEM, in their order; what else stands there is passed over.
 *
 * @throws {Error} when there is none (`has no certificate in PEM`), or one cannot be read: what to say behind the name of the place.
 */
export function parseCertificates(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new Error("has no certificate in PEM");
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw new Error("has a certificate that cannot be read", { cause: error });
  }
}

/** @returns undefined when the text has no private key in PEM. What OpenSSL says of keys is not told. */
export function parsePrivateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
