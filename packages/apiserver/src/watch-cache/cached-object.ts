import type { KubernetesObject } from "@annex/apimachinery";
import { fromStorageVersion, versionOf } from "../definition/resource.ts";
import type { ObjectView } from "../object-view.ts";
import type { Revision, StorageKey } from "../storage/index.ts";
import { textOfKeySegment } from "./key-segment.ts";
import type { ObjectCodec, StoredObject } from "./object-codec.ts";

/** An object at a revision: its JSON in the storage version, and whatever was made of it since, kept for the next who asks. */
export class CachedObject implements ObjectView {
  readonly key: StorageKey;
  readonly namespace: string;
  readonly name: string;
  readonly revision: Revision;
  readonly #codec: ObjectCodec;
  readonly #bytes: Uint8Array;
  /** The apiVersion in which it lies in storage. */
  readonly storedVersion: string;
  readonly isStale: boolean;
  /** JSON in other versions; undefined until one was asked for. */
  #converted: Map<string, Uint8Array> | undefined;
  /** The decoded object while something else still holds it: lists with selectors look at the same objects again and again. */
  #decoded: WeakRef<KubernetesObject> | undefined;
  #labels: Readonly<Record<string, string>> | undefined;

  /** @param stored with the resourceVersion in its JSON. */
  private constructor(codec: ObjectCodec, key: StorageKey, { bytes, apiVersion, isStale }: StoredObject, revision: Revision) {
    const slash = key.lastIndexOf("/");
    this.#codec = codec;
    this.key = key;
    this.name = textOfKeySegment(key.slice(slash + 1));
    this.namespace = codec.resource.isNamespaced ? textOfKeySegment(key.slice(key.lastIndexOf("/", slash - 1) + 1, slash)) : "";
    this.revision = revision;
    this.#bytes = bytes;
    this.storedVersion = apiVersion;
    this.isStale = isStale;
  }

  /** @param stored the value as it lies in storage. */
  static fromStored(codec: ObjectCodec, key: StorageKey, stored: Uint8Array, revision: Revision): CachedObject {
    return new CachedObject(codec, key, codec.fromStored(stored, String(revision)), revision);
  }

  /** The same object with another resourceVersion. */
  at(revision: Revision): CachedObject {
    const bytes = this.#codec.restamp(this.#bytes, this.resourceVersion, String(revision));
    return new CachedObject(this.#codec, this.key, { bytes, apiVersion: this.storedVersion, isStale: this.isStale }, revision);
  }

  get resourceVersion(): string {
    return String(this.revision);
  }

  /** Of its JSON in the storage version, in bytes. */
  get size(): number {
    return this.#bytes.length;
  }

  get object(): KubernetesObject {
    const known = this.#decoded?.deref();
    if (known !== undefined) return known;
    const object = this.#codec.decode(this.#bytes);
    this.#decoded = new WeakRef(object);
    return object;
  }

  /** The object's labels, kept once they were asked for: every list with a selector needs those of every object. */
  get labels(): Readonly<Record<string, string>> {
    this.#labels ??= this.object.metadata.labels ?? NO_LABELS;
    return this.#labels;
  }

  in(version: string): KubernetesObject {
    const { resource } = this.#codec;
    if (version === resource.storageVersion.name) return this.object;
    return fromStorageVersion(resource, this.object, this.#version(version));
  }

  bytes(version: string): Uint8Array {
    if (version === this.#codec.resource.storageVersion.name) return this.#bytes;
    const known = this.#converted?.get(version);
    if (known !== undefined) return known;
    const bytes = this.#codec.encode(this.in(version), this.#version(version));
    this.#converted ??= new Map();
    this.#converted.set(version, bytes);
    return bytes;
  }

  #version(name: string) {
    const version = versionOf(this.#codec.resource, name);
    if (version === undefined) throw new Error(`${this.#codec.resource.kind} has no version ${name}`);
    return version;
  }
}

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({});
