import { createHmac, createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import {
  type AdmissionPlugin,
  type APIServer,
  type Authorizer,
  allowAnonymous,
  bearerTokenAuthenticator,
  clientCertificateAuthenticator,
  createAPIServer,
  type HealthCheck,
  type Logger,
  publicPathsAuthorizer,
  type Resource,
  type Storage,
  systemMastersAuthorizer,
  type TokenAuthenticator,
  tokenFileAuthenticator,
  unionAuthenticator,
  unionAuthorizer,
  versionInfo,
} from "@annex/apiserver";
import { systemClock } from "./clock.ts";
import { createHTTPServer, type HTTPLimits, type TLSMaterial } from "./http/index.ts";
import { createLogger } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { ensureKubeconfig, ensurePKI, hostsOfBindAddress, type PKI, renewPKI } from "./pki/index.ts";
import { parseTokenAuthFile } from "./token-auth-file.ts";

export interface ServeOptions {
  /** The kinds to serve. */
  readonly resources: readonly Resource[];
  /** Where objects are kept; closed by `stop`. */
  readonly storage: Storage;
  /** The folder of the certificates and of `admin.kubeconfig`. Default `.annex`. */
  readonly dataDir?: string;
  /** Default 127.0.0.1. */
  readonly bindAddress?: string;
  /** Default 9443; 0 takes any free port. */
  readonly securePort?: number;
  /** PEM files of an own serving certificate; without it one is made in the data folder. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** A PEM file of CAs whose client certificates name users, beside the CA of the data folder. */
  readonly clientCAFile?: string;
  /** kube-apiserver's CSV of bearer tokens. */
  readonly tokenAuthFile?: string;
  /** Who knows bearer tokens beside that file. */
  readonly tokenAuthenticators?: readonly TokenAuthenticator[];
  /** Asked after system:masters and the public paths. Without any everybody else is refused. */
  readonly authorizers?: readonly Authorizer[];
  readonly admission?: readonly AdmissionPlugin[];
  /** What has to be there before the first request is taken. A failure ends the start. */
  readonly prepare?: (api: APIServer) => Promise<void>;
  readonly healthChecks?: { readonly live?: readonly HealthCheck[]; readonly ready?: readonly HealthCheck[] };
  readonly maxRequestsInflight?: number;
  readonly maxMutatingRequestsInflight?: number;
  readonly limits?: Partial<HTTPLimits>;
  /** Whether each request is a line in the log. Default false. */
  readonly logsRequests?: boolean;
  /** Default: lines of JSON on standard error. */
  readonly log?: Logger;
}

/** A server that listens. */
export interface RunningServer {
  /** `https://127.0.0.1:9443` */
  readonly url: string;
  /** The absolute path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly api: APIServer;
  readonly log: Logger;
  /**
   * Stops accepting, has clients of open connections go elsewhere (GOAWAY), finishes what runs, ends watches, closes the store. A second call waits for the first.
   *
   * @param timeoutMs what still runs then is cut off. Default 8,000.
   */
  stop(timeoutMs?: number): Promise<void>;
}

const VERSION = "0.1.0";
const STOP_TIMEOUT_MS = 8_000;

/**
 * Serves kinds over HTTPS until stopped.
 *
 * ```ts
 * const server = await serve({ resources: [Flunder], storage: await sqlite("./data").open() });
 * ```
 *
 * @throws {PKIError} {@link TokenAuthFileError} {@link ListenError} whose messages are one line for the terminal; the store is closed then.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  // Closed in reverse, when the start fails or the server stops.
  const opened: AsyncDisposable[] = [options.storage];
  const close = async () => {
    for (let resource = opened.pop(); resource !== undefined; resource = opened.pop()) await resource[Symbol.asyncDispose]();
  };
  try {
    return await start(options, opened, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(options: ServeOptions, opened: AsyncDisposable[], close: () => Promise<void>): Promise<RunningServer> {
  const { dataDir = ".annex", bindAddress = "127.0.0.1", securePort = 9443, log = createLogger() } = options;
  const hosts = hostsOfBindAddress(bindAddress);
  const pki = await ensurePKI(dataDir, { hosts, clock: systemClock });
  const tls = (current: PKI) => tlsMaterial(options, current);
  const api = await createServer(options, log);
  opened.push(api);
  const limits = options.limits === undefined ? {} : { limits: options.limits };
  const http = createHTTPServer({ handler: api.handle, tls: await tls(pki), log, ...limits });
  opened.push(http);
  await options.prepare?.(api);
  const { port } = await http.listen(securePort, bindAddress);
  const url = `https://${urlHost(bindAddress)}:${port}`;
  const kubeconfig = resolve(dataDir, "admin.kubeconfig");
  await ensureKubeconfig(kubeconfig, { server: url, ca: pki.ca, ...pki.admin });
  const renewal = new AbortController();
  const renewed = renewPKI(dataDir, {
    hosts,
    clock: systemClock,
    signal: renewal.signal,
    onRenewed: async (current) => {
      http.reloadTLS(await tls(current));
      await ensureKubeconfig(kubeconfig, { server: url, ca: current.ca, ...current.admin });
      log.info({ made: current.made }, "certificates renewed");
    },
    onProblem: (error) => log.error({ err: error }, "certificates could not be renewed"),
  });
  const stop = async (timeoutMs: number) => {
    api.beginShutdown();
    renewal.abort();
    await renewed;
    await http.drain(timeoutMs);
    await close();
  };
  let stopping: Promise<void> | undefined;
  return {
    url,
    kubeconfig,
    api,
    log,
    stop: (timeoutMs = STOP_TIMEOUT_MS) => {
      stopping ??= stop(timeoutMs);
      return stopping;
    },
  };
}

async function createServer(options: ServeOptions, log: Logger): Promise<APIServer> {
  const metrics = createMetrics({
    resources: options.resources.flatMap(({ group, resource, versions, hasStatus }) =>
      versions.map(({ name }) => ({ group, version: name, resource, subresources: hasStatus ? ["status"] : [] })),
    ),
  });
  const compress = promisify(gzip);
  return createAPIServer({
    resources: options.resources,
    storage: options.storage,
    authenticator: allowAnonymous(
      unionAuthenticator([
        clientCertificateAuthenticator,
        bearerTokenAuthenticator([...(await fileTokens(options, log)), ...(options.tokenAuthenticators ?? [])]),
      ]),
    ),
    authorizer: unionAuthorizer([systemMastersAuthorizer, publicPathsAuthorizer, ...(options.authorizers ?? [])]),
    admission: options.admission ?? [],
    clock: systemClock,
    log,
    version: versionInfo(VERSION, `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`),
    metrics: { requests: metrics, render: () => metrics.render() },
    // As Go's gzip at its fastest: what is saved is the network's time, not the last byte.
    compress: (bytes) => compress(bytes, { level: 1 }),
    logsRequests: options.logsRequests === true,
    ...(options.healthChecks === undefined ? {} : { healthChecks: options.healthChecks }),
    ...(options.maxRequestsInflight === undefined ? {} : { maxRequestsInflight: options.maxRequestsInflight }),
    ...(options.maxMutatingRequestsInflight === undefined ? {} : { maxMutatingRequestsInflight: options.maxMutatingRequestsInflight }),
  });
}

async function fileTokens({ tokenAuthFile }: ServeOptions, log: Logger): Promise<TokenAuthenticator[]> {
  if (tokenAuthFile === undefined) return [];
  const { records, warnings } = parseTokenAuthFile(tokenAuthFile, await readOperatorFile(tokenAuthFile));
  for (const warning of warnings) log.warn({}, warning);
  const key = randomBytes(32);
  const digest = (token: string) => createHmac("sha256", key).update(token).digest("base64");
  return [
    tokenFileAuthenticator(
      records.map(({ token, name, uid, groups }) => ({ token, user: name, uid, groups })),
      digest,
    ),
  ];
}

async function tlsMaterial({ tls, clientCAFile }: ServeOptions, pki: PKI): Promise<TLSMaterial> {
  return {
    ...(tls === undefined ? pki.serving : await readKeyPair(tls)),
    clientCAs: [pki.ca, ...(clientCAFile === undefined ? [] : [await readCertificates(clientCAFile)])],
  };
}

/** @throws {OperatorFileError} for what is no certificate, no key, or no pair. */
async function readKeyPair({ certFile, keyFile }: NonNullable<ServeOptions["tls"]>): Promise<{ readonly cert: string; readonly key: string }> {
  const cert = await readCertificates(certFile);
  const key = await readOperatorFile(keyFile);
  let isPair: boolean;
  try {
    isPair = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw new OperatorFileError(`${keyFile} has no private key in PEM`, { cause: error });
  }
  if (!isPair) throw new OperatorFileError(`the key in ${keyFile} is not that of the certificate in ${certFile}`);
  return { cert, key };
}

/** @throws {OperatorFileError} when the file has no certificate, or one that cannot be read. */
async function readCertificates(path: string): Promise<string> {
  const text = await readOperatorFile(path);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch (error) {
    throw new OperatorFileError(`${path} has a certificate that cannot be read`, { cause: error });
  }
  if (blocks.length === 0) throw new OperatorFileError(`${path} has no certificate in PEM`);
  return text;
}

/** A file that the operator named could not be used. The message is one line for the terminal. */
export class OperatorFileError extends Error {
  override readonly name = "OperatorFileError";
}

async function readOperatorFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new OperatorFileError(`cannot read ${path}: ${code}`, { cause: error });
  }
}

/** The host under which a local client reaches an address. */
function urlHost(bindAddress: string): string {
  if (bindAddress === "0.0.0.0") return "127.0.0.1";
  if (bindAddress === "::") return "[::1]";
  return bindAddress.includes(":") ? `[${bindAddress}]` : bindAddress;
}
