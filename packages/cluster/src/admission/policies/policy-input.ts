import type { AdmissionInput, JSONObject, KubernetesObject } from "@annex/apimachinery";
import type { AdmissionAttributes, AdmissionContext, Authorizer } from "@annex/apiserver";
import { admissionInput } from "../matching/admission-input.ts";
import { authorizationAnswers } from "../matching/authorization.ts";
import type { NamespaceReader } from "../matching/selectors.ts";
import { WriteVersions } from "../matching/write-versions.ts";

/** A write, as the expressions of policies see it. */
export class PolicyInput {
  readonly versions: WriteVersions;
  readonly #attributes: AdmissionAttributes;
  readonly #context: AdmissionContext;
  readonly #more: Pick<AdmissionInput, "authorizer" | "namespaceObject">;

  private constructor(attributes: AdmissionAttributes, context: AdmissionContext, more: Pick<AdmissionInput, "authorizer" | "namespaceObject">) {
    this.#attributes = attributes;
    this.#context = context;
    this.#more = more;
    this.versions = new WriteVersions(attributes);
  }

  /** @throws {APIError} `NotFound` when the namespace of the write is not there, and whatever keeps the cluster from being asked. */
  static async of(
    attributes: AdmissionAttributes,
    context: AdmissionContext,
    namespaces: NamespaceReader,
    authorizer: Authorizer,
  ): Promise<PolicyInput> {
    const { namespace } = attributes;
    // What the cluster answers is JSON.
    const namespaceObject = namespace === "" ? null : ((await namespaces(namespace, context.signal)) as unknown as JSONObject);
    return new PolicyInput(attributes, context, { authorizer: authorizationAnswers(authorizer, context.signal), namespaceObject });
  }

  /** @param object as it is now, in any version. */
  in(version: string, object: KubernetesObject | undefined, params: KubernetesObject | null): AdmissionInput {
    const objects = { version, object: this.versions.in(version, object), previous: this.versions.in(version, this.#attributes.previous) };
    return { ...admissionInput(this.#attributes, objects, this.#context), ...this.#more, params: params as unknown as JSONObject | null };
  }

  /** What conditions see: not the namespace. */
  forConditions(version: string, object: KubernetesObject | undefined, params: KubernetesObject | null): AdmissionInput {
    const { namespaceObject: _namespaceObject, ...input } = this.in(version, object, params);
    return input;
  }
}
