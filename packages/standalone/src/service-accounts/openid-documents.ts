import { APIError } from "@annex/apimachinery";
import type { APIResponse, Documents } from "@annex/apiserver";
import type { VerificationKey } from "./signing-keys.ts";

const CONFIGURATION_PATH = "/.well-known/openid-configuration";
const KEYS_PATH = "/openid/v1/jwks";
const encoder = new TextEncoder();

export interface OpenIDOptions {
  readonly issuer: string;
  /** Where the keys are read; asked for each answer, since the port may be known only once the server listens. */
  readonly jwksURI: () => string;
  readonly keys: readonly VerificationKey[];
}

/**
 * Lets others check tokens of service accounts: the issuer's configuration, and its public keys. Both may be kept for an hour.
 *
 * @returns nothing for an issuer that is no https URL: then there is nothing that OpenID could discover.
 * Source: OpenID Connect Discovery 1.0; RFC 7517; kubernetes pkg/serviceaccount, NewOpenIDMetadataProvider.
 */
export function openIDDocuments({ issuer, jwksURI, keys }: OpenIDOptions): readonly Documents[] {
  if (!isOpenIDIssuer(issuer)) return [];
  const keySet = encoder.encode(JSON.stringify({ keys: keys.map(webKey) }));
  const algorithms = [...new Set(keys.map(({ algorithm }) => algorithm))].sort();
  const configuration = () => ({
    issuer,
    jwks_uri: jwksURI(),
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: algorithms,
  });
  return [
    {
      paths: [CONFIGURATION_PATH, KEYS_PATH],
      respond: ({ path, headers: { accept } }) => {
        if (path === CONFIGURATION_PATH) return document("application/json", accept, () => encoder.encode(JSON.stringify(configuration())));
        return path === KEYS_PATH ? document("application/jwk-set+json", accept, () => keySet) : undefined;
      },
    },
  ];
}

function isOpenIDIssuer(issuer: string): boolean {
  if (!URL.canParse(issuer)) return false;
  const { protocol, search, hash } = new URL(issuer);
  return protocol === "https:" && search === "" && hash === "";
}

function webKey({ publicKey, keyID, algorithm }: VerificationKey): object {
  const { kty, ...parameters } = publicKey.export({ format: "jwk" });
  return { use: "sig", kty, kid: keyID, alg: algorithm, ...parameters };
}

/** @throws {APIError} `NotAcceptable`, in the words of go-restful, which looks for the very type. */
function document(contentType: string, accept: string | undefined, body: () => Uint8Array): APIResponse {
  const accepted = (accept ?? "").split(",").map((range) => range.split(";", 1)[0]?.trim());
  if (!accepted.some((type) => type === "" || type === "*/*" || type === contentType)) {
    throw new APIError("NotAcceptable", `406: Not Acceptable\n\nAvailable representations: ${contentType}`, { details: {} });
  }
  return { status: 200, headers: { "cache-control": "public, max-age=3600", "content-type": contentType }, body: body() };
}
