// Service accounts: the core v1 kind, the tokens that it gives, who accepts them, and the account `default` of every namespace. Imported by the program around a server.
import type { Documents, RequestContext, Resource, ResourceVerbs, TokenAuthenticator } from "@annex/apiserver";
import type { OptionValues } from "@annex/apiserver-node";
import { openIDDocuments } from "./openid-documents.ts";
import { DEFAULT_ISSUER, type SERVICE_ACCOUNT_OPTIONS } from "./options.ts";
import { serviceAccount } from "./service-account.ts";
import { loadServiceAccountKeys } from "./signing-keys.ts";
import { serviceAccountAuthenticator } from "./token-authenticator.ts";
import { tokenSubresource } from "./token-request.ts";
import { TokenSigner } from "./token-signer.ts";

export { SERVICE_ACCOUNT_OPTIONS } from "./options.ts";
export { runServiceAccountController } from "./service-account-controller.ts";
export { loadServiceAccountKeys, type ServiceAccountKeyFiles, type ServiceAccountKeys, type VerificationKey } from "./signing-keys.ts";

export interface ServiceAccountsOptions {
  readonly options: OptionValues<typeof SERVICE_ACCOUNT_OPTIONS>;
  readonly dataDir: string;
  readonly verbsOf: (group: string, resource: string) => ResourceVerbs;
  readonly context: (signal: AbortSignal) => RequestContext;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface ServiceAccounts {
  /** core/v1 ServiceAccount, with its subresource `token`. */
  readonly resource: Resource;
  readonly authenticator: TokenAuthenticator;
  /** For whom tokens are meant that are for this server. */
  readonly apiAudiences: readonly string[];
  /** The issuer's configuration and keys. @param url tells where the server is reached. */
  readonly documents: (url: () => string) => readonly Documents[];
}

/**
 * Makes the parts of service accounts that a server is put together of.
 *
 * @throws {OperatorFileError} {@link PKIError} when a key cannot be read or made.
 */
export async function createServiceAccounts({ options, dataDir, ...services }: ServiceAccountsOptions): Promise<ServiceAccounts> {
  const { "service-account-issuer": named, "api-audiences": audiences, "service-account-jwks-uri": jwksURI } = options;
  const issuers = named.length === 0 ? [DEFAULT_ISSUER] : named;
  const [issuer = DEFAULT_ISSUER] = issuers;
  const apiAudiences = audiences.length === 0 ? [issuer] : audiences;
  const keys = await loadServiceAccountKeys({
    dataDir,
    signingKeyFile: options["service-account-signing-key-file"],
    keyFiles: options["service-account-key-file"],
  });
  const signer = new TokenSigner(keys);
  return {
    resource: serviceAccount(tokenSubresource({ signer, issuer, apiAudiences })),
    authenticator: serviceAccountAuthenticator({ signer, issuers, apiAudiences, ...services }),
    apiAudiences,
    documents: (url) => openIDDocuments({ issuer, jwksURI: () => jwksURI ?? `${url()}/openid/v1/jwks`, keys: keys.verification }),
  };
}
