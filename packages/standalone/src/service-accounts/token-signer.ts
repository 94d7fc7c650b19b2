import { decodeJSON, type JSONObject, type JSONValue } from "@annex/apimachinery";
import { CompactSign, compactVerify, decodeProtectedHeader, errors } from "jose";
import type { ServiceAccountKeys, VerificationKey } from "./signing-keys.ts";

/** Longer than any token of ours: the audiences that a client asks for fit into one request. */
const MAX_TOKEN_LENGTH = 64 * 1024;
/** Three parts in base64url, without the padding and line breaks that decoders read over: else one token had many spellings. Source: RFC 7515, sections 2 and 7.1. */
const COMPACT_JWS = /^[\w-]*\.[\w-]*\.[\w-]*$/;
const encoder = new TextEncoder();

/** Signs payloads as JWTs, and checks signatures. What a payload says is no business of it. */
export class TokenSigner {
  readonly #keys: ServiceAccountKeys;

  constructor(keys: ServiceAccountKeys) {
    this.#keys = keys;
  }

  /** @returns the token: a credential, not to be shown. */
  sign(payload: JSONObject): Promise<string> {
    const { algorithm, keyID, privateKey } = this.#keys.signing;
    return new CompactSign(encoder.encode(JSON.stringify(payload))).setProtectedHeader({ alg: algorithm, kid: keyID }).sign(privateKey);
  }

  /**
   * Checks the signature of a token: by the key that it names or, when it names none, by each. A key is used for its own algorithm alone, whatever the token says.
   *
   * @returns its payload; undefined for no key of ours, a wrong signature, or what is no JWT.
   */
  async verify(token: string): Promise<JSONValue | undefined> {
    for (const { publicKey, algorithm } of this.#keysFor(token)) {
      try {
        const { payload } = await compactVerify(token, publicKey, { algorithms: [algorithm] });
        return decodeJSON(payload);
      } catch (error) {
        if (!(error instanceof errors.JOSEError) && !isSyntaxError(error)) throw error;
      }
    }
    return undefined;
  }

  #keysFor(token: string): readonly VerificationKey[] {
    try {
      const { kid } = decodeProtectedHeader(token);
      return kid === undefined || kid === "" ? this.#keys.verification : this.#keys.verification.filter(({ keyID }) => keyID === kid);
    } catch {
      return [];
    }
  }
}

/**
 * Reads who claims to have issued a token. Nothing is checked: it tells whose token it would be, to ask nobody else's keys.
 *
 * @returns undefined for what is no JWT, however little it lacks.
 */
export function unverifiedIssuer(token: string): string | undefined {
  if (token.length > MAX_TOKEN_LENGTH || !COMPACT_JWS.test(token)) return undefined;
  const [, payload = ""] = token.split(".");
  try {
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as unknown;
    const issuer = typeof claims === "object" && claims !== null && "iss" in claims ? claims.iss : undefined;
    return typeof issuer === "string" ? issuer : undefined;
  } catch {
    return undefined;
  }
}

function isSyntaxError(error: unknown): boolean {
  return error instanceof Error && error.name === "JSONSyntaxError";
}
