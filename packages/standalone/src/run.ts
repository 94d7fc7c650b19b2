import { setMaxListeners } from "node:events";
import { join } from "node:path";
import type { APIServer, Resource, ResourceVerbs } from "@annex/apiserver";
import { namespaceLifecycle } from "@annex/apiserver";
import {
  type BackgroundWork,
  backgroundWork,
  type ControllerServices,
  checkServerOptions,
  createLogger,
  formatHelp,
  handleStopSignals,
  keepGarbageYoung,
  listOf,
  makePrivateFolder,
  OptionError,
  type OptionTable,
  type OptionValues,
  type Program,
  type ProgramSetup,
  parseOptions,
  parsePath,
  parseSwitch,
  type RunningServer,
  readTokenAuthFile,
  SERVER_OPTIONS,
  type ServerOptions,
  serve,
  serveOptions,
  systemClock,
  tellFailure,
  untilStop,
} from "@annex/apiserver-node";
import { sqlite } from "@annex/storage-sqlite";
import { ensureNamespaces, IMMORTAL_NAMESPACES, Namespace, runNamespaceController, Secret, SYSTEM_NAMESPACES } from "./core/index.ts";
import { customResources, readCRDFiles } from "./crd/index.ts";
import { runGarbageCollector } from "./garbage-collector/index.ts";
import { programKey } from "./program-key.ts";
import { createRBAC } from "./rbac/index.ts";
import { reviews } from "./reviews/index.ts";
import { createServiceAccounts, runServiceAccountController, SERVICE_ACCOUNT_OPTIONS } from "./service-accounts/index.ts";
import { runStorageMigrator, StorageVersionMigration } from "./storage-migration/index.ts";

/** The options of every standalone program beside the server's own, named as kube-apiserver names them. */
const STANDALONE_OPTIONS = {
  ...SERVICE_ACCOUNT_OPTIONS,
  crd: {
    placeholder: "FILE",
    // `as`: an empty list alone is one of nothing.
    default: [] as readonly string[],
    help: "A file with CustomResourceDefinitions (apiextensions.k8s.io/v1, YAML or JSON) whose kinds are served too. May be repeated.",
    parse: listOf(parsePath),
  },
  "enable-garbage-collector": {
    default: true,
    help: "Whether objects whose owners are gone are deleted, and deletions may wait for dependents (propagationPolicy).",
    parse: parseSwitch,
  },
} as const satisfies OptionTable;

type AllOptions<Options extends OptionTable> = ServerOptions & OptionValues<typeof STANDALONE_OPTIONS> & OptionValues<Options>;

/** How long a stop may take before what still runs is cut off, in milliseconds. */
const STOP_TIMEOUT_MS = 8_000;

/**
 * Runs a whole API server on one machine as a program: reads its command line, serves until SIGTERM or SIGINT.
 *
 * @param args without the program's name. A first `--`, which npm may hand on, is passed over.
 * @returns the exit code: 0 after a stop in good order, 1 when the server could not start or stop, 2 for a bad command line, or a file it names; one line on standard error says why.
 */
export async function runStandalone<const Options extends OptionTable>(program: Program<Options>, args: readonly string[]): Promise<number> {
  const table = { ...SERVER_OPTIONS, ...STANDALONE_OPTIONS, ...program.options };
  try {
    const options = parseOptions(table, args[0] === "--" ? args.slice(1) : args) as unknown as AllOptions<Options>; // the table is the tables together
    checkServerOptions(options);
    if (options.help) process.stdout.write(formatHelp(table, program.usage));
    else if (options.version) process.stdout.write(`${program.version}\n`);
    else return await run(program, options);
    return 0;
  } catch (error) {
    return tellFailure(error);
  }
}

async function run<Options extends OptionTable>(program: Program<Options>, options: AllOptions<Options>): Promise<number> {
  keepGarbageYoung();
  const background = new AbortController();
  // Whatever works in the background listens to it: more than Node takes for an oversight, which it would print.
  setMaxListeners(0, background.signal);
  // Until it serves, a signal ends the process as signals do: nothing is acknowledged yet.
  const { server, work, resources } = await start(program, options, background.signal);
  using stopping = handleStopSignals();
  process.stdout.write(`Serving ${server.url}\n\n${listOfKinds(resources)}\n  export KUBECONFIG=${server.kubeconfig}\n\n`);
  await untilStop(stopping.signal, work);
  server.log.info({}, "stopping");
  background.abort();
  const isGood = await work.ended;
  await server.stop(STOP_TIMEOUT_MS);
  return isGood ? 0 : 1;
}

