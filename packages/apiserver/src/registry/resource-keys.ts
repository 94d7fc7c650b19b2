import type { GroupResource, KubernetesObject, ObjectName } from "@annex/apimachinery";
import type { Resource } from "../definition/resource.ts";
import type { StorageKey } from "../storage/index.ts";
import { keySegment } from "../watch-cache/key-segment.ts";

/** The prefix of a resource's keys. */
export function keyPrefix({ group, resource }: GroupResource): string {
  return `/${group === "" ? "core" : group}/${resource}/`;
}

/** Where the objects of a resource lie. The one place where a text becomes a key. */
export class ResourceKeys {
  readonly #prefix: string;
  readonly #isNamespaced: boolean;

  constructor(resource: Resource) {
    this.#prefix = keyPrefix(resource);
    this.#isNamespaced = resource.isNamespaced;
  }

  /** @param namespace `""` for all of the resource. */
  prefixOf(namespace: string): string {
    return namespace === "" ? this.#prefix : `${this.#prefix}${keySegment(namespace)}/`;
  }

  keyOf({ namespace, name }: ObjectName): StorageKey {
    return ((this.#isNamespaced ? this.prefixOf(namespace) : this.#prefix) + keySegment(name)) as StorageKey;
  }
}

export function nameOf({ metadata }: KubernetesObject): ObjectName {
  return { namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
}
