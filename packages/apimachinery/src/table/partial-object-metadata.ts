import { inFieldOrder, type KubernetesObject, type ObjectMeta } from "../meta/index.ts";

/** The versions of meta.k8s.io in which Tables and partial metadata are served; they differ in nothing but the name. */
export type MetaVersion = "v1" | "v1beta1";

/** The metadata of a list, of a Table, and of an object that a Table is made of alone. Source: meta/v1 ListMeta. */
export interface ListMeta {
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** An object without all but its metadata. Source: meta/v1 PartialObjectMetadata. */
export interface PartialObjectMetadata {
  readonly kind: "PartialObjectMetadata";
  readonly apiVersion: `meta.k8s.io/${MetaVersion}`;
  readonly metadata: ObjectMeta;
}

export interface PartialObjectMetadataList {
  readonly kind: "PartialObjectMetadataList";
  readonly apiVersion: `meta.k8s.io/${MetaVersion}`;
  readonly metadata: ListMeta;
  readonly items: readonly PartialObjectMetadata[];
}

/** An object's metadata alone: what `as=PartialObjectMetadata` in the Accept header asks for. Its fields are in the order of Go's struct. */
export function partialObjectMetadata(object: Pick<KubernetesObject, "metadata">, version: MetaVersion): PartialObjectMetadata {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata: inFieldOrder(object.metadata) };
}

/**
 * The metadata of a list's items: what `as=PartialObjectMetadataList` asks for.
 *
 * @param listMeta of the list itself.
 */
export function partialObjectMetadataList(
  objects: Iterable<Pick<KubernetesObject, "metadata">>,
  listMeta: ListMeta,
  version: MetaVersion,
): PartialObjectMetadataList {
  const items: PartialObjectMetadata[] = [];
  for (const object of objects) items.push(partialObjectMetadata(object, version));
  return { kind: "PartialObjectMetadataList", apiVersion: `meta.k8s.io/${version}`, metadata: listMeta, items };
}
