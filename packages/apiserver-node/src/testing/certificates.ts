import "reflect-metadata";
import { webcrypto } from "node:crypto";
import type { CertificateAuthorities } from "@annex/apiserver";
import * as x509 from "@peculiar/x509";
import type { KeyPairPEM } from "../pki/index.ts";
import { certificateAuthorities } from "../x509/index.ts";

x509.cryptoProvider.set(webcrypto);

const HOUR_MS = 3_600_000;
const ALGORITHMS = {
  ECDSA: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  RSA: { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" },
  "RSA-PSS": { name: "RSA-PSS", saltLength: 32, modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" },
  Ed25519: { name: "Ed25519", hash: "" },
} as const;
export type Algorithm = keyof typeof ALGORITHMS;
export const { Extension, ExtendedKeyUsage, KeyUsageFlags } = x509;

/** What of a certificate is unlike that of an ordinary CA, or an ordinary client. */
export interface Link {
  readonly name: string;
  /** null: it says nothing about it. */
  readonly isCA?: boolean | null;
  readonly pathLength?: number;
  readonly keyUsage?: x509.KeyUsageFlags;
  readonly extendedKeyUsage?: readonly string[];
  /** In hours from now. */
  readonly from?: number;
  readonly to?: number;
  readonly more?: readonly x509.Extension[];
  readonly hash?: string;
  /** Who it says signed it, where that is not who did. */
  readonly issuer?: string;
  /** Whether another key signed it than its issuer's. */
  readonly isForged?: boolean;
}

export interface MadeChain {
  /** The client's certificate with the intermediates behind it, and its key. */
  readonly leaf: KeyPairPEM;
  readonly root: CertificateAuthorities;
  /** From the root to the client's own. */
  readonly certificates: readonly string[];
}

/** Makes a root, intermediates below it in their order, and a client's certificate named `leaf` below the last. */
export async function madeChain(
  authorities: readonly [Link, ...Link[]],
  client: Link = { name: "leaf" },
  algorithm: Algorithm = "ECDSA",
): Promise<MadeChain> {
  const links = [
    ...authorities.map((link) => ({ isCA: true, ...link })),
    { isCA: false, extendedKeyUsage: [ExtendedKeyUsage.clientAuth], ...client },
  ];
  const certificates: string[] = [];
  let parent: { readonly name: string; readonly keys: webcrypto.CryptoKeyPair } | undefined;
  let key = "";
  for (const link of links) {
    const keys = await newKeys(algorithm);
    const signer = link.isForged === true ? await newKeys(algorithm) : (parent?.keys ?? keys);
    const certificate = await sign(link, keys.publicKey, link.issuer ?? parent?.name ?? link.name, signer.privateKey, algorithm);
    certificates.push(`${certificate.toString("pem")}\n`);
    parent = { name: link.name, keys };
    key = x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  }
  const [root = "", ...below] = certificates;
  return { certificates, root: certificateAuthorities(root), leaf: { cert: below.reverse().join(""), key } };
}

function sign(
  link: Link,
  publicKey: webcrypto.CryptoKey,
  issuer: string,
  signingKey: webcrypto.CryptoKey,
  algorithm: Algorithm,
): Promise<x509.X509Certificate> {
  const { name, isCA = null, pathLength, keyUsage, extendedKeyUsage, from = -1, to = 1, more = [], hash = ALGORITHMS[algorithm].hash } = link;
  const usage = keyUsage ?? (isCA === false ? KeyUsageFlags.digitalSignature : KeyUsageFlags.keyCertSign);
  return x509.X509CertificateGenerator.create({
    serialNumber: "01",
    subject: [{ CN: [name] }],
    issuer: [{ CN: [issuer] }],
    notBefore: new Date(Date.now() + from * HOUR_MS),
    notAfter: new Date(Date.now() + to * HOUR_MS),
    signingAlgorithm: { ...ALGORITHMS[algorithm], hash },
    publicKey,
    signingKey,
    extensions: [
      ...(isCA === null ? [] : [new x509.BasicConstraintsExtension(isCA, pathLength, true)]),
      new x509.KeyUsagesExtension(usage, true),
      ...(extendedKeyUsage === undefined ? [] : [new x509.ExtendedKeyUsageExtension([...extendedKeyUsage])]),
      ...more,
    ],
  });
}

async function newKeys(algorithm: Algorithm): Promise<webcrypto.CryptoKeyPair> {
  // Each of these algorithms has two keys, which the type does not know of all of them.
  return (await webcrypto.subtle.generateKey(ALGORITHMS[algorithm], true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
}
