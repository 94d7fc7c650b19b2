import { invalid, type KubernetesObject } from "@annex/apimachinery";
import { type AdmissionAttributes, definedVersionOf, inVersion, type Resource, type ResourceVersion } from "@annex/apiserver";

/** The type of an object as a review names it. */
export interface ReviewedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The kind that comes and goes at a path: of a subresource with a kind of its own (`scale`) that one, the same in every version. */
export function kindAt({ resource, subresource }: Pick<AdmissionAttributes, "resource" | "subresource">, version: string): ReviewedKind {
  const own = resource.subresources.get(subresource)?.kind;
  if (own === undefined) return { group: resource.group, version, kind: resource.kind };
  return { group: own.group, version: own.storageVersion.name, kind: own.kind };
}

/** The versions that a path is served in beside that of the request, and so the places where the same write could have come in. */
export function equivalentVersions({ resource, subresource, version }: AdmissionAttributes): readonly string[] {
  return resource.versions.filter((one) => one.name !== version && hasSubresource(resource, one.hasStatus, subresource)).map(({ name }) => name);
}

function hasSubresource({ subresources, updateSubresources }: Resource, hasStatus: boolean, subresource: string): boolean {
  if (subresource === "" || (subresource === "status" && hasStatus)) return true;
  return subresources.has(subresource) || updateSubresources.includes(subresource);
}

/**
 * The objects of a write, in whatever version somebody wants to see them. What was converted once is kept.
 *
 * Source: k8s.io/apiserver/pkg/admission/conversion.go.
 */
export class WriteVersions {
  readonly #attributes: AdmissionAttributes;
  readonly #converted = new Map<KubernetesObject, Map<string, KubernetesObject>>();

  constructor(attributes: AdmissionAttributes) {
    this.#attributes = attributes;
  }

  /**
   * @param object one of the write, or what was made of it; null and undefined stay null.
   * @throws {APIError} `Invalid` where it cannot be converted, and has not the form that its schema wants.
   */
  in(version: string, object: KubernetesObject | undefined): KubernetesObject | null {
    if (object === undefined) return null;
    const { resource, subresource } = this.#attributes;
    const target = resource.definedVersions.find(({ name }) => name === version);
    // The objects of a subresource with a kind of its own have one version.
    if (target === undefined || resource.subresources.has(subresource)) return object;
    const kept = this.#converted.get(object)?.get(version);
    if (kept !== undefined) return kept;
    const converted = this.#convert(object, target);
    const versions = this.#converted.get(object) ?? new Map<string, KubernetesObject>();
    this.#converted.set(object, versions.set(version, converted));
    return converted;
  }

  #convert(object: KubernetesObject, target: ResourceVersion): KubernetesObject {
    const { resource, name, previous } = this.#attributes;
    try {
      return inVersion(resource, object, target);
    } catch (error) {
      // Admission comes before the check of the form: an author's function may meet what that would refuse.
      const faults = object === previous ? [] : (definedVersionOf(resource, object)?.validate(object, undefined, "") ?? []);
      throw faults.length === 0 ? error : invalid(resource, name, faults);
    }
  }
}
