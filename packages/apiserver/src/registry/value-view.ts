import type { KubernetesObject } from "@annex/apimachinery";
import { fromStorageVersion, type Resource, versionOf } from "../definition/resource.ts";
import { encodeObject } from "../object-json.ts";
import type { ObjectView } from "../object-view.ts";

/** A view of an object that no cache holds: of a dry run, of an author's handler, of something that is told once. */
export class ValueView implements ObjectView {
  readonly object: KubernetesObject;
  readonly isStale: boolean = false;
  readonly #resource: Resource;
  readonly #written: WrittenObject | undefined;

  /**
   * @param object in the storage version.
   * @param written the same in another version, where it never was in the storage version: of what that would lose nothing is lost then.
   */
  constructor(resource: Resource, object: KubernetesObject, written?: WrittenObject) {
    this.#resource = resource;
    this.#written = written;
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
    if (this.#written?.version === name) return this.#written.object;
    const version = versionOf(this.#resource, name);
    if (version === undefined) throw new Error(`${this.#resource.kind} has no version ${name}`);
    return fromStorageVersion(this.#resource, this.object, version);
  }

  bytes(version: string): Uint8Array {
    return encodeObject(this.in(version), this.#resource.isCustomResource);
  }
}

export interface WrittenObject {
  readonly version: string;
  readonly object: KubernetesObject;
}
