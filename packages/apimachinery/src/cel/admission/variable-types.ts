import type { CelEnvironment } from "../environment.ts";
import { type CelType, DYN, listType, mapType, structType } from "../value/type.ts";

/** The type of `variables`. */
export const VARIABLES = structType("kubernetes.variables");

/** An environment in which `variables` has fields of these types. */
export function withVariables(environment: CelEnvironment, types: ReadonlyMap<string, CelType>): CelEnvironment {
  return environment.extend({ structs: [{ type: VARIABLES, fields: new Map(types) }], variables: { variables: VARIABLES } });
}

/**
 * The type of a variable by that of its expression: lists and maps of scalars keep theirs, objects are dyn, and so is what does not compile.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/cel/composition.go convertCelTypeToDeclType.
 */
export function variableType(type: CelType = DYN): CelType {
  const [first, second] = type.parameters;
  switch (type.kind) {
    case "list":
      return listType(variableType(first));
    case "map":
      return mapType(variableType(first), variableType(second));
    case "error":
    case "opaque":
    case "struct":
    case "type":
    case "typeParam":
      return DYN;
    default:
      return type;
  }
}