async function start<Options extends OptionTable>(
  program: Program<Options>,
  options: AllOptions<Options>,
  signal: AbortSignal,
): Promise<{ readonly server: RunningServer; readonly work: BackgroundWork; readonly resources: readonly Resource[] }> {
  const log = createLogger({ verbosity: options.v });
  const dataDir = options["data-dir"];
  const crds = await readCRDFiles(options.crd);
  await makePrivateFolder(dataDir);
  const storage = await sqlite(join(dataDir, "store")).open();
  let api: APIServer | undefined;
  const verbsOf = (group: string, resource: string): ResourceVerbs => {
    if (api === undefined) throw new Error("the server does not run yet");
    return api.verbsOf(group, resource);
  };
  const context = (one: AbortSignal) => {
    if (api === undefined) throw new Error("the server does not run yet");
    return api.loopback(one);
  };
  const { "tls-cert-file": certFile, "tls-private-key-file": keyFile, "client-ca-file": clientCAFile, "token-auth-file": tokenAuthFile } = options;
  const keyOptions = { storage, secretTypes: program.secretTypes, log };
  const privateKey = (name: string) => programKey(join(dataDir, `${name}.key`), keyOptions);
  const { setup, accounts, fileTokens } = await orDispose(storage, async () => ({
    setup: withoutWebhooks(await program.setup({ options, hasSecrets: true, privateKey, verbsOf })),
    accounts: await createServiceAccounts({ options, dataDir, verbsOf, context, now: () => systemClock.now() }),
    fileTokens: tokenAuthFile === undefined ? [] : [await readTokenAuthFile(tokenAuthFile, log)],
  }));
  const rbac = createRBAC();
  const tokenAuthenticators = [...fileTokens, accounts.authenticator, ...(setup.tokenAuthenticators ?? [])];
  const reviewKinds = reviews({ tokenAuthenticators, apiAudiences: accounts.apiAudiences, rulesFor: rbac.rulesFor });
  const own: readonly Resource[] = [
    Namespace,
    Secret,
    accounts.resource,
    ...reviewKinds,
    ...rbac.resources,
    StorageVersionMigration,
    ...setup.resources,
  ];
  const custom = await orDispose(storage, async () => customResources(crds, own));
  const resources: readonly Resource[] = [...own, ...custom];
  const { namespaces = [] } = setup;
  const services: ControllerServices = { verbsOf, context, clock: systemClock, log };
  const server = await serve({
    ...serveOptions(options),
    resources,
    hidden: setup.hidden ?? [],
    storage,
    dataDir,
    log,
    prepare: async (made) => {
      api = made;
      await Promise.all([
        ensureNamespaces([...SYSTEM_NAMESPACES, ...namespaces], { ...services, resources }, signal),
        rbac.start({ ...services, api: made }, signal),
      ]);
    },
    enableGarbageCollector: options["enable-garbage-collector"],
    // Its bootstrap roles say what is public, and to whom.
    authorizers: [rbac.authorizer],
    admission: [
      namespaceLifecycle(() => verbsOf("", "namespaces"), [...IMMORTAL_NAMESPACES, ...namespaces]),
      ...(setup.admission ?? []),
      rbac.admission,
    ],
    ...(certFile === undefined || keyFile === undefined ? {} : { tls: { certFile, keyFile } }),
    ...(clientCAFile === undefined ? {} : { clientCAFile }),
    tokenAuthenticators,
    documents: accounts.documents,
  });
  for (const { versions, ...fields } of server.api.storedObjects()) {
    if (versions.some(({ stale }) => stale > 0))
      log.warn({ ...fields, versions }, "objects are stored otherwise than they would be written now: see docs/versions.md for migrations");
  }
  const controllers = { ...services, resources };
  const parts = [
    runNamespaceController(controllers, signal),
    ...(options["enable-garbage-collector"] ? [runGarbageCollector(controllers, signal)] : []),
    runServiceAccountController(services, signal),
    runStorageMigrator(controllers, signal),
    rbac.run({ ...services, api: server.api }, signal),
    (async () => setup.run?.(services, signal))(),
  ];
  return { server, work: backgroundWork(parts, { signal, log }), resources };
}

/** @throws {OptionError} for a program with webhooks: they are for other API servers, and no other one is told of this one. */
function withoutWebhooks(setup: ProgramSetup): ProgramSetup {
  if ((setup.webhooks ?? []).length > 0)
    throw new OptionError(
      "this program serves admission webhooks, which takes a cluster that calls them: --kubeconfig FILE --service NAMESPACE/NAME:PORT",
    );
  return setup;
}

/** What is served, a line for each group and version: `  tomlebreux.com/v1alpha1: clusterranchertokens, ranchertokens`. */
function listOfKinds(resources: readonly Resource[]): string {
  const served = new Map<string, string[]>();
  for (const { resource, versions } of resources) {
    for (const { apiVersion } of versions) served.set(apiVersion, [...(served.get(apiVersion) ?? []), resource]);
  }
  return [...served].map(([apiVersion, names]) => `  ${apiVersion}: ${names.sort().join(", ")}\n`).join("");
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
