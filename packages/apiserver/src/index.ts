// The framework of a Kubernetes API server, without sockets and files: a request value goes in, a response value comes out.
export * from "./admission/admission.ts";
export * from "./authentication/index.ts";
export * from "./authorization/index.ts";
export type * from "./cancellation.ts";
export type * from "./clock.ts";
export * from "./definition/index.ts";
export type { HealthCheck } from "./endpoints/health.ts";
export * from "./endpoints/http.ts";
export { type VersionInfo, versionInfo } from "./endpoints/version.ts";
export type * from "./logger.ts";
export type * from "./metrics.ts";
export * from "./random.ts";
export * from "./registry/index.ts";
export * from "./server.ts";
export * from "./storage/index.ts";
