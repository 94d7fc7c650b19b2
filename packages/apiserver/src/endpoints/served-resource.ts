import type { Resource, ResourceServices, ResourceVersion } from "../definition/resource.ts";
import type { ResourceVerbs } from "../registry/verbs.ts";

/** What lies below the objects of one version of a kind: their `status`, `finalize`, or a subresource with a kind of its own. */
export interface ServedSubresource {
  readonly name: string;
  /** The kind of its objects: the parent's own, or another. */
  readonly resource: Resource;
  readonly version: ResourceVersion;
  readonly verbs: ResourceVerbs;
  /** As discovery names them, sorted; never empty. */
  readonly verbNames: readonly string[];
}

/** A kind and what it can do: what discovery, OpenAPI and the router are made of. */
export interface ServedResource {
  readonly resource: Resource;
  readonly verbs: ResourceVerbs;
  /** By the name of the parent's version, and sorted by their own. */
  readonly subresources: ReadonlyMap<string, readonly ServedSubresource[]>;
}

/**
 * Puts together what is served of a kind.
 *
 * @param verbs everything that can be done with its objects. What the definition does not want served is left out, but for its own subresources,
 *   which stand on them: as in Kubernetes a kind may be scaled that may not be updated.
 */
export function servedResource(resource: Resource, verbs: ResourceVerbs, services: ResourceServices): ServedResource {
  const served = withoutUnserved(resource, verbs);
  const subresources = resource.versions.map((version) => {
    const all = [...ofTheSameKind(resource, version, served), ...ofOtherKinds(resource, version, verbs, services)];
    const present = all.filter(({ verbNames }) => verbNames.length > 0);
    // Of custom resources status comes first.
    const last = (name: string) => Number(resource.isCustomResource && name !== "status");
    return [version.name, present.sort((a, b) => last(a.name) - last(b.name) || (a.name < b.name ? -1 : 1))] as const;
  });
  return { resource, verbs: served, subresources: new Map(subresources) };
}

function withoutUnserved({ withoutVerbs }: Resource, verbs: ResourceVerbs): ResourceVerbs {
  if (withoutVerbs.length === 0) return verbs;
  // `as`: the names are those of the interface.
  return Object.fromEntries(Object.entries(verbs).filter(([name]) => !withoutVerbs.includes(name as keyof ResourceVerbs)));
}

/** `status`, and those that only take a PUT. */
function ofTheSameKind(resource: Resource, version: ResourceVersion, { get, update }: ResourceVerbs): ServedSubresource[] {
  const subresources: ServedSubresource[] = [];
  if (version.hasStatus) {
    const verbs = { ...(get === undefined ? {} : { get }), ...(update === undefined ? {} : { update }) };
    subresources.push({ name: "status", resource, version, verbs, verbNames: verbNames({ verbs }) });
  }
  if (update !== undefined) {
    for (const name of resource.updateSubresources) subresources.push({ name, resource, version, verbs: { update }, verbNames: ["update"] });
  }
  return subresources;
}

function ofOtherKinds(parent: Resource, parentVersion: ResourceVersion, verbs: ResourceVerbs, services: ResourceServices): ServedSubresource[] {
  return [...parent.subresources].map(([name, subresource]) => {
    const own = subresource.verbs(parent, verbs, services, parentVersion);
    return { name, resource: subresource.kind, version: subresource.kind.storageVersion, verbs: own, verbNames: verbNames({ verbs: own }) };
  });
}

/** The verbs of custom resources in discovery. Source: apiextensions-apiserver pkg/apiserver, discoveryController. */
const CUSTOM_RESOURCE_ORDER = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

/** The verbs as discovery names them: sorted, but for custom resources. */
export function verbNames({ verbs, resource }: Pick<ServedResource, "verbs"> & Partial<Pick<ServedResource, "resource">>): string[] {
  const names: string[] = [];
  if (verbs.create !== undefined) names.push("create");
  if (verbs.delete !== undefined) names.push("delete");
  if (verbs.deleteCollection !== undefined) names.push("deletecollection");
  if (verbs.get !== undefined) names.push("get");
  if (verbs.list !== undefined) names.push("list");
  if (verbs.update !== undefined) names.push("patch", "update");
  if (verbs.watch !== undefined) names.push("watch");
  return resource?.isCustomResource === true ? CUSTOM_RESOURCE_ORDER.filter((name) => names.includes(name)) : names;
}
