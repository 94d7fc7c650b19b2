import { APIError, forbidden, jsonEquals, type KubernetesObject, type StatusCause } from "@annex/apimachinery";
import { type AdmissionAttributes, type AdmissionPlugin, type MutationAttributes, type Reinvocation, refusedName } from "@annex/apiserver";
import { isExempt } from "../exempt.ts";
import { conditionsMatch } from "../matching/match-conditions.ts";
import { asJSON, defaulted, objectVersion } from "../matching/patched-object.ts";
import { MutationRounds } from "../matching/rounds.ts";
import { MutationError, mutatedObject } from "./mutation.ts";
import type { Binding, MutatingPolicy } from "./policy.ts";
import { PolicyInput } from "./policy-input.ts";
import type { PolicyFault, PolicyInvocation, PolicySet } from "./policy-set.ts";
import type { PoliciesOptions } from "./validating-policies.ts";

/** A policy that could not do its work. */
interface Failure extends PolicyFault<MutatingPolicy> {
  /** Empty where the policy could not be evaluated at all. */
  readonly reason: "Invalid" | "";
}

/**
 * Lets the cluster's MutatingAdmissionPolicies change what is written, one after the other by their names and those of their bindings.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/mutating/dispatcher.go.
 */
export function mutatingPolicies({ set, namespaces, authorizer }: Omit<PoliciesOptions<PolicySet<MutatingPolicy>>, "log">): AdmissionPlugin {
  const plugin: AdmissionPlugin = {
    name: "MutatingAdmissionPolicy",
    async mutate(attributes, context, reinvocation) {
      if (isExempt(attributes.resource)) return attributes.object;
      await set.whenReady(attributes, context.signal);
      const { invocations, faults } = await set.invocations(attributes, context);
      const failures: Failure[] = faults.map((fault) => ({ ...fault, reason: "" }));
      let { object } = attributes;
      if (invocations.length > 0) {
        const rounds = reinvocation.memory(plugin, () => new MutationRounds());
        if (reinvocation.isReinvocation) rounds.begin(object);
        const work = new PolicyWork(attributes, await PolicyInput.of(attributes, context, namespaces, authorizer), rounds, reinvocation);
        for (const invocation of invocations) await work.run(invocation);
        work.finish();
        object = work.result;
        rounds.output = object;
        failures.push(...work.failures);
      }
      const counted = failures.filter(({ policy }) => policy.failurePolicy === "Fail");
      if (counted.length > 0) throw refusalError(attributes, counted);
      return object;
    },
  };
  return plugin;
}

/** The mutations of one write, one after the other. */
class PolicyWork {
  readonly failures: Failure[] = [];
  readonly #attributes: MutationAttributes;
  readonly #input: PolicyInput;
  readonly #rounds: MutationRounds;
  readonly #reinvocation: Reinvocation;
  #object: KubernetesObject;
  #hasMutated = false;

  constructor(attributes: MutationAttributes, input: PolicyInput, rounds: MutationRounds, reinvocation: Reinvocation) {
    this.#attributes = attributes;
    this.#input = input;
    this.#rounds = rounds;
    this.#reinvocation = reinvocation;
    this.#object = attributes.object;
  }

  /** In the version of the request; the object that was given where nobody changed it. */
  get result(): KubernetesObject {
    return this.#input.versions.in(this.#attributes.version, this.#object) ?? this.#object;
  }

  async run(invocation: PolicyInvocation<MutatingPolicy>): Promise<void> {
    const { policy, version, params } = invocation;
    const seen = this.#input.forConditions(version, this.#object, params);
    const { matches, error } = await conditionsMatch(policy.conditions, policy.failurePolicy, seen, policy.variables);
    if (error !== undefined) this.#fail(invocation, error);
    if (matches !== true) return;
    const key = keyOf(invocation);
    if (this.#reinvocation.isReinvocation && !this.#rounds.isAskedAgain(key)) return;
    const before = this.#input.versions.in(version, this.#object) ?? this.#object;
    const after = await this.#mutate(invocation, before);
    if (after !== before) this.#object = after;
    if (!jsonEquals(asJSON(before), asJSON(after))) {
      this.#rounds.changed();
      this.#reinvocation.request();
    }
    if (policy.isReinvoked) this.#rounds.asked(key);
  }

  /** As in Go who mutated is asked again because of their own work too, unlike a webhook. */
  finish(): void {
    if (!this.#hasMutated) return;
    this.#rounds.changed();
    this.#reinvocation.request();
  }

  async #mutate(invocation: PolicyInvocation<MutatingPolicy>, before: KubernetesObject): Promise<KubernetesObject> {
    const { policy, version: name, params } = invocation;
    const { resource } = this.#attributes;
    const version = objectVersion(this.#attributes, name);
    if (version === undefined) throw new Error(`${resource.kind} has no version ${name}`);
    let object = before;
    for (const mutation of policy.mutations) {
      try {
        const made = await mutatedObject(policy, mutation, object, { resource, version }, this.#input.in(name, object, params));
        this.#hasMutated = true;
        if (made !== object) object = defaulted(made, version);
      } catch (error) {
        if (!(error instanceof MutationError)) throw error;
        this.#fail(invocation, error.message);
      }
    }
    return object;
  }

  #fail({ policy, binding }: PolicyInvocation<MutatingPolicy>, message: string): void {
    this.failures.push({ policy, binding, message, reason: "Invalid" });
  }
}

function keyOf({ policy, binding, params }: PolicyInvocation<MutatingPolicy>): string {
  return JSON.stringify([policy.name, binding.name, params?.metadata.namespace, params?.metadata.name]);
}

function sentenceOf({
  policy,
  binding,
  message,
}: {
  readonly policy: MutatingPolicy;
  readonly binding: Binding | undefined;
  readonly message: string;
}): string {
  const by = binding === undefined ? `policy "${policy.name}"` : `policy '${policy.name}' with binding '${binding.name}'`;
  return `${by} denied request: ${message}`;
}

/** Tells of all, in the words of the first. */
function refusalError({ resource, name, object }: AdmissionAttributes, failures: readonly Failure[]): APIError {
  const { details } = forbidden(resource, refusedName({ name, object }), "");
  const causes: StatusCause[] = failures.map((failure) => ({ message: sentenceOf(failure) }));
  const [{ message = "" } = {}] = causes;
  return new APIError("Forbidden", message, { statedReason: failures[0]?.reason || "Forbidden", details: { ...details, causes } });
}
