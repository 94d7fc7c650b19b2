// The cluster's Secrets, as the place where objects of other kinds are kept: what storage-secrets asks, answered by the kube-apiserver.
export { type RemoteSecrets, type RemoteSecretsOptions, remoteSecrets } from "./remote-secrets.ts";
