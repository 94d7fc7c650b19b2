import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { type ClusterConfig, KubeconfigError } from "./cluster-config.ts";
import { tokenFile } from "./token-file.ts";

const SERVICE_ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Whether this process runs in a pod that may ask its kube-apiserver. Source: client-go rest.InClusterConfig. */
export function isInCluster(env: Readonly<Record<string, string | undefined>>): boolean {
  return Boolean(env.KUBERNETES_SERVICE_HOST) && Boolean(env.KUBERNETES_SERVICE_PORT);
}

/**
 * What a pod finds of its service account. The token and the CA are read again every minute: kubelet renews them.
 *
 * @throws {KubeconfigError} outside a pod, or where no service account is mounted.
 */
export async function inClusterConfig(env: Readonly<Record<string, string | undefined>>, folder = SERVICE_ACCOUNT_FOLDER): Promise<ClusterConfig> {
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "" } = env;
  if (!isInCluster(env)) throw new KubeconfigError("this is no pod of a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
  const rereadTLS = async () => ({ ca: await read(join(folder, "ca.crt")) });
  const [tls, namespace] = await Promise.all([rereadTLS(), read(join(folder, "namespace"))]);
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return { server, namespace: namespace.trim() || "default", tls, rereadTLS, ...tokenFile(join(folder, "token")) };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new KubeconfigError(`cannot read ${path}: is a service account mounted?`, { cause: error });
  }
}
