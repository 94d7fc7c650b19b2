import type { JSONObject, KubernetesObject } from "@annex/apimachinery";
import type { Resource, WriteContext } from "../definition/resource.ts";

/** A write on its way to the registry. Source: admission/v1 AdmissionRequest. */
export interface AdmissionAttributes {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  /** The kind of the path, also in a write to a subresource with a kind of its own. */
  readonly resource: Resource;
  /** The version of the request, which `object` and `previous` are in. */
  readonly version: string;
  readonly subresource: string;
  readonly namespace: string;
  /** Empty where it is still to be generated (to those who validate it is known), and in a deletecollection. */
  readonly name: string;
  /** The name in the request's path: empty in a POST to a collection, not in a PUT that creates; in a deletecollection that of each object. Source: k8s.io/apiserver RequestInfo.Name. */
  readonly requestName: string;
  /** Undefined in a deletion. While it may still be changed, a new object has no uid, no creationTimestamp and no generated name. */
  readonly object: KubernetesObject | undefined;
  /** Undefined in a creation. */
  readonly previous: KubernetesObject | undefined;
  /** CreateOptions, UpdateOptions (of a patch, too) or DeleteOptions, with their type. */
  readonly options: JSONObject;
}

/** Who writes, and who is told what. */
export interface AdmissionContext extends WriteContext {
  /** Tells the client something beside the answer: a `Warning` header. */
  readonly warn: (text: string) => void;
}

/**
 * The second round of mutation: who changed an object has those before it asked again, once. Source: k8s.io/apiserver/pkg/admission/reinvocation.go.
 */
export interface Reinvocation {
  /** Whether this is the second round. */
  readonly isReinvocation: boolean;
  /** Asks for the second round; in it, nothing. */
  request(): void;
  /** What a plugin keeps from the first round for the second. @param make makes it when it is first asked for. */
  memory<T extends object>(plugin: AdmissionPlugin, make: () => T): T;
}

export type MutationAttributes = AdmissionAttributes & { readonly object: KubernetesObject };

/** One that may change a write, or refuse it. Refusing is throwing an `APIError`. */
export interface AdmissionPlugin {
  readonly name: string;
  /** @returns the object to go on with: the one given, or another. Not called for deletions. */
  readonly mutate?: (attributes: MutationAttributes, context: AdmissionContext, reinvocation: Reinvocation) => Promise<KubernetesObject>;
  /** Asked of a deletion before anybody validates it, when others are asked to mutate. There is nothing to change. */
  readonly beforeDeletion?: (attributes: AdmissionAttributes, context: AdmissionContext) => Promise<void>;
  readonly validate?: (attributes: AdmissionAttributes, context: AdmissionContext) => Promise<void>;
}

/** All of them, in order. */
export interface AdmissionChain {
  mutate(attributes: MutationAttributes, context: AdmissionContext): Promise<KubernetesObject>;
  validate(attributes: AdmissionAttributes, context: AdmissionContext): Promise<void>;
}

export function admissionChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  const round = async (attributes: MutationAttributes, context: AdmissionContext, reinvocation: Reinvocation) => {
    let { object } = attributes;
    for (const plugin of plugins) object = (await plugin.mutate?.({ ...attributes, object }, context, reinvocation)) ?? object;
    return object;
  };
  return {
    async mutate(attributes, context) {
      const rounds = new Rounds();
      const object = await round(attributes, context, rounds);
      return rounds.begin() ? round({ ...attributes, object }, context, rounds) : object;
    },
    async validate(attributes, context) {
      if (attributes.operation === "DELETE") for (const plugin of plugins) await plugin.beforeDeletion?.(attributes, context);
      for (const plugin of plugins) await plugin.validate?.(attributes, context);
    },
  };
}

class Rounds implements Reinvocation {
  isReinvocation = false;
  #isRequested = false;
  readonly #memories = new Map<AdmissionPlugin, object>();

  request(): void {
    this.#isRequested = true;
  }

  memory<T extends object>(plugin: AdmissionPlugin, make: () => T): T {
    // What is kept for a plugin is what the plugin made.
    const kept = (this.#memories.get(plugin) as T | undefined) ?? make();
    this.#memories.set(plugin, kept);
    return kept;
  }

  /** Begins the second round, if there is to be one. */
  begin(): boolean {
    this.isReinvocation = this.#isRequested;
    return this.#isRequested;
  }
}

/** By which name an object is refused: before one is generated it has its prefix only, and a deletion of many has none. Source: admission.NewForbidden. */
export function refusedName({ name, object }: { readonly name: string; readonly object: KubernetesObject | undefined }): string {
  return name || object?.metadata.generateName || "Unknown";
}
