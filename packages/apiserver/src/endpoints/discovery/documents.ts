import { formatAPIVersion } from "@annex/apimachinery";
import { type Resource, versionOf, versionOrder } from "../../definition/resource.ts";
import { type ServedResource, type ServedSubresource, verbNames } from "../served-resource.ts";
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
 * their versions by priority, behind the one that its kinds prefer.
 *
 * @throws {TypeError} when kinds of a group prefer different versions.
 */
export function servedGroups(served: readonly ServedResource[]): ServedGroup[] {
  const byGroup = new Map<string, ServedResource[]>();
  for (const entry of served) {
    const { group } = entry.resource;
    byGroup.set(group, [...(byGroup.get(group) ?? []), entry]);
  }
  const groups = [...byGroup].map(([name, resources]) => {
    const versions = new Set(resources.flatMap(({ resource }) => resource.versions.map((version) => version.name)));
    return {
      name,
      versions: [...versions].sort(versionOrder(preferredOf(name, resources))).map((version) => groupVersion(name, version, resources)),
    };
  });
  // Of a definition file no version need be served.
  return groups.filter(({ versions }) => versions.length > 0);
}

/** The version that the kinds of a group prefer, as far as they say. */
function preferredOf(group: string, served: readonly ServedResource[]): string | undefined {
  const [first, ...others] = served.map(({ resource }) => resource).filter(({ preferredVersion }) => preferredVersion !== undefined);
  for (const { kind, preferredVersion } of others) {
    if (preferredVersion === first?.preferredVersion) continue;
    throw new TypeError(
      `${group === "" ? "the core group" : group}: ${first?.kind} prefers ${first?.preferredVersion}, ${kind} prefers ${preferredVersion}; a group has one preferred version`,
    );
  }
  return first?.preferredVersion;
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

/** `/api/v1`, which says no apiVersion either, and `/apis/GROUP/VERSION`. A kind whose objects are not kept in the server's storage has no storage version. */
export function apiResourceList({ group, version, groupVersion, resources }: ServedGroupVersion) {
  return {
    kind: "APIResourceList",
    ...(group === "" ? {} : { apiVersion: "v1" }),
    groupVersion,
    resources: resources.flatMap((served) => {
      const { resource } = served;
      const namespaced = resource.isNamespaced;
      const main = {
        name: resource.resource,
        singularName: resource.singular,
        namespaced,
        kind: resource.kind,
        verbs: verbNames(served),
        ...names(resource),
        ...(resource.handlers === undefined ? { storageVersionHash: storageVersionHash(resource) } : {}),
      };
      const below = (served.subresources.get(version) ?? []).map((subresource) => ({
        name: `${resource.resource}/${subresource.name}`,
        singularName: "",
        namespaced,
        ...otherGroupVersion(subresource, group, version),
        kind: subresource.resource.kind,
        verbs: subresource.verbNames,
      }));
      return [main, ...below];
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
      versions: group.versions.map(({ version, resources }) => ({
        version,
        resources: resources.map((served) => resourceDiscovery(served, version)),
        freshness: "Current",
      })),
    })),
  };
}

function resourceDiscovery(served: ServedResource, version: string) {
  const { resource } = served;
  const own = resource.isCustomResource ? { group: resource.group, version } : SAME_GROUP_VERSION;
  const subresources = (served.subresources.get(version) ?? []).map((subresource) => ({
    subresource: subresource.name,
    responseKind: { ...own, ...otherGroupVersion(subresource, resource.group, version), kind: subresource.resource.kind },
    verbs: subresource.verbNames,
  }));
  return {
    resource: resource.resource,
    responseKind: { ...own, kind: resource.kind },
    scope: resource.isNamespaced ? "Namespaced" : "Cluster",
    singularResource: resource.singular,
    verbs: verbNames(served),
    ...names(resource),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

/** Group and version of a kind are said where they are not those of the path, and of custom resources always. */
const SAME_GROUP_VERSION = { group: "", version: "" };

function otherGroupVersion({ resource: { group }, version: { name } }: ServedSubresource, parentGroup: string, parentVersion: string) {
  return group === parentGroup && name === parentVersion ? {} : { group, version: name };
}

function names({ shortNames, categories }: Resource) {
  return { ...(shortNames.length === 0 ? {} : { shortNames }), ...(categories.length === 0 ? {} : { categories }) };
}

/** Changes when the storage version does, for tools that migrate stored objects. Source: k8s.io/apiserver/pkg/endpoints/discovery, StorageVersionHash. */
function storageVersionHash({ group, kind, storageVersion }: Resource): string {
  const digest = sha256(new TextEncoder().encode(`${group}/${storageVersion.name}/${kind}`));
  return btoa(String.fromCharCode(...digest.subarray(0, 8)));
}
