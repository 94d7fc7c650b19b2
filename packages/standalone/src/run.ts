import { join } from "node:path";
import type { AdmissionPlugin, APIServer, Resource, ResourceVerbs, TokenAuthenticator } from "@annex/apiserver";
import {
  checkServerOptions,
  createLogger,
  formatHelp,
  handleStopSignals,
  ListenError,
  makePrivateFolder,
  OperatorFileError,
  OptionError,
  type OptionTable,
  type OptionValues,
  PKIError,
  parseOptions,
  type RunningServer,
  SERVER_OPTIONS,
  type ServerOptions,
  serve,
  systemClock,
  TokenAuthFileError,
} from "@annex/apiserver-node";
import { OpenStoreError, sqlite } from "@annex/storage-sqlite";
import {
  ensureNamespaces,
  Namespace,
  type NamespaceControllerOptions,
  namespaceLifecycle,
  runNamespaceController,
  Secret,
  SYSTEM_NAMESPACES,
} from "./core/index.ts";

/** What a program of one's own says to {@link runStandalone}. */
export interface StandaloneProgram<Options extends OptionTable> {
  /** What the help text begins with: `Usage: …`. */
  readonly usage: string;
  /** What `--version` prints. */
  readonly version: string;
  /** Options beside the server's own. */
  readonly options: Options;
  /** The kinds beside core namespaces and secrets. */
  readonly setup: (context: StandaloneContext<Options>) => Promise<StandaloneSetup> | StandaloneSetup;
}

export interface StandaloneContext<Options extends OptionTable> {
  readonly options: OptionValues<Options>;
  readonly dataDir: string;
  /** The verbs of any resource, once the server runs. */
  readonly verbsOf: (group: string, resource: string) => ResourceVerbs;
}

export interface StandaloneSetup {
  readonly resources: readonly Resource[];
  /** Namespaces that have to be there beside `default` and `kube-system`, and like these cannot be deleted. */
  readonly namespaces?: readonly string[];
  readonly tokenAuthenticators?: readonly TokenAuthenticator[];
  /** Asked behind the server's own, in this order. */
  readonly admission?: readonly AdmissionPlugin[];
  /** Work beside requests. Runs until the signal aborts, and does not reject. */
  readonly run?: (services: BackgroundServices, signal: AbortSignal) => Promise<void>;
}

export type BackgroundServices = Omit<NamespaceControllerOptions, "resources">;

type AllOptions<Options extends OptionTable> = ServerOptions & OptionValues<Options>;

/** From which `-v` on each request is a line in the log, as with kube-apiserver. */
const REQUESTS_VERBOSITY = 3;
/** How long a stop may take before what still runs is cut off, in milliseconds. */
const STOP_TIMEOUT_MS = 8_000;

/**
 * Runs a whole API server on one machine as a program: reads its command line, serves until SIGTERM or SIGINT.
 *
 * @param args without the program's name. A first `--`, which npm may hand on, is passed over.
 * @returns the exit code: 0 after a stop in good order, 1 when the server could not start or stop, 2 for a bad command line; one line on standard error says why.
 */
export async function runStandalone<const Options extends OptionTable>(
  program: StandaloneProgram<Options>,
  args: readonly string[],
): Promise<number> {
  const table = { ...SERVER_OPTIONS, ...program.options };
  try {
    const options = parseOptions(table, args[0] === "--" ? args.slice(1) : args) as unknown as AllOptions<Options>; // the table is the two tables together
    checkServerOptions(options);
    if (options.help) process.stdout.write(formatHelp(table, program.usage));
    else if (options.version) process.stdout.write(`${program.version}\n`);
    else await run(program, options);
    return 0;
  } catch (error) {
    const exitCode = error instanceof OptionError ? 2 : 1;
    process.stderr.write(isForPeople(error) ? `${error.message}\n` : `${error instanceof Error ? error.stack : String(error)}\n`);
    return exitCode;
  }
}

/** Whether the message of an error is the one line that a terminal needs. */
function isForPeople(error: unknown): error is Error {
  return [OptionError, PKIError, TokenAuthFileError, ListenError, OpenStoreError, OperatorFileError].some((type) => error instanceof type);
}

async function run<Options extends OptionTable>(program: StandaloneProgram<Options>, options: AllOptions<Options>): Promise<void> {
  const background = new AbortController();
  // Until it serves, a signal ends the process as signals do: nothing is acknowledged yet.
  const { server, work } = await start(program, options, background.signal);
  using stopping = handleStopSignals();
  process.stdout.write(`Serving ${server.url}\n\n  export KUBECONFIG=${server.kubeconfig}\n\n`);
  await new Promise<void>((resolve) => {
    if (stopping.signal.aborted) resolve();
    else stopping.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  server.log.info({}, "stopping");
  background.abort();
  await work;
  await server.stop(STOP_TIMEOUT_MS);
}

async function start<Options extends OptionTable>(
  program: StandaloneProgram<Options>,
  options: AllOptions<Options>,
  signal: AbortSignal,
): Promise<{ readonly server: RunningServer; readonly work: Promise<unknown> }> {
  const log = createLogger({ verbosity: options.v });
  const dataDir = options["data-dir"];
  await makePrivateFolder(dataDir);
  const storage = await sqlite(join(dataDir, "store")).open();
  let api: APIServer | undefined;
  const verbsOf = (group: string, resource: string): ResourceVerbs => {
    if (api === undefined) throw new Error("the server does not run yet");
    return api.verbsOf(group, resource);
  };
  const setup = await orDispose(storage, async () => program.setup({ options, dataDir, verbsOf }));
  const resources: readonly Resource[] = [Namespace, Secret, ...setup.resources];
  const namespaces = [...SYSTEM_NAMESPACES, ...(setup.namespaces ?? [])];
  const { "tls-cert-file": certFile, "tls-private-key-file": keyFile, "client-ca-file": clientCAFile, "token-auth-file": tokenAuthFile } = options;
  const context = (one: AbortSignal) => {
    if (api === undefined) throw new Error("the server does not run yet");
    return api.loopback(one);
  };
  const services: BackgroundServices = { verbsOf, context, clock: systemClock, log };
  const server = await serve({
    resources,
    storage,
    dataDir,
    log,
    logsRequests: options.v >= REQUESTS_VERBOSITY,
    bindAddress: options["bind-address"],
    securePort: options["secure-port"],
    prepare: async (made) => {
      api = made;
      await ensureNamespaces(namespaces, { ...services, resources }, signal);
    },
    admission: [namespaceLifecycle(() => verbsOf("", "namespaces"), namespaces), ...(setup.admission ?? [])],
    maxRequestsInflight: options["max-requests-inflight"],
    maxMutatingRequestsInflight: options["max-mutating-requests-inflight"],
    ...(certFile === undefined || keyFile === undefined ? {} : { tls: { certFile, keyFile } }),
    ...(clientCAFile === undefined ? {} : { clientCAFile }),
    ...(tokenAuthFile === undefined ? {} : { tokenAuthFile }),
    ...(setup.tokenAuthenticators === undefined ? {} : { tokenAuthenticators: setup.tokenAuthenticators }),
  });
  const work = Promise.all([runNamespaceController({ ...services, resources }, signal), setup.run?.(services, signal)]);
  return { server, work };
}

/** What an open thing must not outlive: a failure on the way to the one that will close it. An open store or socket would keep the process alive. */
async function orDispose<T>(opened: AsyncDisposable, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}
