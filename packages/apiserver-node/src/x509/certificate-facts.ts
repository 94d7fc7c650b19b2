import type { KeyObject, X509Certificate } from "node:crypto";
import { type DERValue, readDER, readDERParts } from "./der.ts";

/** What of a certificate decides whether it may stand in a chain: what Node tells, and what it does not. */
export interface CertificateFacts {
  readonly certificate: X509Certificate;
  /** The names as they are encoded: compared byte by byte, as in Go. */
  readonly issuer: string;
  readonly subject: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Whether it was signed with an algorithm that nobody can forge today. */
  readonly hasSafeSignature: boolean;
  /** Undefined where nothing is said about it. */
  readonly isCA: boolean | undefined;
  /** How many intermediates may stand between it and a leaf. */
  readonly maxIntermediates: number;
  /** Those of earlier versions cannot say whether they are CAs. */
  readonly isVersion3: boolean;
  readonly maySignCertificates: boolean;
  readonly mayAuthenticateClients: boolean;
  /** Whether it says nothing critical that is not known here. */
  readonly isUnderstood: boolean;
  /** Undefined for a kind of key that OpenSSL does not know. */
  readonly publicKey: KeyObject | undefined;
}

/** Object identifiers, as the bytes of their encoding in hexadecimal digits. */
const BASIC_CONSTRAINTS = "551d13";
const KEY_USAGE = "551d0f";
const EXTENDED_KEY_USAGE = "551d25";
const NAME_CONSTRAINTS = "551d1e";
const CLIENT_AUTH = "2b06010505070302";
const ANY_USAGE = "551d2500";
/** Names, key identifiers and policies: they may be critical, and limit nothing that is asked here. */
const HARMLESS: ReadonlySet<string> = new Set(["551d11", "551d0e", "551d23", "551d20"]);
const DECIDING: ReadonlySet<string> = new Set([BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE]);

/** RSA with SHA-256, -384, -512; ECDSA with the same; Ed25519. Nobody believes SHA-1 any more, nor does Go. */
const SAFE_SIGNATURES: ReadonlySet<string> = new Set([
  "2a864886f70d01010b",
  "2a864886f70d01010c",
  "2a864886f70d01010d",
  "2a8648ce3d040302",
  "2a8648ce3d040303",
  "2a8648ce3d040304",
  "2b6570",
]);

const [BOOLEAN, OID, VERSION, EXTENSIONS] = [0x01, 0x06, 0xa0, 0xa3];

interface Extension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: DERValue;
}

/**
 * Reads a certificate.
 *
 * @returns undefined for one whose encoding is odd: it is believed by nobody.
 * Source: RFC 5280 section 4.1 and 4.2.1.
 */
export function certificateFacts(certificate: X509Certificate): CertificateFacts | undefined {
  try {
    return readFacts(certificate);
  } catch {
    return undefined;
  }
}

function readFacts(certificate: X509Certificate): CertificateFacts {
  const [tbs] = readDERParts(readDER(certificate.raw));
  const parts = readDERParts(must(tbs));
  const hasVersion = parts[0]?.tag === VERSION;
  const [, signature, issuer, , subject] = hasVersion ? parts.slice(1) : parts;
  const extensionList = parts.find(({ tag }) => tag === EXTENSIONS);
  const extensions = extensionList === undefined ? [] : readExtensions(extensionList);
  const valueOf = (wanted: string) => extensions.find(({ id }) => id === wanted)?.value;
  return {
    certificate,
    issuer: hex(must(issuer).bytes),
    subject: hex(must(subject).bytes),
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
    hasSafeSignature: SAFE_SIGNATURES.has(hex(must(readDERParts(must(signature))[0]).content)),
    ...basicConstraints(valueOf(BASIC_CONSTRAINTS)),
    isVersion3: hasVersion && parts[0]?.content.at(-1) === 2,
    maySignCertificates: hasCertSign(valueOf(KEY_USAGE)),
    mayAuthenticateClients: hasClientAuth(valueOf(EXTENDED_KEY_USAGE)),
    isUnderstood: areUnderstood(extensions),
    publicKey: publicKeyOf(certificate),
  };
}

function readExtensions(list: DERValue): readonly Extension[] {
  return readDERParts(must(readDERParts(list)[0])).map((extension) => {
    const parts = readDERParts(extension);
    const [id] = parts;
    const critical = parts.length === 3 ? parts[1] : undefined;
    return {
      id: hex(must(id).content),
      isCritical: critical !== undefined && critical.tag === BOOLEAN && critical.content[0] !== 0,
      // Within the octets stands the extension's own value.
      value: readDER(must(parts.at(-1)).content),
    };
  });
}

/** Constraints of names are not evaluated, so whoever has them vouches for nobody. */
function areUnderstood(extensions: readonly Extension[]): boolean {
  const ids = new Set(extensions.map(({ id }) => id));
  if (ids.size < extensions.length || ids.has(NAME_CONSTRAINTS)) return false;
  return extensions.every(({ id, isCritical }) => !isCritical || HARMLESS.has(id) || DECIDING.has(id));
}

function basicConstraints(value: DERValue | undefined): Pick<CertificateFacts, "isCA" | "maxIntermediates"> {
  if (value === undefined) return { isCA: undefined, maxIntermediates: Number.POSITIVE_INFINITY };
  const parts = readDERParts(value);
  const isCA = parts[0]?.tag === BOOLEAN && parts[0].content[0] !== 0;
  const limit = isCA ? parts[1] : parts[0];
  return { isCA, maxIntermediates: limit === undefined ? Number.POSITIVE_INFINITY : Number.parseInt(hex(limit.content), 16) };
}

/** Bit 5 of a bit string, whose first byte counts the unused bits of the last. */
function hasCertSign(value: DERValue | undefined): boolean {
  return value === undefined || ((value.content[1] ?? 0) & 0x04) !== 0;
}

function hasClientAuth(value: DERValue | undefined): boolean {
  if (value === undefined) return true;
  return readDERParts(value).some(({ tag, content }) => tag === OID && (hex(content) === CLIENT_AUTH || hex(content) === ANY_USAGE));
}

function publicKeyOf(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey;
  } catch {
    return undefined;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError("a part is missing");
  return value;
}
