// Who is asking: one authenticator for each kind of credential, and the one that asks them all. Values in, a user out.
export { allowAnonymous } from "./anonymous.ts";
export { withAuthenticatedGroup } from "./authenticated-group.ts";
export type { Authenticator } from "./authenticator.ts";
export { bearerTokenAuthenticator, parseBearerToken, type ReviewedToken, type TokenAuthenticator } from "./bearer-token.ts";
export { clientCertificateAuthenticator } from "./client-certificate.ts";
export { type RequestHeaderConfig, requestHeaderAuthenticator } from "./request-header.ts";
export { serviceAccountGroups, serviceAccountUsername, splitServiceAccountUsername } from "./service-account.ts";
export { type TokenDigest, type TokenRecord, tokenFileAuthenticator } from "./token-file.ts";
export { unionAuthenticator } from "./union.ts";
export * from "./user-info.ts";
export { BEARER_PROTOCOL_PREFIX, requestTokenAuthenticators, webSocketTokenAuthenticator } from "./websocket-token.ts";
