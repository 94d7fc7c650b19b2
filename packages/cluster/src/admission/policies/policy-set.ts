import { APIError, type KubernetesObject } from "@annex/apimachinery";
import type { AdmissionAttributes, AdmissionContext } from "@annex/apiserver";
import { matchedVersion } from "../matching/match-resources.ts";
import type { NamespaceReader } from "../matching/selectors.ts";
import type { WatchedConfigurations } from "../watched-configurations.ts";
import { type ParamKind, type ParamKinds, PolicyConfigurationError } from "./param-kinds.ts";
import { collectParams } from "./params.ts";
import type { Binding, Policy } from "./policy.ts";

/** A policy that is about a write, by one of its bindings, with one of its params. */
export interface PolicyInvocation<P extends Policy> {
  readonly policy: P;
  readonly binding: Binding;
  readonly version: string;
  readonly params: KubernetesObject | null;
}

/** A policy that cannot be evaluated. */
export interface PolicyFault<P extends Policy> {
  readonly policy: P;
  readonly binding: Binding | undefined;
  readonly message: string;
}

/** The policies of one sort, and what binds them. */
export class PolicySet<P extends Policy> {
  readonly policies: WatchedConfigurations<P>;
  readonly bindings: WatchedConfigurations<Binding>;
  readonly #params: ParamKinds;
  readonly #namespaces: NamespaceReader;

  constructor(options: {
    readonly policies: WatchedConfigurations<P>;
    readonly bindings: WatchedConfigurations<Binding>;
    readonly params: ParamKinds;
    readonly namespaces: NamespaceReader;
  }) {
    this.policies = options.policies;
    this.bindings = options.bindings;
    this.#params = options.params;
    this.#namespaces = options.namespaces;
  }

  /** The kinds of params of the policies that count. */
  get paramKinds(): readonly ParamKind[] {
    const bound = new Set(this.bindings.all.map(({ policy }) => policy));
    return this.policies.all.flatMap(({ name, paramKind }) => (paramKind !== undefined && bound.has(name) ? [paramKind] : []));
  }

  async whenReady(attributes: AdmissionAttributes, signal: AbortSignal): Promise<void> {
    await this.policies.whenReady(attributes, signal);
    await this.bindings.whenReady(attributes, signal);
  }

  /**
   * Which policies are about a write, by their names and those of their bindings.
   *
   * Source: k8s.io/apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go.
   */
  async invocations(
    attributes: AdmissionAttributes,
    { signal }: AdmissionContext,
  ): Promise<{ readonly invocations: readonly PolicyInvocation<P>[]; readonly faults: readonly PolicyFault<P>[] }> {
    const invocations: PolicyInvocation<P>[] = [];
    const faults: PolicyFault<P>[] = [];
    for (const policy of this.policies.all) {
      const bound = this.bindings.all.filter((binding) => binding.policy === policy.name);
      if (bound.length === 0) continue;
      const note = (error: unknown, binding?: Binding) => faults.push({ policy, binding, message: configurationFault(error, binding, signal) });
      let version: string | undefined;
      try {
        version = await matchedVersion(policy.match, attributes, this.#namespaces, signal);
        if (version !== undefined && policy.paramKind !== undefined) await this.#params.requireKnown(policy.paramKind, signal);
      } catch (error) {
        note(error);
        version = undefined;
      }
      if (version === undefined) continue;
      for (const binding of bound) {
        try {
          for (const params of await this.#paramsOf(policy, binding, attributes, signal)) invocations.push({ policy, binding, version, params });
        } catch (error) {
          note(error, binding);
        }
      }
    }
    return { invocations, faults };
  }
  /** @returns nothing where the binding is not about the write. */
  async #paramsOf(
    { paramKind }: P,
    { match, paramRef }: Binding,
    attributes: AdmissionAttributes,
    signal: AbortSignal,
  ): Promise<readonly (KubernetesObject | null)[]> {
    if (match !== undefined && (await matchedVersion(match, attributes, this.#namespaces, signal)) === undefined) return [];
    return collectParams(this.#params, paramKind, paramRef, attributes.namespace, signal);
  }
}

/** What is said of a policy that cannot be evaluated. @throws whatever is nobody's configuration. */
function configurationFault(error: unknown, binding: Binding | undefined, signal: AbortSignal): string {
  signal.throwIfAborted();
  if (!APIError.is(error) && !(error instanceof PolicyConfigurationError)) throw error;
  return `failed to configure ${binding === undefined ? "policy" : "binding"}: ${error.message}`;
}
