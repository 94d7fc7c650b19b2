import type { KubernetesObject } from "@annex/apimachinery";
import { fromStorageVersion, type Resource, versionOf } from "../definition/resource.ts";
import { encodeObject } from "../object-json.ts";
import type { ObjectView } from "../object-view.ts";

/** A view of an object that no cache holds: of a dry run, of an author's handler, of something that is told once. */
export class ValueView implements ObjectView {
  readonly object: KubernetesObject;
  readonly isStale: boolean = false;
  readonly #resource: Resource;

  /** @param object in the storage version. */
  constructor(resource: Resource, object: KubernetesObject) {
    this.#resource = resource;
    this.object = object;
  }

  get namespace(): string {
    return this.object.metadata.namespace ?? "";
  }

  get name(): string {
    return this.object.metadata.name ?? "";
  }

  get resourceVersion(): string {
    return this.object.metadata.resourceVersion ?? "";
  }

  in(name: string): KubernetesObject {
    const version = versionOf(this.#resource, name);
    if (version === undefined) throw new Error(`${this.#resource.kind} has no version ${name}`);
    return fromStorageVersion(this.#resource, this.object, version);
  }

  bytes(version: string): Uint8Array {
    return encodeObject(this.in(version), this.#resource.isCustomResource);
  }
}
