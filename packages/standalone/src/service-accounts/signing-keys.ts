import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { OperatorFileError, readOperatorFile, writeFileOnce } from "@annex/apiserver-node";

/** A key that signatures of tokens are checked with. */
export interface VerificationKey {
  /** The hash of the public key: it tells keys apart and gives none away. */
  readonly keyID: string;
  readonly algorithm: "RS256" | "ES256" | "ES384" | "ES512";
  readonly publicKey: KeyObject;
}

/** The keys of service account tokens. */
export interface ServiceAccountKeys {
  readonly signing: VerificationKey & { readonly privateKey: KeyObject };
  /** The public half of `signing` first, then those of the key files. */
  readonly verification: readonly VerificationKey[];
}

export interface ServiceAccountKeyFiles {
  /** Where a key is made when no signing key file is named: `sa.key`, mode 0600. */
  readonly dataDir: string;
  /** A private key in PEM, RSA or ECDSA. */
  readonly signingKeyFile: string | undefined;
  /** More keys whose tokens are accepted, public or private, any number in a file: those of before a rotation. */
  readonly keyFiles: readonly string[];
}

/** RFC 7518 section 3.3 asks for so many bits. */
const MIN_RSA_BITS = 2048;
const CURVES: Readonly<Record<string, VerificationKey["algorithm"]>> = { prime256v1: "ES256", secp384r1: "ES384", secp521r1: "ES512" };
const PEM_BLOCK = /-----BEGIN [A-Z ]+-----[^-]*-----END [A-Z ]+-----/g;

/**
 * Reads the keys of service account tokens; makes the signing key, ECDSA on P-256, when none is named and none is in the data folder.
 *
 * @throws {OperatorFileError} {@link PKIError} whose messages are one line for the terminal and show nothing of a key.
 */
export async function loadServiceAccountKeys({ dataDir, signingKeyFile, keyFiles }: ServiceAccountKeyFiles): Promise<ServiceAccountKeys> {
  const path = signingKeyFile ?? (await ensureKeyFile(dataDir));
  const privateKey = parsePrivateKey(path, await readOperatorFile(path));
  const signing = { ...verificationKey(path, createPublicKey(privateKey)), privateKey };
  const verification = new Map<string, VerificationKey>();
  const { privateKey: _privateKey, ...signingPublic } = signing;
  verification.set(signing.keyID, signingPublic);
  for (const file of keyFiles) {
    for (const key of parsePublicKeys(file, await readOperatorFile(file))) if (!verification.has(key.keyID)) verification.set(key.keyID, key);
  }
  return { signing, verification: [...verification.values()] };
}

async function ensureKeyFile(dataDir: string): Promise<string> {
  const path = join(dataDir, "sa.key");
  if (await isThere(path)) return path;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  // What somebody else put there meanwhile stays: this one is then forgotten.
  await writeFileOnce(path, Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })));
  return path;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    // What is there and cannot be read shows when it is read.
    (error: unknown) => !(error instanceof Error && "code" in error && error.code === "ENOENT"),
  );
}

function parsePrivateKey(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // Without its cause, which might quote the file.
    throw new OperatorFileError(`${path} has no private key in PEM`);
  }
}

function parsePublicKeys(path: string, pem: string): VerificationKey[] {
  const keys: VerificationKey[] = [];
  for (const block of pem.match(PEM_BLOCK) ?? []) {
    if (block.startsWith("-----BEGIN EC PARAMETERS")) continue;
    let key: KeyObject;
    try {
      key = createPublicKey(block);
    } catch {
      throw new OperatorFileError(`${path} has a key that cannot be read`);
    }
    keys.push(verificationKey(path, key));
  }
  if (keys.length === 0) throw new OperatorFileError(`${path} has no key in PEM`);
  return keys;
}

/** Source: kubernetes pkg/serviceaccount, keyIDFromPublicKey and algorithmFromPublicKey. */
function verificationKey(path: string, publicKey: KeyObject): VerificationKey {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = publicKey;
  const algorithm = type === "rsa" ? "RS256" : type === "ec" ? CURVES[details.namedCurve ?? ""] : undefined;
  if (algorithm === undefined) throw new OperatorFileError(`${path} has a key that is neither RSA nor ECDSA on P-256, P-384 or P-521`);
  if (type === "rsa" && (details.modulusLength ?? 0) < MIN_RSA_BITS)
    throw new OperatorFileError(`${path} has an RSA key of less than ${MIN_RSA_BITS} bits`);
  const keyID = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");
  return { keyID, algorithm, publicKey };
}
