import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import type { Extension, JsonName } from "@peculiar/x509";

/** A certificate and its private key (PKCS #8), both PEM. */
export interface KeyPairPEM {
  readonly cert: string;
  readonly key: string;
}

/** From when to when, in milliseconds since the epoch; certificates know whole seconds. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

// The library takes a ninth of a second to load, so only who has to make something loads it.
async function load() {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

/** @returns a new EC P-256 key, PKCS #8 in PEM. */
export async function generateKey(): Promise<string> {
  const { PemConverter } = await load();
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  return `${PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY")}\n`;
}

/** Makes a self-signed CA that may sign certificates of servers and clients, and no further CA. */
export async function generateCA(commonName: string, key: string, validity: Validity): Promise<string> {
  const x509 = await load();
  const keys = await importKeys(key);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    notBefore: new Date(validity.notBeforeMs),
    notAfter: new Date(validity.notAfterMs),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

/**
 * Makes a serving certificate with a key of its own.
 *
 * @param hosts DNS names and IP addresses, the subject's alternative names.
 * @param commonName at most 64 characters. Nobody checks it.
 */
export async function generateServingCertificate(
  ca: KeyPairPEM,
  hosts: readonly string[],
  validity: Validity,
  commonName = "kube-apiserver",
): Promise<KeyPairPEM> {
  const x509 = await load();
  const names = hosts.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value }));
  return generateLeaf(ca, [{ CN: [commonName] }], validity, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension(names),
  ]);
}

/** Makes a client certificate: the common name is the user, the organizations the groups. Source: kube-apiserver, request/x509. */
export async function generateClientCertificate(
  ca: KeyPairPEM,
  user: { readonly commonName: string; readonly organizations: readonly string[] },
  validity: Validity,
): Promise<KeyPairPEM> {
  const x509 = await load();
  const name = [...user.organizations.map((organization) => ({ O: [organization] })), { CN: [user.commonName] }];
  return generateLeaf(ca, name, validity, [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])]);
}

async function generateLeaf(ca: KeyPairPEM, name: JsonName, validity: Validity, extensions: readonly Extension[]): Promise<KeyPairPEM> {
  const x509 = await load();
  const key = await generateKey();
  const { publicKey } = await importKeys(key);
  const issuer = new x509.X509Certificate(ca.cert);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: name,
    issuer: issuer.subjectName,
    notBefore: new Date(validity.notBeforeMs),
    notAfter: new Date(validity.notAfterMs),
    signingAlgorithm: ALGORITHM,
    publicKey,
    signingKey: (await importKeys(ca.key)).privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export(webcrypto)),
      ...extensions,
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key };
}

/** A private key in PEM and the public one that belongs to it. */
async function importKeys(key: string): Promise<webcrypto.CryptoKeyPair> {
  const { PemConverter } = await load();
  const privateKey = await webcrypto.subtle.importKey("pkcs8", PemConverter.decodeFirst(key), ALGORITHM, true, ["sign"]);
  const { d: _, key_ops: __, ...jwk } = await webcrypto.subtle.exportKey("jwk", privateKey);
  const publicKey = await webcrypto.subtle.importKey("jwk", jwk, ALGORITHM, true, ["verify"]);
  return { privateKey, publicKey };
}

/** 127 random bits, positive and not zero, as RFC 5280 section 4.1.2.2 wants it. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString("hex");
}
