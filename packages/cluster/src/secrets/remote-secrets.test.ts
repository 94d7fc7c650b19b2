import { Namespace, Secret } from "@annex/standalone";
import { describeSecretStore, NOTE_SECRET_TYPE } from "@annex/storage-secrets/testing";
import { realClock } from "@annex/testing";
import { afterAll, beforeAll } from "vitest";
import { type CoreCluster, startCoreCluster } from "../testing/core-cluster.ts";
import { type Replica, startReplica } from "../testing/replica.ts";

const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

let cluster: CoreCluster;
let one: Replica;
let other: Replica;
beforeAll(async () => {
  cluster = await startCoreCluster([Namespace, Secret], realClock);
  one = await startReplica(cluster.config, [NOTE_SECRET_TYPE], realClock, silent);
  other = await startReplica(cluster.config, [NOTE_SECRET_TYPE], realClock, silent);
});
afterAll(async () => {
  for (const opened of [other, one, cluster]) await opened?.[Symbol.asyncDispose]();
});

let count = 0;
describeSecretStore("another server", async () => {
  const namespaces = [`one-${++count}`, `two-${count}`] as const;
  for (const namespace of namespaces) await cluster.createNamespace(namespace);
  return { secrets: one.secrets.verbs, others: other.secrets.verbs, namespaces, clock: realClock, dispose: async () => undefined };
});
