// A whole API server on one machine: core namespaces, secrets and service accounts, RBAC, reviews, an embedded store, and the command line. Imported by apps and examples.
export * from "./core/index.ts";
export * from "./garbage-collector/index.ts";
export * from "./rbac/index.ts";
export * from "./reviews/index.ts";
export { runStandalone } from "./run.ts";
export * from "./service-accounts/index.ts";
export * from "./storage-migration/index.ts";
