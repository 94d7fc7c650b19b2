import type { Schema } from "../../schema/index.ts";
import type { CelEnvironment, StructType } from "../environment.ts";
import { KUBERNETES_ENVIRONMENT } from "../kubernetes.ts";
import { AUTHORIZER } from "../library/authorizer.ts";
import { checkTypes } from "../program.ts";
import { declTypeOf, namedType } from "../schema/decl-type.ts";
import { type CelType, DYN } from "../value/type.ts";
import { NAMESPACE, NAMESPACE_STRUCTS, REQUEST, REQUEST_STRUCTS } from "./request.ts";
import { variableType, withVariables } from "./variable-types.ts";

/** The schemas of the kinds that a policy is about. */
export interface AdmissionSchemas {
  readonly object: Schema;
  /** That of its paramKind; null when nobody knows it, undefined when the policy has no params. */
  readonly params?: Schema | null;
}

/**
 * Checks the expressions of a policy against the schemas of kinds. Evaluation takes objects as they are, so that what this finds are warnings for whoever
 * wrote the policy. As in Kubernetes `authorizer.requestResource` is none of what may be checked.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating/typechecking.go.
 */
export class AdmissionTypeChecker {
  readonly #environment: CelEnvironment;
  readonly #variables = new Map<string, CelType>();

  constructor({ object, params }: AdmissionSchemas) {
    const objectType = schemaType(object, "objectType");
    const paramsType = params === undefined ? undefined : schemaType(params, "paramsType");
    this.#environment = KUBERNETES_ENVIRONMENT.extend({
      structs: [...NAMESPACE_STRUCTS, ...REQUEST_STRUCTS, ...objectType.structs, ...(paramsType?.structs ?? [])],
      variables: {
        object: objectType.type,
        oldObject: objectType.type,
        namespaceObject: NAMESPACE,
        request: REQUEST,
        authorizer: AUTHORIZER,
        ...(paramsType === undefined ? {} : { params: paramsType.type }),
      },
    });
  }

  /** Declares a variable, which is dyn when it does not fit. */
  declareVariable(name: string, text: string): void {
    this.#variables.set(name, variableType(checkTypes(withVariables(this.#environment, this.#variables), text).type));
  }

  /** What is wrong with an expression, as cel-go shows it; undefined when it fits. It may be of any type. */
  check(text: string): string | undefined {
    return checkTypes(withVariables(this.#environment, this.#variables), text).faults;
  }
}

function schemaType(schema: Schema | null, name: string): { readonly type: CelType; readonly structs: readonly StructType[] } {
  const declType = schema === null ? undefined : declTypeOf(schema, { isResourceRoot: true });
  return declType === undefined ? { type: DYN, structs: [] } : namedType(declType, name);
}
