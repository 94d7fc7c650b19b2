// Life beside a kube-apiserver: what a server behind the aggregation layer needs of it, and does for it. Imported by apps.
export * from "./admission/index.ts";
export * from "./authentication/index.ts";
export * from "./authorization/index.ts";
export * from "./client/index.ts";
export { type ClusterNamespaces, type ClusterNamespacesOptions, clusterNamespaces } from "./namespaces/cluster-namespaces.ts";
export type { ServiceName } from "./ownership/index.ts";
export { PrivateKeyError, type SecretPlace, sharedPrivateKey } from "./private-key/shared-private-key.ts";
export * from "./registration/index.ts";
export { isForCluster, runInCluster } from "./run.ts";
export * from "./secrets/index.ts";
export * from "./serving-certificates/index.ts";
