import { randomBytes } from "node:crypto";
import { APIError, escapeFieldValue, type JSONValue } from "@annex/apimachinery";
import { OperatorError } from "@annex/apiserver";
import { missingKeyMessage, PRIVATE_KEY_BYTES } from "@annex/apiserver-node";
import type { ClusterClient } from "../client/index.ts";

/** A key that all replicas share is not what it should be. */
export class PrivateKeyError extends OperatorError {
  override readonly name = "PrivateKeyError";
}

export interface SecretPlace {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Finds or makes a key of 32 random bytes in an immutable Secret (`data.key`), the same for all replicas: whoever is first makes it. Whoever loses it loses what was signed
 * with it, so it is never overwritten, and not made anew beside what was signed.
 *
 * @param signedType of Secrets that are there and were signed with it; undefined when there are none.
 * @throws {PrivateKeyError} when the Secret holds something else, may not be read or made, or is missing where something was signed with it.
 * @throws {ClusterUnavailableError} when the cluster cannot be asked.
 */
export async function sharedPrivateKey(
  client: ClusterClient,
  place: SecretPlace,
  signedType: () => Promise<string | undefined>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const collection = `/api/v1/namespaces/${place.namespace}/secrets`;
  try {
    const present = await readKey(client, place, signal);
    if (present !== undefined) return present;
    const type = await signedType();
    if (type !== undefined) return await keyOfOther(client, place, type, signal);
    const data = { key: randomBytes(PRIVATE_KEY_BYTES).toString("base64") };
    const body = { apiVersion: "v1", kind: "Secret", metadata: { name: place.name }, type: "Opaque", immutable: true, data };
    try {
      await client.request({ method: "POST", path: collection, body }, signal);
    } catch (error) {
      // Another replica was faster: its key counts.
      if (!APIError.is(error, "AlreadyExists")) throw error;
    }
    const made = await readKey(client, place, signal);
    if (made === undefined) throw new PrivateKeyError(`the Secret ${place.namespace}/${place.name} was removed while it was being made`);
    return made;
  } catch (error) {
    if (!APIError.is(error)) throw error;
    throw new PrivateKeyError(`the key in the Secret ${place.namespace}/${place.name} cannot be had: ${error.message}`, { cause: error });
  }
}

/** The key that another replica has made, and signed with, since it was looked for. */
async function keyOfOther(client: ClusterClient, place: SecretPlace, type: string, signal: AbortSignal): Promise<Uint8Array> {
  const { namespace, name } = place;
  const how = `head -c ${PRIVATE_KEY_BYTES} /dev/urandom > key; kubectl --namespace=${namespace} create secret generic ${name} --from-file=key`;
  const key = await readKey(client, place, signal);
  if (key === undefined) throw new PrivateKeyError(missingKeyMessage(`the Secret ${namespace}/${name}`, type, how));
  return key;
}

/** Of some types of Secrets, one that the cluster has any of. */
export async function clusterSecretType(client: ClusterClient, types: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  for (const type of types) {
    const query = { fieldSelector: `type=${escapeFieldValue(type)}`, limit: "1" };
    const { items } = (await client.request({ method: "GET", path: "/api/v1/secrets", query }, signal)) as { readonly items?: readonly unknown[] };
    if ((items ?? []).length > 0) return type;
  }
  return undefined;
}

/** @returns undefined when there is no such Secret. */
async function readKey(client: ClusterClient, { namespace, name }: SecretPlace, signal: AbortSignal): Promise<Uint8Array | undefined> {
  let secret: JSONValue;
  try {
    secret = await client.request({ method: "GET", path: `/api/v1/namespaces/${namespace}/secrets/${name}` }, signal);
  } catch (error) {
    if (APIError.is(error, "NotFound")) return undefined;
    throw error;
  }
  const { data } = secret as { readonly data?: { readonly key?: string } };
  const key = Buffer.from(data?.key ?? "", "base64");
  if (key.length !== PRIVATE_KEY_BYTES)
    throw new PrivateKeyError(
      `the Secret ${namespace}/${name} holds no key of ${PRIVATE_KEY_BYTES} bytes: restore it, or delete it and give up what was signed with it`,
    );
  return key;
}
