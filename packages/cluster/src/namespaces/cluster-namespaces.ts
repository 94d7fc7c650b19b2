import { APIError, encodeJSON, type KubernetesObject, notFound, validatePathSegmentName } from "@annex/apimachinery";
import type { Clock, HealthCheck, Logger, ObjectView, ResourceVerbs } from "@annex/apiserver";
import { type ClusterClient, reflect } from "../client/index.ts";

export interface ClusterNamespacesOptions {
  readonly client: ClusterClient;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The namespaces of the cluster, for whoever must know whether one is there. */
export interface ClusterNamespaces {
  /** Reads from memory; what is not there, or on its way out, is asked of the cluster itself. */
  readonly verbs: Required<Pick<ResourceVerbs, "get">>;
  /**
   * The namespace of this name, with its labels: from memory, where it is known, however it is.
   *
   * @throws as {@link ClusterClient.request}: `NotFound` when the cluster has none.
   */
  readonly read: (name: string, signal: AbortSignal) => Promise<KubernetesObject>;
  readonly ready: HealthCheck;
  /** Follows the cluster until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

const PATH = "/api/v1/namespaces";

/**
 * Source: k8s.io/apiserver admission/plugin/namespace/lifecycle, which reads from an informer and asks live before it says that a namespace is not there.
 */
export function clusterNamespaces({ client, clock, log }: ClusterNamespacesOptions): ClusterNamespaces {
  let known: Map<string, KubernetesObject> | undefined;
  const observer = {
    reset: (objects: readonly KubernetesObject[]) => {
      known = new Map(objects.map((object) => [object.metadata.name ?? "", object]));
    },
    put: (object: KubernetesObject) => void known?.set(object.metadata.name ?? "", object),
    deleted: (object: KubernetesObject) => void known?.delete(object.metadata.name ?? ""),
  };
  // What the cluster answers is an object.
  const ask = async (name: string, signal: AbortSignal) =>
    (await client.request({ method: "GET", path: `${PATH}/${encodeURIComponent(name)}` }, signal)) as unknown as KubernetesObject;
  return {
    verbs: {
      async get({ name }, consistency, { signal }) {
        // A name that none can have must not lead to another place: `.` to the list of all.
        if (name === "" || validatePathSegmentName(name).length > 0) throw notFound({ group: "", resource: "namespaces" }, name);
        const object = known?.get(name);
        // One that is going may be there anew.
        if (object !== undefined && object.metadata.deletionTimestamp === undefined && consistency.type !== "Exact") return new NamespaceView(object);
        return new NamespaceView(await ask(name, signal));
      },
    },
    read: async (name, signal) => known?.get(name) ?? ask(name, signal),
    ready: {
      name: "namespaces",
      check: async () => {
        if (known === undefined) throw new APIError("ServiceUnavailable", "the namespaces of the cluster were not read yet");
      },
    },
    run: (signal) => reflect({ client, path: PATH, observer, clock, log }, signal),
  };
}

class NamespaceView implements ObjectView {
  readonly namespace = "";
  readonly isStale = false;
  readonly object: KubernetesObject;

  constructor(object: KubernetesObject) {
    this.object = object;
  }

  get name(): string {
    return this.object.metadata.name ?? "";
  }

  get resourceVersion(): string {
    return this.object.metadata.resourceVersion ?? "";
  }

  in(): KubernetesObject {
    return this.object;
  }

  bytes(): Uint8Array {
    return encodeJSON(this.object);
  }
}
