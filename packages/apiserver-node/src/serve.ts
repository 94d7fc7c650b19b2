import { createHmac, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import {
  type AdmissionPlugin,
  type AdmissionWebhook,
  type APIServer,
  type Authenticator,
  type Authorizer,
  allowAnonymous,
  clientCertificateAuthenticator,
  createAPIServer,
  type Documents,
  type HealthCheck,
  type Logger,
  publicPathsAuthorizer,
  type Resource,
  type ResourceVerbs,
  requestTokenAuthenticators,
  type Storage,
  systemMastersAuthorizer,
  type TokenAuthenticator,
  tokenFileAuthenticator,
  unionAuthenticator,
  unionAuthorizer,
  versionInfo,
  webhookPathsAuthorizer,
} from "@annex/apiserver";
import { systemClock } from "./clock.ts";
import { createHTTPServer, type HTTPLimits } from "./http/index.ts";
import { createLogger } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { readOperatorFile } from "./operator-file.ts";
import { hostsOfBindAddress } from "./pki/index.ts";
import { certificateFiles, dataFolderCertificates, readCertificates, type ServingCertificates } from "./serving-certificates/index.ts";
import { parseTokenAuthFile } from "./token-auth-file.ts";
import { certificateAuthorities } from "./x509/index.ts";

export interface ServeOptions {
  /** The kinds to serve. */
  readonly resources: readonly Resource[];
  /** Where objects are kept; closed by `stop`. */
  readonly storage: Storage;
  /** As those of {@link createAPIServer}. */
  readonly hidden?: readonly Resource[];
  readonly foreignVerbs?: ReadonlyMap<string, ResourceVerbs>;
  /** The folder of the certificates and of `admin.kubeconfig`. Default `.annex`. */
  readonly dataDir?: string;
  /** Default 127.0.0.1. */
  readonly bindAddress?: string;
  /** Default 9443; 0 takes any free port. */
  readonly securePort?: number;
  /** PEM files of an own serving certificate; without it one is made in the data folder. Read again when they change. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** Where the serving certificate comes from instead; kept fresh (`run`) until `stop`. With it no certificate and no kubeconfig is made. */
  readonly certificates?: ServingCertificates;
  /** A PEM file of CAs whose client certificates name users, beside the CA of the data folder. */
  readonly clientCAFile?: string;
  /** kube-apiserver's CSV of bearer tokens. */
  readonly tokenAuthFile?: string;
  /** Who knows bearer tokens beside that file. */
  readonly tokenAuthenticators?: readonly TokenAuthenticator[];
  /** Who find out who asks, in this order; whom none of them finds is anonymous. Default: client certificates of the CAs above, then bearer tokens; neither counts otherwise. */
  readonly authenticators?: readonly Authenticator[];
  /** The CAs whose certificates clients are asked for, where `authenticators` believe in others. Default: the CAs above. */
  readonly clientCAs?: ClientCASource;
  /**
   * Asked in this order after system:masters, whom nothing is refused. Default: the public paths alone (`publicPathsAuthorizer`), and everything else is refused to everybody else. Whoever
   * gives authorizers has them say who may get health, version and discovery, too.
   */
  readonly authorizers?: readonly Authorizer[];
  readonly admission?: readonly AdmissionPlugin[];
  /** Whether a garbage collector looks after the objects of this server: see {@link createAPIServer}. Default false. */
  readonly enableGarbageCollector?: boolean;
  /** Paths beside those of every server. `url` tells where this one is reached, once it listens. */
  readonly documents?: (url: () => string) => readonly Documents[];
  /** Admission webhooks for other API servers. Everyone may post to their paths, whatever `authorizers` say: so they are called ({@link webhookPathsAuthorizer}). Default: none. */
  readonly webhooks?: readonly AdmissionWebhook[];
  /** What has to be there before the first request is taken. A failure ends the start. */
  readonly prepare?: (api: APIServer) => Promise<void>;
  readonly healthChecks?: { readonly live?: readonly HealthCheck[]; readonly ready?: readonly HealthCheck[] };
  readonly maxRequestsInflight?: number;
  readonly maxMutatingRequestsInflight?: number;
  /** How long a stop serves on after `/readyz` began to fail, in milliseconds, so that no more requests are sent here when it ends. Default 0. */
  readonly shutdownDelayMs?: number;
  readonly limits?: Partial<HTTPLimits>;
  /** Whether each request is a line in the log. Default false. */
  readonly logsRequests?: boolean;
  /** Default: lines of JSON on standard error. */
  readonly log?: Logger;
}

/** CAs that change while the server runs. */
export interface ClientCASource {
  /** PEM, each one or more certificates. */
  readonly current: () => readonly string[];
  /** Has somebody told, at once, of each change. */
  readonly onChange: (listener: () => void) => void;
}

/** A server that listens. */
export interface RunningServer {
  /** `https://127.0.0.1:9443` */
  readonly url: string;
  /** The absolute path of the administrator's kubeconfig. Undefined when the certificates come from elsewhere. */
  readonly kubeconfig: string | undefined;
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
  const { own, certificates, clientCAs } = await openCertificates(options, dataDir, bindAddress, log);
  let url = "";
  const authenticators = options.authenticators ?? (await defaultAuthenticators(options, clientCAs.current(), log));
  const api = await createServer(options, authenticators, log, () => url);
  opened.push(api);
  const limits = options.limits === undefined ? {} : { limits: options.limits };
  const tls = () => ({ ...certificates.current(), clientCAs: clientCAs.current() });
  const http = createHTTPServer({ handler: api.handle, tls: tls(), log, ...limits });
  opened.push(http);
  const reload = () => {
    try {
      http.reloadTLS(tls());
    } catch (error) {
      log.error({ err: error }, "OpenSSL does not take the new certificates; handshakes go on with the former ones");
    }
  };
  certificates.onChange(reload);
  clientCAs.onChange(reload);
  await options.prepare?.(api);
  const { port } = await http.listen(securePort, bindAddress);
  url = `https://${urlHost(bindAddress)}:${port}`;
  const kubeconfig = await own?.writeKubeconfig(url);
  const background = new AbortController();
  const work = Promise.all([...new Set([own, certificates])].map((source) => source?.run(background.signal)));
  const stop = async (timeoutMs: number) => {
    api.beginShutdown();
    await systemClock.sleep(options.shutdownDelayMs ?? 0);
    background.abort();
    await work;
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

/** @returns what is shown in handshakes and who is believed; `own` are the certificates of the data folder, where there are any. */
async function openCertificates(options: ServeOptions, dataDir: string, bindAddress: string, log: Logger) {
  const files = options.clientCAFile === undefined ? [] : [await readCertificates(options.clientCAFile)];
  if (options.certificates !== undefined) return { certificates: options.certificates, clientCAs: options.clientCAs ?? unchanging(files) };
  const common = { clock: systemClock, log };
  const own = await dataFolderCertificates(dataDir, { hosts: hostsOfBindAddress(bindAddress), ...common });
  const certificates: ServingCertificates = options.tls === undefined ? own : await certificateFiles(options.tls, common);
  return { own, certificates, clientCAs: options.clientCAs ?? unchanging([own.clientCA, ...files]) };
}

function unchanging(clientCAs: readonly string[]): ClientCASource {
  return { current: () => clientCAs, onChange: () => undefined };
}

async function createServer(options: ServeOptions, authenticators: readonly Authenticator[], log: Logger, url: () => string): Promise<APIServer> {
  const metrics = createMetrics({
    resources: options.resources.flatMap(({ group, resource, versions, updateSubresources, subresources }) => {
      const below = [...(versions.some(({ hasStatus }) => hasStatus) ? ["status"] : []), ...updateSubresources, ...subresources.keys()];
      return versions.map(({ name }) => ({ group, version: name, resource, subresources: below }));
    }),
  });
  const compress = promisify(gzip);
  const { webhooks = [] } = options;
  const ownAuthorizers = [systemMastersAuthorizer, ...(webhooks.length === 0 ? [] : [webhookPathsAuthorizer(webhooks)])];
  return createAPIServer({
    resources: options.resources,
    hidden: options.hidden ?? [],
    foreignVerbs: options.foreignVerbs ?? new Map(),
    storage: options.storage,
    authenticator: allowAnonymous(unionAuthenticator(authenticators)),
    authorizer: unionAuthorizer([...ownAuthorizers, ...(options.authorizers ?? [publicPathsAuthorizer])]),
    admission: options.admission ?? [],
    enableGarbageCollector: options.enableGarbageCollector === true,
    documents: options.documents?.(url) ?? [],
    webhooks,
    clock: systemClock,
    log,
    version: versionInfo(VERSION, `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`),
    metrics: { requests: metrics, render: (stored) => metrics.render(stored) },
    // As Go's gzip at its fastest: what is saved is the network's time, not the last byte.
    compress: (bytes) => compress(bytes, { level: 1 }),
    logsRequests: options.logsRequests === true,
    ...(options.healthChecks === undefined ? {} : { healthChecks: options.healthChecks }),
    ...(options.maxRequestsInflight === undefined ? {} : { maxRequestsInflight: options.maxRequestsInflight }),
    ...(options.maxMutatingRequestsInflight === undefined ? {} : { maxMutatingRequestsInflight: options.maxMutatingRequestsInflight }),
  });
}

async function defaultAuthenticators(
  { tokenAuthFile, tokenAuthenticators = [] }: ServeOptions,
  clientCAs: readonly string[],
  log: Logger,
): Promise<readonly Authenticator[]> {
  const clientCA = clientCAs.length === 0 ? undefined : certificateAuthorities(clientCAs.join("\n"));
  const tokens = [...(tokenAuthFile === undefined ? [] : [await readTokenAuthFile(tokenAuthFile, log)]), ...tokenAuthenticators];
  return [clientCertificateAuthenticator(() => clientCA), ...requestTokenAuthenticators(tokens)];
}

/**
 * Reads kube-apiserver's CSV of bearer tokens.
 *
 * @param path of the file; what it cannot use of it is told to the log, without the tokens.
 * @throws {OperatorFileError} {@link TokenAuthFileError} whose messages are one line for the terminal.
 */
export async function readTokenAuthFile(path: string, log: Logger): Promise<TokenAuthenticator> {
  const { records, warnings } = parseTokenAuthFile(path, await readOperatorFile(path));
  for (const warning of warnings) log.warn({}, warning);
  const key = randomBytes(32);
  const digest = (token: string) => createHmac("sha256", key).update(token).digest("base64");
  return tokenFileAuthenticator(
    records.map(({ token, name, uid, groups }) => ({ token, user: name, uid, groups })),
    digest,
  );
}

/** The host under which a local client reaches an address. */
function urlHost(bindAddress: string): string {
  if (bindAddress === "0.0.0.0") return "127.0.0.1";
  if (bindAddress === "::") return "[::1]";
  return bindAddress.includes(":") ? `[${bindAddress}]` : bindAddress;
}
