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
}

/**
 * Takes back what a server of this installation made in the cluster beside its objects: webhook configurations, APIServices, the Secrets of its certificates, the Lease. What somebody else made stays, whatever its
 * name. To be called when no replica runs any more: one that does would register again, and the log says so.
 *
 * @returns what was removed: `apiservices/v1.example.com`.
 * @throws {APIError} {@link ClusterUnavailableError} when the cluster refuses, or cannot be asked. Calling it again goes on. What it refuses to remove (403) does not keep the rest.
 */
export async function unregister({ client, service, clock, log }: UnregisterOptions, signal: AbortSignal): Promise<readonly string[]> {
  const leases = leasePath(service);
  const lease = await find(client, `${leases}/${leaseName(service)}`, signal);
  const holder = lease === undefined ? undefined : isLeaseHeld(lease, clock.now());
  if (holder !== undefined) log.warn({ holder }, "a server still runs and will register again: stop it first");
  const { items } = await listCollection(client, API_SERVICES, {}, signal);
  const configurations = await Promise.all(Object.values(CONFIGURATION_COLLECTIONS).map((path) => listConfigurations(client, path, log, signal)));
  const secrets = `/api/v1/namespaces/${service.namespace}/secrets`;
  const found = await Promise.all(Object.values(secretNames(service)).map((name) => find(client, `${secrets}/${name}`, signal)));
  const objects = [
    // First: with the server gone, a webhook refuses what it is called for.
    ...configurations.flat(),
    ...items.map((object) => [API_SERVICES, object] as const),
    ...found.map((object) => [secrets, object] as const),
    [leases, lease] as const,
  ];
  const removed: string[] = [];
  let refusal: unknown;
  for (const [collection, object] of objects) {
    if (object === undefined || !isOwnedBy(object, service)) continue;
    const name = `${collection.slice(collection.lastIndexOf("/") + 1)}/${object.metadata.name}`;
    try {
      await remove(client, collection, object, signal);
      removed.push(name);
    } catch (error) {
      // One of a version that was served long ago, perhaps. The rest goes.
      if (!APIError.is(error, "Forbidden")) throw error;
      log.error({ problem: error.message, remedy: `kubectl delete ${name}` }, "what is this server's may not be removed by it");
      refusal ??= error;
    }
  }
  if (refusal !== undefined) throw refusal;
  return removed;
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

/** This very object: another one of the same name may be somebody else's. */
async function remove(client: ClusterClient, collection: string, { metadata }: KubernetesObject, signal: AbortSignal): Promise<void> {
  const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid: metadata.uid } };
  try {
    await client.request({ method: "DELETE", path: `${collection}/${metadata.name}`, body }, signal);
  } catch (error) {
    if (!APIError.is(error, "NotFound")) throw error;
  }
}
