import type { FieldError } from "../meta/index.ts";
import { compileAccepts } from "./accepts.ts";
import { compileNode, type Node } from "./compile.ts";
import { Correlation } from "./correlation.ts";
import { explainEmbeddedResources } from "./embedded-resources.ts";
import { explain } from "./explain.ts";
import { Faults } from "./faults.ts";
import type { Schema } from "./schema.ts";
import { explainUniqueLists } from "./unique-lists.ts";

/**
 * Makes one kind of check on a value.
 *
 * @param value decoded, pruned and defaulted. A property that is `undefined` counts as absent.
 * @param old of an update, what stood there before, in the same version: faults of what is unchanged are let through. Undefined where there was nothing, and where
 *   every fault is to be told.
 * @param path where the value stands in its object: `""` (the default) for a whole object, `"status"` for its status alone. It begins the `field` of
 *   each fault; the sentences name fields below the value, as kube-apiserver's do.
 * @returns every fault, the empty list for a valid value; at most 1000 faults with a million characters together.
 */
export type Check = (value: unknown, old?: unknown, path?: string) => readonly FieldError[];

/** The checks by a schema, in the order in which kube-apiserver makes them. */
export interface SchemaChecks {
  /** Structure and values. A fault of a value that is as it was is let through. */
  readonly values: Check;
  /** Type and metadata of embedded resources, changed or not. */
  readonly embeddedResources: Check;
  /** Duplicates in lists of type set and map. All are let through when the old value had any. */
  readonly uniqueLists: Check;
}

const NOTHING: readonly FieldError[] = Object.freeze([]);
const NO_FAULTS: Check = () => NOTHING;

/**
 * Compiles a schema, once per definition. A valid value costs a few microseconds and, but for lists of type set and map, no allocation; any value costs time linear
 * in its size.
 *
 * Not checked: the metadata of the object itself beyond what the schema says of it.
 *
 * @param schema one that `checkSchema` has nothing against.
 * @throws {Error} when a pattern is not RE2 syntax.
 * Source: k8s.io/kube-openapi/pkg/validation as custom resources use it; apiextensions-apiserver pkg/registry/customresource, ValidateUpdate.
 */
export function compileChecks(schema: Schema): SchemaChecks {
  const node = compileNode(schema);
  const accepts = compileAccepts(node);
  return {
    values(value, old, path = "") {
      if (accepts(value)) return NOTHING;
      const faults = new Faults(path);
      explain(node, value, "", faults, old === undefined ? undefined : new Correlation(node, value, old));
      return faults.list;
    },
    embeddedResources: node.hasEmbeddedResources ? (value, _old, path) => gather(explainEmbeddedResources, node, value, path) : NO_FAULTS,
    uniqueLists: node.hasUniqueLists
      ? (value, old, path) => {
          const faults = gather(explainUniqueLists, node, value, path);
          return faults.length > 0 && old !== undefined && gather(explainUniqueLists, node, old, path).length > 0 ? NOTHING : faults;
        }
      : NO_FAULTS,
  };
}

function gather(
  explainFaults: (node: Node, value: unknown, path: string, faults: Faults) => void,
  node: Node,
  value: unknown,
  path = "",
): readonly FieldError[] {
  const faults = new Faults(path);
  explainFaults(node, value, "", faults);
  return faults.list.length === 0 ? NOTHING : faults.list;
}

/** All the checks of {@link compileChecks} in one. */
export function compileValidator(schema: Schema): Check {
  const { values, embeddedResources, uniqueLists } = compileChecks(schema);
  return (value, old, path) => {
    const faults = [...values(value, old, path), ...embeddedResources(value, old, path), ...uniqueLists(value, old, path)];
    return faults.length === 0 ? NOTHING : faults;
  };
}

const BLOCKING: ReadonlySet<FieldError["reason"]> = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);

/**
 * The cause that stands in for validation rules (`x-kubernetes-validations`) which could not be tried: rules run only on objects without such faults.
 *
 * @param errors every fault found before, of metadata too.
 * @returns undefined when the rules are to run. Ask only for kinds that have rules.
 * Source: apiextensions-apiserver pkg/registry/customresource, hasBlockingErr.
 */
export function rulesNotChecked(errors: readonly FieldError[]): FieldError | undefined {
  if (!errors.some(({ reason }) => BLOCKING.has(reason))) return undefined;
  return {
    reason: "FieldValueInvalid",
    field: "<nil>",
    message:
      "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
  };
}
