import { compareVersionPriority, formatAPIVersion } from "@annex/apimachinery";
import { type Resource, versionOf } from "../../definition/resource.ts";
import { type ServedResource, verbNames } from "../served-resource.ts";
import { sha256 } from "./sha256.ts";

/** What is served of one group. */
export interface ServedGroup {
  readonly name: string;
  /** The preferred one first. */
  readonly versions: readonly ServedGroupVersion[];
}

export interface ServedGroupVersion {
  readonly group: string;
  readonly version: string;
  /** `group/version`, or the version alone in the core group. */
  readonly groupVersion: string;
  /** By name. */
  readonly resources: readonly ServedResource[];
}

/**
 * Groups as they are listed: in the order in which their first resource was given (kubectl takes the first group when a short name is ambiguous);
 * their versions by priority.
 */
export function servedGroups(served: readonly ServedResource[]): ServedGroup[] {
  const byGroup = new Map<string, ServedResource[]>();
  for (const entry of served) {
    const { group } = entry.resource;
    byGroup.set(group, [...(byGroup.get(group) ?? []), entry]);
  }
  return [...byGroup].map(([name, resources]) => {
    const versions = new Set(resources.flatMap(({ resource }) => resource.versions.map((version) => version.name)));
    return { name, versions: [...versions].sort(compareVersionPriority).map((version) => groupVersion(name, version, resources)) };
  });
}

function groupVersion(group: string, version: string, resources: readonly ServedResource[]): ServedGroupVersion {
  return {
    group,
    version,
    groupVersion: formatAPIVersion(group, version),
    resources: resources
      .filter(({ resource }) => versionOf(resource, version) !== undefined)
      .sort((left, right) => (left.resource.resource < right.resource.resource ? -1 : 1)),
  };
}

/** The verbs of the `status` subresource, sorted; none where there is no such subresource. */
export function statusVerbNames({ resource, verbs }: ServedResource): string[] {
  if (!resource.hasStatus) return [];
  return [...(verbs.get === undefined ? [] : ["get"]), ...(verbs.update === undefined ? [] : ["patch", "update"])];
}

/**
 * `/api`. Like kube-apiserver it says no apiVersion.
 *
 * @param serverAddress `host:port` under which clients reach the server, if that is known.
 */
export function apiVersions(core: ServedGroup, serverAddress: string | undefined) {
  return {
    kind: "APIVersions",
    versions: core.versions.map(({ version }) => version),
    serverAddressByClientCIDRs: serverAddress === undefined ? [] : [{ clientCIDR: "0.0.0.0/0", serverAddress }],
  };
}

/** `/apis`. */
export function apiGroupList(groups: readonly ServedGroup[]) {
  return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map(groupEntry) };
}

/** `/apis/GROUP`. */
export function apiGroup(group: ServedGroup) {
  return { kind: "APIGroup", apiVersion: "v1", ...groupEntry(group) };
}

function groupEntry({ name, versions }: ServedGroup) {
  const entries = versions.map(({ groupVersion, version }) => ({ groupVersion, version }));
  return { name, versions: entries, preferredVersion: entries[0] };
}

/** `/api/v1` and `/apis/GROUP/VERSION`. A kind whose objects are not kept in the server's storage has no storage version. */
export function apiResourceList({ groupVersion, resources }: ServedGroupVersion) {
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion,
    resources: resources.flatMap((served) => {
      const { resource } = served;
      const namespaced = resource.isNamespaced;
      const statusVerbs = statusVerbNames(served);
      const main = {
        name: resource.resource,
        singularName: resource.singular,
        namespaced,
        kind: resource.kind,
        verbs: verbNames(served),
        ...names(resource),
        ...(resource.handlers === undefined ? { storageVersionHash: storageVersionHash(resource) } : {}),
      };
      const status = { name: `${resource.resource}/status`, singularName: "", namespaced, kind: resource.kind, verbs: statusVerbs };
      const others = resource.updateSubresources.map((subresource) => ({
        ...status,
        name: `${resource.resource}/${subresource}`,
        verbs: ["update"],
      }));
      return [main, ...(statusVerbs.length === 0 ? [] : [status]), ...others].sort((a, b) => (a.name < b.name ? -1 : 1));
    }),
  };
}

/** The aggregated document of `/api` and `/apis`. Source: apidiscovery.k8s.io/v2; KEP-3352. */
export function apiGroupDiscoveryList(groups: readonly ServedGroup[]) {
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: groups.map((group) => ({
      metadata: group.name === "" ? {} : { name: group.name },
      versions: group.versions.map(({ version, resources }) => ({ version, resources: resources.map(resourceDiscovery), freshness: "Current" })),
    })),
  };
}

function resourceDiscovery(served: ServedResource) {
  const { resource } = served;
  const statusVerbs = statusVerbNames(served);
  // Group and version of a responseKind are empty where they are those of the resource itself.
  const responseKind = { group: "", version: "", kind: resource.kind };
  const subresources = [
    ...(statusVerbs.length === 0 ? [] : [{ subresource: "status", responseKind, verbs: statusVerbs }]),
    ...resource.updateSubresources.map((subresource) => ({ subresource, responseKind, verbs: ["update"] })),
  ].sort((a, b) => (a.subresource < b.subresource ? -1 : 1));
  return {
    resource: resource.resource,
    responseKind,
    scope: resource.isNamespaced ? "Namespaced" : "Cluster",
    singularResource: resource.singular,
    verbs: verbNames(served),
    ...names(resource),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

function names({ shortNames, categories }: Resource) {
  return { ...(shortNames.length === 0 ? {} : { shortNames }), ...(categories.length === 0 ? {} : { categories }) };
}

/** Changes when the storage version does, for tools that migrate stored objects. Source: k8s.io/apiserver/pkg/endpoints/discovery, StorageVersionHash. */
function storageVersionHash({ group, kind, storageVersion }: Resource): string {
  const digest = sha256(new TextEncoder().encode(`${group}/${storageVersion.name}/${kind}`));
  return btoa(String.fromCharCode(...digest.subarray(0, 8)));
}
