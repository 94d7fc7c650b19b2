import { decodeJSON, type JSONObject, type KubernetesObject } from "@annex/apimachinery";
import { type Resource, type ResourceVersion, toStorageVersion } from "../definition/resource.ts";
import { bodyText, typeMetaText } from "../object-json.ts";

/**
 * How an object lies in storage and in memory.
 *
 * Both forms are JSON that begins with the same text for every object of a version: `{"kind":K,"apiVersion":V,"metadata":{`. The resourceVersion, which
 * storage does not keep inside the object, is spliced in behind it, so that a read needs no parsing. In storage a line `SCHEMA-HASH\n` stands before it: a value of
 * another hash was written by another definition and is brought up to date on its way into the cache.
 */
export interface ObjectCodec {
  readonly resource: Resource;
  encodeStored(object: KubernetesObject): Uint8Array;
  fromStored(stored: Uint8Array, resourceVersion: string): StoredObject;
  /** The JSON to serve in the storage version, with another resourceVersion. */
  restamp(bytes: Uint8Array, from: string, to: string): Uint8Array;
  /** The JSON to serve in any version. */
  encode(object: KubernetesObject, version: ResourceVersion): Uint8Array;
  decode(bytes: Uint8Array): KubernetesObject;
}

/** A value of storage, and how it lies there. */
export interface StoredObject {
  /** The JSON to serve in the storage version. */
  readonly bytes: Uint8Array;
  /** The apiVersion in which it was written. */
  readonly apiVersion: string;
  /** Whether the same object would be written otherwise now: in another version, or with other fields. A schema that changed without that makes nothing stale. */
  readonly isStale: boolean;
}

const encoder = new TextEncoder();
const NEWLINE = 0x0a;

/** Brings an object that another definition wrote up to the present one: storage version, unknown fields, defaults. */
export type Upgrade = (object: KubernetesObject) => KubernetesObject;

/** @param schemaHash names the storage version's schema; printable ASCII without a newline, at most 64 characters. */
export function objectCodec(resource: Resource, schemaHash: string, upgrade: Upgrade): ObjectCodec {
  const headText = (version: ResourceVersion) => `${typeMetaText(resource.kind, version.apiVersion)}"metadata":{`;
  const heads = new Map(resource.definedVersions.map((version) => [version, headText(version)]));
  const { storageVersion } = resource;
  const storedHead = encoder.encode(`${schemaHash}\n${headText(storageVersion)}`);
  const hashLength = schemaHash.length + 1;
  const headLength = storedHead.length - hashLength;

  function encode(object: KubernetesObject, version: ResourceVersion): Uint8Array {
    return encoder.encode(heads.get(version) + bodyText(object, object.metadata, resource.isCustomResource));
  }

  function decode(bytes: Uint8Array): KubernetesObject {
    const object = decodeObject(bytes);
    const version =
      storageVersion.apiVersion === object.apiVersion
        ? storageVersion
        : resource.definedVersions.find(({ apiVersion }) => apiVersion === object.apiVersion);
    return (version?.numbers?.plain(object as unknown as JSONObject) as KubernetesObject | undefined) ?? object;
  }

  /** A value that another definition wrote. */
  function fromOther(body: Uint8Array, resourceVersion: string): StoredObject {
    const object = decode(body);
    const present = upgrade(object);
    const bytes = encode({ ...present, metadata: { ...present.metadata, resourceVersion } }, storageVersion);
    // One string for all objects of a version.
    const apiVersion = resource.definedVersions.find((version) => version.apiVersion === object.apiVersion)?.apiVersion ?? object.apiVersion;
    const isSame = apiVersion === storageVersion.apiVersion && bytesEqual(bytes, spliced(body, headLength, headLength, resourceVersion));
    return { bytes, apiVersion, isStale: !isSame };
  }

  return {
    resource,
    encode,
    encodeStored(object) {
      const { resourceVersion: _resourceVersion, ...metadata } = object.metadata;
      return encoder.encode(`${schemaHash}\n${heads.get(resource.storageVersion)}${bodyText(object, metadata, resource.isCustomResource)}`);
    },
    fromStored(stored, resourceVersion) {
      if (!startsWith(stored, storedHead)) return fromOther(bodyOf(stored), resourceVersion);
      const bytes = spliced(stored.subarray(hashLength), headLength, headLength, resourceVersion);
      return { bytes, apiVersion: storageVersion.apiVersion, isStale: false };
    },
    restamp(bytes, from, to) {
      return spliced(bytes, headLength, headLength + `"resourceVersion":"${from}",`.length, to);
    },
    decode,
  };
}

/** The bytes with what lies between two places replaced by a resourceVersion. */
function spliced(bytes: Uint8Array, from: number, to: number, resourceVersion: string): Uint8Array {
  const text = `"resourceVersion":"${resourceVersion}",`;
  const result = new Uint8Array(bytes.length - (to - from) + text.length);
  result.set(bytes.subarray(0, from));
  encoder.encodeInto(text, result.subarray(from));
  result.set(bytes.subarray(to), from + text.length);
  return result;
}

/** The object in a value of storage as it was written: in its version of then, without a resourceVersion. */
export function decodeStored(stored: Uint8Array): KubernetesObject {
  return decodeObject(bodyOf(stored));
}

function bodyOf(stored: Uint8Array): Uint8Array {
  return stored.subarray(stored.indexOf(NEWLINE) + 1);
}

function decodeObject(bytes: Uint8Array): KubernetesObject {
  // Our own writing: its shape was checked before it was stored.
  return decodeJSON(bytes) as unknown as KubernetesObject;
}

function bytesEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && startsWith(left, right);
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  if (bytes.length < head.length) return false;
  for (let index = 0; index < head.length; index++) if (bytes[index] !== head[index]) return false;
  return true;
}

/** Reads what version an object of storage is in, and converts it to the present storage version where that is another one. */
export function toPresentVersion(resource: Resource, object: KubernetesObject): KubernetesObject {
  if (object.apiVersion === resource.storageVersion.apiVersion) return object;
  const version = resource.definedVersions.find((candidate) => candidate.apiVersion === object.apiVersion);
  if (version === undefined) {
    const { namespace, name } = object.metadata;
    const where = namespace === undefined ? `${name}` : `${namespace}/${name}`;
    throw new Error(
      `stored ${resource.kind} ${where} has the version ${object.apiVersion}, which is not defined any more: define it again until every object was written anew`,
    );
  }
  return toStorageVersion(resource, object, version);
}
