import { dirname, resolve } from "node:path";
import { decodeYAML } from "@annex/apimachinery";
import { readOperatorFile } from "@annex/apiserver-node";
import { type ClusterConfig, type ClusterTLS, KubeconfigError } from "./cluster-config.ts";
import { type ExecConfig, execCredential } from "./exec-credential.ts";
import { fixedToken, tokenFile } from "./token-file.ts";

interface NamedEntry<T> {
  readonly name?: string;
  readonly entry: T;
}

interface Cluster {
  readonly server?: string;
  readonly "certificate-authority"?: string;
  readonly "certificate-authority-data"?: string;
  readonly "tls-server-name"?: string;
  readonly "insecure-skip-tls-verify"?: boolean;
  readonly "proxy-url"?: string;
}

interface User {
  readonly "client-certificate"?: string;
  readonly "client-certificate-data"?: string;
  readonly "client-key"?: string;
  readonly "client-key-data"?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly exec?: ExecConfig;
  readonly "auth-provider"?: unknown;
}

interface Context {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}

/**
 * Reads a kubeconfig: of its current context the server and the credentials, which are a client certificate, a token, a file with one, or a command
 * (`exec`). Files that it names lie beside it, as client-go takes them.
 *
 * What would weaken TLS (`insecure-skip-tls-verify`) is refused, and so is what is not known here (`proxy-url`, `auth-provider`, passwords): nobody is to wonder who a server is.
 *
 * @throws {KubeconfigError}
 * Source: k8s.io/client-go/tools/clientcmd/api/v1.
 */
export async function loadKubeconfig(path: string): Promise<ClusterConfig> {
  const config = parseConfig(path, await read(path, path));
  const context = named<Context>(config, "contexts", "context", text(config["current-context"]), path);
  const cluster = named<Cluster>(config, "clusters", "cluster", context.cluster ?? "", path);
  const user = context.user === undefined || context.user === "" ? {} : named<User>(config, "users", "user", context.user, path);
  refuseUnknown(cluster, user, path);
  const folder = dirname(path);
  const readTLS = async (): Promise<ClusterTLS> => {
    const certificate = await material(user, "client-certificate", folder, path);
    const key = await material(user, "client-key", folder, path);
    if ((certificate === undefined) !== (key === undefined)) throw new KubeconfigError(`${path}: a client certificate and its key belong together`);
    const ca = await material(cluster, "certificate-authority", folder, path);
    const { "tls-server-name": servername } = cluster;
    return {
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
      ...(servername === undefined ? {} : { servername }),
    };
  };
  const hasFiles = [cluster["certificate-authority"], user["client-certificate"], user["client-key"]].some((file) => text(file) !== "");
  const server = serverURL(cluster.server, path);
  const tls = await readTLS();
  return { server, namespace: context.namespace ?? "default", tls, ...(hasFiles ? { rereadTLS: readTLS } : {}), ...credentials(user, folder) };
}

function credentials(user: User, folder: string): Pick<ClusterConfig, "authorization" | "forgetCredentials"> {
  // As client-go: a file is newer than what was copied out of it.
  if (user.tokenFile) return tokenFile(resolve(folder, user.tokenFile));
  if (user.token) return fixedToken(user.token);
  if (user.exec !== undefined) return execCredential(user.exec, folder);
  return fixedToken(undefined);
}

function refuseUnknown(cluster: Cluster, user: User, path: string): void {
  if (cluster["insecure-skip-tls-verify"] === true)
    throw new KubeconfigError(`${path}: insecure-skip-tls-verify is not supported: give the certificate-authority`);
  if (cluster["proxy-url"]) throw new KubeconfigError(`${path}: proxy-url is not supported`);
  if (user["auth-provider"] !== undefined) throw new KubeconfigError(`${path}: auth-provider is not supported: use exec`);
  if (user.username) throw new KubeconfigError(`${path}: a user name with a password is not supported`);
}

function serverURL(server: string | undefined, path: string): string {
  const url = URL.canParse(server ?? "") ? new URL(server ?? "") : undefined;
  if (url?.protocol !== "https:")
    throw new KubeconfigError(`${path}: the server must be a URL that begins with https://, not ${JSON.stringify(server ?? "")}`);
  return url.href.replace(/\/$/, "");
}

/** A PEM text that stands in the file in base64, or in a file of its own. */
async function material(entry: object, field: string, folder: string, path: string): Promise<string | undefined> {
  const values = entry as Readonly<Record<string, unknown>>;
  const data = text(values[`${field}-data`]);
  if (data !== "") return Buffer.from(data, "base64").toString("utf8");
  const file = text(values[field]);
  return file === "" ? undefined : read(resolve(folder, file), path);
}

function parseConfig(path: string, source: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    ({ value } = decodeYAML(new TextEncoder().encode(source)));
  } catch (error) {
    throw new KubeconfigError(`${path} is no YAML: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new KubeconfigError(`${path} is no kubeconfig`);
  return value as Readonly<Record<string, unknown>>;
}

function named<T extends object>(config: Readonly<Record<string, unknown>>, list: string, field: string, name: string, path: string): T {
  const entries: readonly unknown[] = Array.isArray(config[list]) ? config[list] : [];
  const found = entries.find(
    (entry): entry is NamedEntry<T> => typeof entry === "object" && entry !== null && "name" in entry && entry.name === name,
  );
  const value: unknown = (found as Readonly<Record<string, unknown>> | undefined)?.[field];
  if (typeof value !== "object" || value === null) throw new KubeconfigError(`${path} has no ${field} named ${JSON.stringify(name)}`);
  return value as T;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

async function read(file: string, kubeconfig: string): Promise<string> {
  try {
    return await readOperatorFile(file);
  } catch (error) {
    const of = file === kubeconfig ? "" : `${kubeconfig}: `;
    throw new KubeconfigError(of + (error instanceof Error ? error.message : String(error)), { cause: error });
  }
}
