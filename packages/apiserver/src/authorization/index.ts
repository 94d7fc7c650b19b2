// Whether somebody may do something. Authorizers decide, the server's filter refuses.
export { alwaysAllowedPathsAuthorizer } from "./always-allowed-paths.ts";
export * from "./authorizer.ts";
export { forbiddenError } from "./forbidden-message.ts";
export { publicPathsAuthorizer } from "./public-paths.ts";
export { systemMastersAuthorizer } from "./system-masters.ts";
