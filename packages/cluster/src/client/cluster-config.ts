import { OperatorError } from "@annex/apiserver";

/** How a kube-apiserver is reached, and as whom. */
export interface ClusterConfig {
  /** `https://10.0.0.1:6443`, perhaps with a path behind it. */
  readonly server: string;
  /** The namespace that requests without one are about: of the context, or of the pod. */
  readonly namespace: string;
  readonly tls: ClusterTLS;
  /** Reads {@link tls} anew, where it comes out of files: somebody may renew them. Absent where it holds for good. */
  readonly rereadTLS?: () => Promise<ClusterTLS>;
  /**
   * What stands in the `Authorization` header now; undefined when the client certificate says who asks. Asked for each request: tokens of pods change every hour.
   *
   * @throws {KubeconfigError} when a credential cannot be had.
   */
  authorization(): Promise<string | undefined>;
  /** Forgets what was cached, after a 401. */
  forgetCredentials(): void;
}

/** All PEM. */
export interface ClusterTLS {
  /** CAs of the serving certificate. Default: those of the system. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name in the certificate, where it is not that of the server. */
  readonly servername?: string;
}

/** A kubeconfig, or what it names, is of no use. */
export class KubeconfigError extends OperatorError {
  override readonly exitCode = 2;
  override readonly name = "KubeconfigError";
}
