import type { KubernetesObject, LabelSelectorObject } from "@annex/apimachinery";
import { compileSelector } from "../matching/selectors.ts";
import { type ParamKind, type ParamKinds, PolicyConfigurationError } from "./param-kinds.ts";

/** Source: admissionregistration/v1 ParamRef. */
export interface ParamRef {
  readonly name?: string;
  readonly namespace?: string;
  readonly selector?: LabelSelectorObject;
  readonly parameterNotFoundAction?: string;
}

/**
 * The params that a policy is evaluated with by a binding: once for each.
 *
 * @param namespace of the write; `""` for cluster-scoped objects.
 * @returns null alone where it has none; nothing where none was found, and the binding allows that.
 * @throws {PolicyConfigurationError}
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go, CollectParams.
 */
export async function collectParams(
  kinds: ParamKinds,
  kind: ParamKind | undefined,
  ref: ParamRef | undefined,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly (KubernetesObject | null)[]> {
  if (kind === undefined || ref === undefined) return [null];
  const { isNamespaced, objects } = await kinds.of(kind, signal);
  if (ref.namespace && !isNamespaced) throw new PolicyConfigurationError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
  const place = ref.namespace || namespace;
  if (isNamespaced && place === "")
    throw new PolicyConfigurationError("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
  const there = isNamespaced ? objects.filter(({ metadata }) => metadata.namespace === place) : objects;
  const found = selected(there, ref);
  if (found.length === 0 && ref.parameterNotFoundAction === "Deny")
    throw new PolicyConfigurationError("no params found for policy binding with `Deny` parameterNotFoundAction");
  return found;
}

function selected(objects: readonly KubernetesObject[], { name, selector }: ParamRef): readonly KubernetesObject[] {
  if (name && selector !== undefined) throw new PolicyConfigurationError("paramRef.name and paramRef.selector are mutually exclusive");
  if (name) return objects.filter(({ metadata }) => metadata.name === name);
  if (selector === undefined) throw new PolicyConfigurationError("one of name or selector must be provided");
  const compiled = compileSelector(selector);
  if (compiled === undefined) return objects;
  if (compiled === "invalid") throw new PolicyConfigurationError("paramRef.selector cannot be read");
  return objects.filter(({ metadata }) => compiled.matches(metadata.labels));
}
