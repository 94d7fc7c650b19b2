/** A resource of a group, whatever the version: what errors and storage keys name. The core group is `""`. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

/** The path under which objects are served. */
export interface GroupVersionResource extends GroupResource {
  readonly version: string;
}

/** A kind of a group, whatever the version. */
export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** The type of an object. */
export interface GroupVersionKind extends GroupKind {
  readonly version: string;
}

/** `group/version`, or the bare version in the core group: the `apiVersion` of an object. */
export function formatAPIVersion(group: string, version: string): string {
  return group === "" ? version : `${group}/${version}`;
}

/** Reads an `apiVersion`. @returns undefined when it has more than one slash or an empty part. Source: schema.ParseGroupVersion. */
export function parseAPIVersion(apiVersion: string): { group: string; version: string } | undefined {
  const parts = apiVersion.split("/");
  if (parts.length === 1) return { group: "", version: apiVersion };
  const [group, version] = parts;
  if (parts.length !== 2 || group === undefined || version === undefined) return undefined;
  return { group, version };
}

/** `flunders.wardle.example.com`, or `secrets` in the core group: how messages name a resource. */
export function formatGroupResource({ group, resource }: GroupResource): string {
  return group === "" ? resource : `${resource}.${group}`;
}

const KUBERNETES_VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/;

/**
 * Orders versions as discovery lists them: v10, v2, v1, v11beta2, v10beta3, v3beta1, v12alpha1, v11alpha2, then all that do
 * not look like a Kubernetes version, by name.
 *
 * @returns negative when `left` comes first.
 * Source: k8s.io/apimachinery/pkg/version, CompareKubeAwareVersionStrings (in reverse).
 */
export function compareVersionPriority(left: string, right: string): number {
  const a = KUBERNETES_VERSION.exec(left);
  const b = KUBERNETES_VERSION.exec(right);
  if (a === null || b === null) {
    if (a !== null) return -1;
    if (b !== null) return 1;
    return left < right ? -1 : left > right ? 1 : 0;
  }
  const stability = (match: RegExpExecArray) => (match[2] === undefined ? 0 : match[2] === "beta" ? 1 : 2);
  return stability(a) - stability(b) || Number(b[1]) - Number(a[1]) || Number(b[3] ?? 0) - Number(a[3] ?? 0);
}
