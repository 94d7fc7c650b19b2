import { type Resource, resourceOf } from "@annex/apiserver";
import { type CRDFile, CRDFileError } from "./read-crd-files.ts";

/**
 * Makes kinds of CustomResourceDefinitions, next to those that the server has anyway.
 *
 * @param own the kinds whose names are taken.
 * @throws {CRDFileError} with a line for each name that is in use.
 */
export function customResources(files: readonly CRDFile[], own: readonly Resource[]): readonly Resource[] {
  const names = new TakenNames();
  for (const resource of own) names.take(resource, []);
  const faults: string[] = [];
  const resources: Resource[] = [];
  for (const { place, crd } of files) {
    const resource = resourceOf(crd);
    const conflicts: string[] = [];
    names.take(resource, conflicts);
    faults.push(...conflicts.map((conflict) => `${place}: ${conflict}`));
    resources.push(resource);
  }
  if (faults.length > 0) throw new CRDFileError(faults.join("\n"));
  return resources;
}

/** Within a group the names of resources are one space, those of kinds another. Source: apiextensions-apiserver pkg/controller/status, calculateNamesAndConditions. */
class TakenNames {
  readonly #taken = new Set<string>();

  /** @param conflicts a sentence is added for each name that was taken. */
  take({ group, resource, singular, shortNames, kind, listKind }: Resource, conflicts: string[]): void {
    const spaces = [
      {
        space: "resource",
        names: { plural: resource, singular, ...Object.fromEntries(shortNames.map((name, index) => [`shortNames[${index}]`, name])) },
      },
      { space: "kind", names: { kind, listKind } },
    ];
    for (const { space, names } of spaces) {
      const wanted = Object.entries(names);
      for (const [field, name] of wanted) {
        if (this.#taken.has(`${group}/${space}/${name}`))
          conflicts.push(`spec.names.${field}: Invalid value: ${JSON.stringify(name)}: is already in use`);
      }
      for (const [, name] of wanted) this.#taken.add(`${group}/${space}/${name}`);
    }
  }
}
