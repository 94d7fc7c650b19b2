import type { FieldError } from "../meta/index.ts";
import { compileAccepts } from "./accepts.ts";
import { compileNode } from "./compile.ts";
import { explainEmbeddedResources } from "./embedded-resources.ts";
import { explain } from "./explain.ts";
import { Faults } from "./faults.ts";
import type { Schema } from "./schema.ts";
import { explainUniqueLists } from "./unique-lists.ts";

/**
 * Checks one value.
 *
 * @param value decoded, pruned and defaulted. A property that is `undefined` counts as absent.
 * @param path where the value stands in its object: `""` (the default) for a whole object, `"status"` for its status alone. It begins the `field` of
 *   each fault; the sentences name fields below the value, as kube-apiserver's do.
 * @returns every fault, the empty list for a valid value; at most 1000 faults with a million characters together.
 */
export type Validator = (value: unknown, path?: string) => readonly FieldError[];

const NOTHING: readonly FieldError[] = Object.freeze([]);

/**
 * Compiles a schema into a validator, once per definition: structure and values first, then embedded resources, then duplicates in lists of type set and
 * map. A valid value costs a few microseconds and, but for those lists, no allocation; any value costs time linear in its size.
 *
 * Not checked: the metadata of the object itself and of embedded ones beyond its being an object, and what unchanged fields may keep on update.
 *
 * @param schema one that `checkSchema` has nothing against.
 * @throws {Error} when a pattern is not RE2 syntax.
 * Source: k8s.io/kube-openapi/pkg/validation as custom resources use it (apiextensions-apiserver pkg/registry/customresource, Validate).
 */
export function compileValidator(schema: Schema): Validator {
  const node = compileNode(schema);
  const accepts = compileAccepts(node);
  return (value, path = "") => {
    const isAccepted = accepts(value);
    if (isAccepted && !node.hasUniqueLists && !node.hasEmbeddedResources) return NOTHING;
    const faults = new Faults(path);
    if (!isAccepted) explain(node, value, "", faults);
    explainEmbeddedResources(node, value, "", faults);
    explainUniqueLists(node, value, "", faults);
    return faults.list.length === 0 ? NOTHING : faults.list;
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
