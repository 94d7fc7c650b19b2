import type { KubernetesObject } from "@annex/apimachinery";
import type { Resource, WriteContext } from "../definition/resource.ts";

/** A write on its way to the registry. Source: admission/v1 AdmissionRequest. */
export interface AdmissionAttributes {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly resource: Resource;
  /** The version that `object` and `previous` are in: that of the request, and of a deletion the storage version. */
  readonly version: string;
  readonly subresource: string;
  readonly namespace: string;
  /** Empty where it is still to be generated, and in a deletecollection. */
  readonly name: string;
  /** Undefined in a deletion. */
  readonly object: KubernetesObject | undefined;
  /** Undefined in a creation. */
  readonly previous: KubernetesObject | undefined;
}

/** One that may change a write, or refuse it. Refusing is throwing an `APIError`. */
export interface AdmissionPlugin {
  readonly name: string;
  /** @returns the object to go on with: the one given, or another. Not called for deletions. */
  readonly mutate?: (attributes: AdmissionAttributes & { readonly object: KubernetesObject }, context: WriteContext) => Promise<KubernetesObject>;
  readonly validate?: (attributes: AdmissionAttributes, context: WriteContext) => Promise<void>;
}

/** All of them, in order. */
export interface AdmissionChain {
  mutate(attributes: AdmissionAttributes & { readonly object: KubernetesObject }, context: WriteContext): Promise<KubernetesObject>;
  validate(attributes: AdmissionAttributes, context: WriteContext): Promise<void>;
}

export function admissionChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  return {
    async mutate(attributes, context) {
      let { object } = attributes;
      for (const plugin of plugins) object = (await plugin.mutate?.({ ...attributes, object }, context)) ?? object;
      return object;
    },
    async validate(attributes, context) {
      for (const plugin of plugins) await plugin.validate?.(attributes, context);
    },
  };
}
