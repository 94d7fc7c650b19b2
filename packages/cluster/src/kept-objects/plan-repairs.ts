import type { KubernetesObject } from "@annex/apimachinery";
import { isOwnedBy, marksOf, type ServiceName } from "../ownership/index.ts";

/** What has to be done to one object. */
export type Repair<Kept extends KubernetesObject> =
  | { readonly verb: "create"; readonly object: Kept }
  /** The whole object at the resourceVersion that was seen, and which fields differ. */
  | { readonly verb: "update"; readonly object: Kept; readonly fields: readonly string[] }
  | { readonly verb: "delete"; readonly object: Kept };

/** When an object is as it is to be, beside its labels. */
export interface Comparison<Kept extends KubernetesObject> {
  /** @returns the fields that differ, for people. */
  readonly differences: (wanted: Kept, found: Kept) => readonly string[];
  /** @returns the one that is wanted, with what it leaves to others as it was found. */
  readonly merge: (wanted: Kept, found: Kept) => Kept;
}

/**
 * Compares what is there with what is to be there. Depends on nothing else, and once it was carried out there is nothing left. What is not ours is not touched; of ours, those that are
 * not wanted any more are removed.
 *
 * @param present all objects of the collection, by name.
 */
export function planRepairs<Kept extends KubernetesObject>(
  wanted: readonly Kept[],
  present: ReadonlyMap<string, Kept>,
  service: ServiceName,
  comparison: Comparison<Kept>,
): readonly Repair<Kept>[] {
  const names = new Set(wanted.map(nameOf));
  const surplus = [...present.values()].filter((object) => !names.has(nameOf(object)) && isOwnedBy(object, service));
  return [
    ...wanted.flatMap((object): readonly Repair<Kept>[] => {
      const found = present.get(nameOf(object));
      return found === undefined ? [{ verb: "create", object }] : repair(object, found, service, comparison);
    }),
    ...surplus.filter(isNotGoing).map((object): Repair<Kept> => ({ verb: "delete", object })),
  ];
}

function repair<Kept extends KubernetesObject>(
  wanted: Kept,
  found: Kept,
  service: ServiceName,
  { differences, merge }: Comparison<Kept>,
): readonly Repair<Kept>[] {
  // One that is being deleted comes again when it is gone.
  if (!isOwnedBy(found, service) || !isNotGoing(found)) return [];
  const marks = Object.entries(wanted.metadata.labels ?? {});
  const fields = [...differences(wanted, found), ...(marks.every(([label, value]) => found.metadata.labels?.[label] === value) ? [] : ["labels"])];
  if (fields.length === 0) return [];
  return [{ verb: "update", object: { ...merge(wanted, found), metadata: { ...found.metadata, ...marksOf(service, found.metadata) } }, fields }];
}

const isNotGoing = ({ metadata }: KubernetesObject): boolean => metadata.deletionTimestamp === undefined;
export const nameOf = ({ metadata }: KubernetesObject): string => metadata.name ?? "";
