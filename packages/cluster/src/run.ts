import {
  checkServerOptions,
  createLogger,
  formatHelp,
  handleStopSignals,
  keepGarbageYoung,
  type OptionTable,
  type Program,
  parseOptions,
  systemClock,
  tellFailure,
  untilStop,
} from "@annex/apiserver-node";
import { type ClusterClient, createClusterClient, inClusterConfig, isInCluster, loadKubeconfig } from "./client/index.ts";
import { type AllOptions, CLUSTER_OPTIONS, type ClusterOptions, requireService } from "./cluster-options.ts";
import { unregister } from "./registration/index.ts";
import { checkServingCertificateOptions } from "./serving-certificates/index.ts";
import { startInCluster } from "./start.ts";

/** How long a stop may take, behind its delay, before what still runs is cut off, in milliseconds. */
const STOP_TIMEOUT_MS = 8_000;

/** The first argument that takes back what a server registered. */
const UNREGISTER = "unregister";

/** Whether a command line is one for {@link runInCluster}: it names a kubeconfig, takes back a registration, or this is a pod. */
export function isForCluster(args: readonly string[], env: Readonly<Record<string, string | undefined>>): boolean {
  const own = args[0] === "--" ? args.slice(1) : args;
  return own[0] === UNREGISTER || own.some((arg) => arg === "--kubeconfig" || arg.startsWith("--kubeconfig=")) || isInCluster(env);
}

/**
 * Runs an extension API server beside a cluster's kube-apiserver as a program: reads its command line, registers, serves until SIGTERM or SIGINT. Its kinds alone are served; namespaces,
 * roles and reviews are the cluster's.
 *
 * @param args without the program's name. A first `--`, which npm may hand on, is passed over.
 * @param start for tests, which put another in its place.
 * @returns the exit code: 0 after a stop in good order, 1 when the server could not start or stop, 2 for a bad command line, or a file it names; one line on standard error says why.
 */
export async function runInCluster<const Options extends OptionTable>(
  program: Program<Options>,
  args: readonly string[],
  start: typeof startInCluster<Options> = startInCluster,
): Promise<number> {
  const table = { ...CLUSTER_OPTIONS, ...program.options };
  const given = args[0] === "--" ? args.slice(1) : args;
  const isUnregistering = given[0] === UNREGISTER;
  try {
    const options = parseOptions(table, isUnregistering ? given.slice(1) : given) as unknown as AllOptions<Options>; // the table is the tables together
    checkServerOptions(options);
    checkServingCertificateOptions(options);
    if (options.help) process.stdout.write(formatHelp(table, program.usage));
    else if (options.version) process.stdout.write(`${program.version}\n`);
    else if (isUnregistering) await takeBack(options);
    else return await run(program, options, start);
    return 0;
  } catch (error) {
    return tellFailure(error);
  }
}

async function clientOf(kubeconfig: string | undefined): Promise<ClusterClient> {
  const config = kubeconfig === undefined ? await inClusterConfig(process.env) : await loadKubeconfig(kubeconfig);
  return createClusterClient(config, { clock: systemClock });
}

async function takeBack(options: ClusterOptions): Promise<void> {
  const service = requireService(options);
  await using client = await clientOf(options.kubeconfig);
  const log = createLogger({ verbosity: options.v });
  const onRemoved = (object: string) => process.stdout.write(`${object} deleted\n`);
  await unregister({ client, service, clock: systemClock, log, onRemoved }, new AbortController().signal);
}

async function run<Options extends OptionTable>(
  program: Program<Options>,
  options: AllOptions<Options>,
  start: typeof startInCluster<Options>,
): Promise<number> {
  keepGarbageYoung();
  const service = requireService(options);
  const background = new AbortController();
  // From the beginning: the first process of a container is not ended by a signal that it does not handle, and the start may wait long for a Secret.
  using stopping = handleStopSignals();
  const giveUp = () => background.abort(stopping.signal.reason);
  stopping.signal.addEventListener("abort", giveUp, { once: true });
  const started = await start(program, options, { service, clientOf }, background.signal).catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  stopping.signal.removeEventListener("abort", giveUp);
  if (started === undefined) return 0;
  const { server, work } = started;
  process.stdout.write(`Serving ${server.url} for the Service ${service.namespace}/${service.name}\n`);
  await untilStop(stopping.signal, work);
  server.log.info({}, "stopping");
  // What keeps the server fresh goes on until the last request is answered.
  await server.stop(STOP_TIMEOUT_MS);
  background.abort();
  return (await work.ended) ? 0 : 1;
}
