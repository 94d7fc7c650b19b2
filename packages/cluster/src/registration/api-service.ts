import type { KubernetesObject } from "@annex/apimachinery";
import { type Resource, versionOrder } from "@annex/apiserver";
import { isOwnedBy, marksOf, type ServiceName } from "../ownership/index.ts";

/** The Service that APIServices point to. */
export interface ServiceReference extends ServiceName {
  readonly port: number;
}

/** A group that is served, and its versions, the preferred one first. */
export interface GroupVersions {
  readonly group: string;
  readonly versions: readonly string[];
}

export interface RegistrationPriorities {
  /** Among all groups of the cluster, where two have a resource of one name: the highest wins. From 1 to 20,000; default 1,000. */
  readonly groupPriorityMinimum: number;
  /** Of the version that is liked least; each one before it has one more. From 1 to 1,000; default 15. */
  readonly versionPriority: number;
}

/** Those of the Go sample-apiserver. */
export const DEFAULT_PRIORITIES: RegistrationPriorities = { groupPriorityMinimum: 1000, versionPriority: 15 };
const MAX_VERSION_PRIORITY = 1000;

/** apiregistration.k8s.io/v1, as far as it matters here. */
export interface APIServiceSpec {
  readonly group: string;
  readonly version: string;
  readonly groupPriorityMinimum: number;
  readonly versionPriority: number;
  readonly service?: ServiceReference | null;
  /** Base64 of PEM. */
  readonly caBundle?: string | null;
  readonly insecureSkipTLSVerify?: boolean;
}

export interface APIServiceCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface APIService extends KubernetesObject {
  readonly spec: APIServiceSpec;
  readonly status?: { readonly conditions?: readonly APIServiceCondition[] | null };
}

export const API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices";

/** Whose an APIService is: ours; ours in all but the making; of the kube-apiserver itself (its own groups, and CustomResourceDefinitions); of another server. */
export type Standing = "own" | "points-here" | "local" | "foreign";

export function standingOf(object: APIService, service: ServiceName): Standing {
  if (isOwnedBy(object, service)) return "own";
  const { service: target } = object.spec;
  if (target === undefined || target === null) return "local";
  return target.namespace === service.namespace && target.name === service.name ? "points-here" : "foreign";
}

/** The groups and versions of what a server serves, in the order of its discovery. @throws {TypeError} for kinds of the core group: it cannot be registered. */
export function groupVersionsOf(resources: readonly Resource[]): readonly GroupVersions[] {
  const groups = [...new Set(resources.map(({ group }) => group))];
  if (groups.includes("")) throw new TypeError("the core group cannot be registered: it is the kube-apiserver's own");
  return groups.map((group) => {
    const kinds = resources.filter((resource) => resource.group === group);
    const preferred = kinds.find(({ preferredVersion }) => preferredVersion !== undefined)?.preferredVersion;
    const versions = new Set(kinds.flatMap((kind) => kind.versions.map(({ name }) => name)));
    return { group, versions: [...versions].sort(versionOrder(preferred)) };
  });
}

/** What there is to be: one for each version. @param caBundle PEM; undefined leaves the field to others. */
export function wantedAPIServices(
  groups: readonly GroupVersions[],
  service: ServiceReference,
  { groupPriorityMinimum, versionPriority }: RegistrationPriorities,
  caBundle: string | undefined,
): readonly APIService[] {
  return groups.flatMap(({ group, versions }) =>
    versions.map((version, index) => ({
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: `${version}.${group}`, ...marksOf(service) },
      spec: {
        group,
        version,
        groupPriorityMinimum,
        versionPriority: Math.min(versionPriority + versions.length - 1 - index, MAX_VERSION_PRIORITY),
        service: { namespace: service.namespace, name: service.name, port: service.port },
        ...(caBundle === undefined ? {} : { caBundle: Buffer.from(caBundle).toString("base64") }),
      },
    })),
  );
}
