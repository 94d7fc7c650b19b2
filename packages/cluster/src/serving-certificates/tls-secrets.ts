import type { X509Certificate } from "node:crypto";
import type { KubernetesObject } from "@annex/apimachinery";
import { OperatorError } from "@annex/apiserver";
import { type KeyPairPEM, parseCertificates, parsePrivateKey } from "@annex/apiserver-node";
import { isOwnedBy, marksOf, type ServiceName } from "../ownership/index.ts";

/** A Secret of certificates cannot be used. The message is one line that names it, and says what to do. */
export class CertificateSecretError extends OperatorError {
  override readonly name = "CertificateSecretError";
}

/** core/v1 Secret, as far as it matters here. */
interface SecretObject extends KubernetesObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>> | null;
}

/** What a Secret of type `kubernetes.io/tls` holds, read and found to fit together. */
export interface TLSSecret {
  readonly object: KubernetesObject;
  readonly pair: KeyPairPEM;
  /** The certificates of `tls.crt`: the one of the key first. */
  readonly chain: readonly X509Certificate[];
  /** Those of `ca.crt`. */
  readonly bundle: readonly X509Certificate[];
  /** `ca.crt` itself; empty when it is not there. */
  readonly bundlePEM: string;
}

export type LeafSecret = TLSSecret;
/** Its bundle begins with the certificate of the key, and goes on with those before it. */
export type CASecret = TLSSecret;

const TLS_TYPE = "kubernetes.io/tls";

/** `NAMESPACE/NAME` */
const nameOf = ({ metadata }: KubernetesObject): string => `${metadata.namespace}/${metadata.name}`;

/** @throws {CertificateSecretError} when it holds no certificate and key that belong together. */
export function readTLSSecret(object: KubernetesObject): TLSSecret {
  const secret: SecretObject = object;
  const text = (key: string) => Buffer.from(secret.data?.[key] ?? "", "base64").toString("utf8");
  const [cert, key, bundlePEM] = [text("tls.crt"), text("tls.key"), text("ca.crt")];
  const chain = readPart(object, "tls.crt", cert);
  const parsedKey = parsePrivateKey(key);
  if (parsedKey === undefined) throw damaged(object, "tls.key has no private key in PEM");
  if (!chain[0]?.checkPrivateKey(parsedKey)) throw damaged(object, "tls.key is not the key of tls.crt");
  return { object, pair: { cert, key }, chain, bundle: bundlePEM === "" ? [] : readPart(object, "ca.crt", bundlePEM), bundlePEM };
}

/**
 * Reads a Secret that this installation made.
 *
 * @throws {CertificateSecretError} when somebody else made it, or it is damaged.
 */
export function readOwnSecret(object: KubernetesObject, service: ServiceName): TLSSecret {
  if (!isOwnedBy(object, service) || (object as SecretObject).type !== TLS_TYPE)
    throw new CertificateSecretError(
      `Secret ${nameOf(object)} was not made by this server: remove or rename it, or give certificates of your own (--tls-secret)`,
    );
  return readTLSSecret(object);
}

/** @throws {CertificateSecretError} as {@link readOwnSecret}, and when it is none of a CA. */
export function readCASecret(object: KubernetesObject, service: ServiceName): CASecret {
  const secret = readOwnSecret(object, service);
  const [own] = secret.chain;
  if (own?.ca !== true) throw damaged(object, "tls.crt is not the certificate of a CA");
  if (secret.bundle[0]?.fingerprint256 !== own.fingerprint256) throw damaged(object, "ca.crt does not begin with tls.crt");
  return secret;
}

function readPart(object: KubernetesObject, key: string, pem: string): readonly X509Certificate[] {
  try {
    return parseCertificates(pem);
  } catch (error) {
    throw damaged(object, `${key} ${error instanceof Error ? error.message : "cannot be used"}`, error);
  }
}

function damaged(object: KubernetesObject, what: string, cause?: unknown): CertificateSecretError {
  const message = `Secret ${nameOf(object)} is damaged: ${what}; restore it, or remove it for a new one`;
  return new CertificateSecretError(message, cause === undefined ? undefined : { cause });
}

/** @param present what is to be replaced, at its resourceVersion; undefined for a new one. */
export function secretOf(
  service: ServiceName,
  name: string,
  { pair, bundle }: { readonly pair: KeyPairPEM; readonly bundle: string },
  present: KubernetesObject | undefined,
): KubernetesObject {
  const { namespace } = service;
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...present?.metadata, name, namespace, ...marksOf(service, present?.metadata) },
    type: TLS_TYPE,
    data: { "tls.crt": base64(pair.cert), "tls.key": base64(pair.key), "ca.crt": base64(bundle) },
  };
}
