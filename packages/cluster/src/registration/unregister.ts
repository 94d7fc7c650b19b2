import { APIError, type KubernetesObject } from "@annex/apimachinery";
import type { Clock, Logger } from "@annex/apiserver";
import { type ClusterClient, listCollection } from "../client/index.ts";
import { isLeaseHeld, leaseName, leasePath } from "../leader-election/index.ts";
import { isOwnedBy, type ServiceName } from "../ownership/index.ts";
import { secretNames } from "../serving-certificates/index.ts";
import { CONFIGURATION_COLLECTIONS } from "../webhook-configurations/index.ts";
import { API_SERVICES } from "./api-service.ts";

export interface UnregisterOptions {
  readonly client: ClusterClient;
  readonly service: ServiceName;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called for each object when it is removed: `apiservices/v1.example.com`. */
  readonly onRemoved: (object: string) => void;
}

/**
 * Takes back what a server of this installation made in the cluster beside its objects: webhook configurations, APIServices, the Secrets of its certificates, the Lease. What somebody else made stays, whatever its
 * name. To be called when no replica runs any more: one that does would register again, and the log says so.
 *
 * @throws {APIError} {@link ClusterUnavailableError} when the cluster refuses, or cannot be asked. Calling it again goes on. What it refuses to show or to remove (403) does not keep the rest; the log names each.
 */
export async function unregister({ client, service, clock, log, onRemoved }: UnregisterOptions, signal: AbortSignal): Promise<void> {
  const refusals: APIError[] = [];
  const unlessRefused = async <T>(collection: string, name: string, ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask();
    } catch (error) {
      // One of a version that was served long ago, perhaps. The rest goes.
      if (!APIError.is(error, "Forbidden")) throw error;
      refusals.push(error);
      const namespace = collection.includes("/namespaces/") ? ` -n ${service.namespace}` : "";
      const remedy = `kubectl delete ${objectName(collection, name || "VERSION.GROUP")}${namespace}`;
      log.error({ object: objectName(collection, name), problem: error.message, remedy }, "what may be this server's cannot be taken back");
      return undefined;
    }
  };
  const look = async (collection: string, name: string) =>
    [collection, await unlessRefused(collection, name, () => find(client, `${collection}/${name}`, signal))] as const;

  const lease = await look(leasePath(service), leaseName(service));
  const holder = lease[1] === undefined ? undefined : isLeaseHeld(lease[1], clock.now());
  if (holder !== undefined) log.warn({ holder }, "a server still runs and will register again: stop it first");
  const apiServices = await unlessRefused(API_SERVICES, "", () => listCollection(client, API_SERVICES, {}, signal));
  const configurations = await Promise.all(Object.values(CONFIGURATION_COLLECTIONS).map((path) => listConfigurations(client, path, log, signal)));
  const secrets = await Promise.all(Object.values(secretNames(service)).map((name) => look(`/api/v1/namespaces/${service.namespace}/secrets`, name)));
  const objects = [
    // First: with the server gone, a webhook refuses what it is called for.
    ...configurations.flat(),
    ...(apiServices?.items ?? []).map((object) => [API_SERVICES, object] as const),
    ...secrets,
    lease,
  ];
  for (const [collection, object] of objects) {
    if (object === undefined || !isOwnedBy(object, service)) continue;
    const { name = "" } = object.metadata;
    await unlessRefused(collection, name, async () => {
      const left = await remove(client, collection, object, signal);
      if (left.length === 0) onRemoved(objectName(collection, name));
      else
        log.warn(
          { object: objectName(collection, name), finalizers: left },
          "an object is deleted, and kept by its finalizers until whoever set them lets it go",
        );
    });
  }
  if (refusals[0] !== undefined) throw refusals[0];
}

/** As kubectl is told it: `secrets/a`; without a name, the collection. */
function objectName(collection: string, name: string): string {
  const resource = collection.slice(collection.lastIndexOf("/") + 1);
  return name === "" ? resource : `${resource}/${name}`;
}

/** Of a program without webhooks nobody may list their configurations, and none is there. */
async function listConfigurations(client: ClusterClient, path: string, log: Logger, signal: AbortSignal) {
  try {
    const { items } = await listCollection(client, path, {}, signal);
    return items.map((object) => [path, object] as const);
  } catch (error) {
    if (!APIError.is(error, "Forbidden")) throw error;
    log.debug({ problem: error.message }, "webhook configurations are not looked at: a server without webhooks has made none");
    return [];
  }
}

async function find(client: ClusterClient, path: string, signal: AbortSignal): Promise<KubernetesObject | undefined> {
  try {
    return (await client.request({ method: "GET", path }, signal)) as unknown as KubernetesObject;
  } catch (error) {
    if (APIError.is(error, "NotFound")) return undefined;
    throw error;
  }
}

/** This very object: another one of the same name may be somebody else's. @returns the finalizers that keep it. */
async function remove(client: ClusterClient, collection: string, { metadata }: KubernetesObject, signal: AbortSignal): Promise<readonly string[]> {
  const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid: metadata.uid } };
  try {
    await client.request({ method: "DELETE", path: `${collection}/${metadata.name}`, body }, signal);
  } catch (error) {
    if (!APIError.is(error, "NotFound")) throw error;
    return [];
  }
  return metadata.finalizers ?? [];
}
