import type { KubernetesObject } from "@annex/apimachinery";
import type { AdmissionPlugin, Authorizer } from "@annex/apiserver";
import { systemClock } from "@annex/apiserver-node";
import { type ClusterAdmissionOptions, clusterAdmission, clusterNamespaces, createClusterClient } from "../index.ts";
import { answerJSON, startFakeCluster } from "./fake-cluster.ts";
import { recordedLog } from "./recorded-log.ts";

/** A cluster that has a say in writes. */
export interface AdmissionCluster extends AsyncDisposable {
  readonly plugins: readonly AdmissionPlugin[];
  readonly log: ReturnType<typeof recordedLog>;
}

export interface AdmissionClusterOptions {
  /** The objects of the cluster by the path of their collection. */
  readonly objects: Readonly<Record<string, readonly object[] | undefined>>;
  /** Whatever else it answers, by path. */
  readonly documents?: Readonly<Record<string, object>>;
  readonly resolver?: ClusterAdmissionOptions["resolver"];
  readonly authorizer?: Authorizer;
}

const everything: Authorizer = { authorize: () => ({ decision: "Allow", reason: "" }) };

/** Starts a cluster that holds these objects; its configurations were read. */
export async function startAdmissionCluster({
  objects,
  documents = {},
  resolver,
  authorizer = everything,
}: AdmissionClusterOptions): Promise<AdmissionCluster> {
  const cluster = await startFakeCluster((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "https://cluster");
    if (searchParams.has("watch")) return; // nothing happens
    const document = documents[pathname];
    if (document !== undefined) return answerJSON(response, 200, document);
    const collection = pathname in objects ? objects[pathname] : isCollection(pathname) ? [] : undefined;
    if (collection !== undefined) {
      answerJSON(response, 200, { kind: "List", metadata: { resourceVersion: "1" }, items: collection });
      return;
    }
    const [, path = "", name = ""] = /^(.*)\/([^/]+)$/.exec(pathname) ?? [];
    const found = (objects[path] as readonly KubernetesObject[] | undefined)?.find(({ metadata }) => metadata.name === name);
    if (found !== undefined) answerJSON(response, 200, found);
    else answerJSON(response, 404, { kind: "Status", status: "Failure", code: 404, reason: "NotFound", message: `namespaces "${name}" not found` });
  });
  const client = createClusterClient(cluster.config, { clock: systemClock });
  const log = recordedLog();
  const namespaces = clusterNamespaces({ client, clock: systemClock, log });
  const options = { client, namespaces, authorizer, clock: systemClock, log };
  const admission = clusterAdmission(resolver === undefined ? options : { ...options, resolver });
  const end = new AbortController();
  const running = admission.run(end.signal);
  await untilReady(() => admission.ready.check(end.signal));
  return {
    plugins: admission.plugins,
    log,
    async [Symbol.asyncDispose]() {
      end.abort();
      await running;
      await client[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

function isCollection(path: string): boolean {
  return path.startsWith("/apis/admissionregistration.k8s.io/v1/") || path === "/api/v1/namespaces";
}

async function untilReady(check: () => unknown): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await check();
      return;
    } catch (error) {
      if (tries > 500) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
