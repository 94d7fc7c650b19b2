// The kube-apiserver beside which this server lives: how it is reached, asked and followed. Knows nothing of what is asked.
export {
  type ClusterClient,
  type ClusterClientOptions,
  type ClusterRequest,
  createClusterClient,
  type WatchedEvent,
} from "./cluster-client.ts";
export { type ClusterConfig, type ClusterTLS, KubeconfigError } from "./cluster-config.ts";
export { inClusterConfig, isInCluster } from "./in-cluster.ts";
export { loadKubeconfig } from "./kubeconfig.ts";
export { type CollectionPage, CollectionPages, listCollection } from "./pages.ts";
export { type CollectionObserver, type ReflectorOptions, reflect } from "./reflector.ts";
export { AnswerTooLargeError, ClusterUnavailableError } from "./unavailable.ts";
