import type { Clock, Logger } from "@annex/apiserver";
import { type ClusterClient, type ClusterClientOptions, type ClusterConfig, createClusterClient } from "../client/index.ts";
import { type RemoteSecrets, remoteSecrets } from "../secrets/index.ts";

/** The Secrets of a cluster as a server sees them, which follows them. */
export interface Replica extends AsyncDisposable {
  readonly client: ClusterClient;
  readonly secrets: RemoteSecrets;
}

/** Begins to follow Secrets. Resolves when they were read. */
export async function startReplica(
  config: ClusterConfig,
  types: readonly string[],
  clock: Clock,
  log: Logger,
  limits: Pick<ClusterClientOptions, "maxAnswerBytes"> = {},
): Promise<Replica> {
  const client = createClusterClient(config, { clock, ...limits });
  const secrets = remoteSecrets({ client, types, clock, log });
  const stop = new AbortController();
  const running = secrets.run(stop.signal);
  while (!isReady(secrets)) await clock.sleep(5, stop.signal);
  return {
    client,
    secrets,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await client[Symbol.asyncDispose]();
    },
  };
}

export function isReady({ ready }: RemoteSecrets): boolean {
  try {
    void ready.check(new AbortController().signal);
    return true;
  } catch {
    return false;
  }
}
