import { createPrivateKey } from "node:crypto";
import { chmod } from "node:fs/promises";
import { PKIError, readTextFile, writeFileAtomically } from "./files.ts";

/** What a kubeconfig with one user for one server says. Certificates and key in PEM, the key in any form. */
export interface KubeconfigOptions {
  /** `https://127.0.0.1:9443` */
  readonly server: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Name of the cluster, and with the user the context's. Default `annex`. */
  readonly cluster?: string;
  /** Default `kubernetes-admin`. */
  readonly user?: string;
}

/**
 * Prints a kubeconfig (`v1` `Config`) as YAML, in the order in which `kubectl config view` prints it.
 *
 * Every value is a plain word, a base64 text or a JSON string, so no YAML library is needed to get the quoting right.
 */
export function formatKubeconfig({ server, ca, cert, key, cluster = "annex", user = "kubernetes-admin" }: KubeconfigOptions): string {
  const context = `${user}@${cluster}`;
  return `apiVersion: v1
kind: Config
clusters:
- name: ${scalar(cluster)}
  cluster:
    certificate-authority-data: ${base64(ca)}
    server: ${scalar(server)}
users:
- name: ${scalar(user)}
  user:
    client-certificate-data: ${base64(cert)}
    client-key-data: ${base64(formatClientKey(key))}
contexts:
- name: ${scalar(context)}
  context:
    cluster: ${scalar(cluster)}
    user: ${scalar(user)}
current-context: ${scalar(context)}
`;
}

/**
 * Writes the kubeconfig (mode 0600) unless the file already says the same of server, CA and certificate: what `kubectl config` added to
 * it, such as a namespace, stays as long as it can.
 *
 * @returns whether it was written.
 * @throws {PKIError} if the file is there and does not name this CA: it is somebody else's, or its CA was moved away.
 */
export async function ensureKubeconfig(path: string, options: KubeconfigOptions): Promise<boolean> {
  const text = await readTextFile(path);
  if (text !== undefined) {
    if (!text.includes(base64(options.ca))) {
      throw new PKIError(`${path} was not written for this server's CA: move it away for a new one`);
    }
    const words = new Set(text.split(/[\s"']+/));
    if ([options.server, base64(options.cert), base64(formatClientKey(options.key))].every((word) => words.has(word))) {
      // It holds a key; an editor may have opened it up.
      await chmod(path, 0o600);
      return false;
    }
  }
  await writeFileAtomically(path, formatKubeconfig(options), 0o600);
  return true;
}

/**
 * An EC key as `EC PRIVATE KEY` (SEC 1), in which form Kubernetes' own tools write it: fabric8 takes every other one for RSA and fails.
 * Source: client-go, util/keyutil, MarshalPrivateKeyToPEM.
 */
function formatClientKey(pem: string): string {
  const key = createPrivateKey(pem);
  return key.asymmetricKeyType === "ec" ? key.export({ type: "sec1", format: "pem" }).toString() : pem;
}

function base64(pem: string): string {
  return Buffer.from(pem).toString("base64");
}

/** Plain where YAML can't take it for anything but this string. JSON's strings are YAML's. */
function scalar(text: string): string {
  return /^[a-z][a-z0-9]*[-@:/.a-z0-9[\]]*[a-z0-9]$/i.test(text) && !/^(true|false|yes|no|on|off|null|n|y)$/i.test(text) && !text.includes(": ")
    ? text
    : JSON.stringify(text);
}
