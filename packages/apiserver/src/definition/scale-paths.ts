import { type FieldError, fieldError, isJSONObject, type JSONObject, type JSONValue } from "@annex/apimachinery";

/** Where a kind's objects have what a Scale says: JSON paths in dot notation, as CustomResourceDefinitions write them: what stands between two dots is the name of a field, brackets and all. */
export interface ScalePaths {
  /** Below `.spec`: how many replicas there are to be. */
  readonly specReplicasPath: string;
  /** Below `.status`: how many there are. Absent counts as 0. */
  readonly statusReplicasPath: string;
  /** Below `.spec` or `.status`: the label selector of the replicas, as text. Default: the Scale has none. */
  readonly labelSelectorPath?: string;
}

/** The names of the fields on the way, from the object itself. */
export type Steps = readonly string[];

export interface CompiledPaths {
  readonly specReplicas: Steps;
  readonly statusReplicas: Steps;
  readonly labelSelector: Steps | undefined;
}

/**
 * @throws {TypeError} for a path that is not below the field where it belongs.
 * Source: apiextensions validation, ValidateCustomResourceDefinitionSubresources.
 */
export function compilePaths({ specReplicasPath, statusReplicasPath, labelSelectorPath = "" }: ScalePaths): CompiledPaths {
  return {
    specReplicas: compilePath("specReplicasPath", specReplicasPath, ["spec"], "should be a json path under .spec"),
    statusReplicas: compilePath("statusReplicasPath", statusReplicasPath, ["status"], "should be a json path under .status"),
    labelSelector:
      labelSelectorPath === ""
        ? undefined
        : compilePath("labelSelectorPath", labelSelectorPath, ["spec", "status"], "should be a json path under either .spec or .status"),
  };
}

function compilePath(name: string, text: string, roots: readonly string[], otherwise: string): Steps {
  const [before, root = "", ...below] = text.split(".");
  if (before !== "" || !roots.includes(root) || below.length === 0) throw new TypeError(`scale.${name}: ${JSON.stringify(text)} ${otherwise}`);
  return [root, ...below];
}

/** A path as messages have it. */
export function formatSteps(steps: Steps): string {
  return `.${steps.join(".")}`;
}

/** What stands at a path, or why it cannot be read as a value of the type. Absent is neither. */
export type Reading<T> = { readonly value: T | undefined; readonly fault?: undefined } | { readonly value?: undefined; readonly fault: string };

/** Source: unstructured.NestedInt64, in JSON's words for types. */
export function readInteger(object: JSONObject, steps: Steps): Reading<number | bigint> {
  return read(object, steps, "int64", isInteger);
}

/** Source: unstructured.NestedString. */
export function readText(object: JSONObject, steps: Steps): Reading<string> {
  return read(object, steps, "string", isText);
}

const isInteger = (value: JSONValue): value is number | bigint => typeof value === "bigint" || Number.isInteger(value);
const isText = (value: JSONValue): value is string => typeof value === "string";

function read<T extends JSONValue>(object: JSONObject, steps: Steps, type: string, isOfType: (value: JSONValue) => value is T): Reading<T> {
  let value: JSONValue = object;
  for (const [index, step] of steps.entries()) {
    if (value === null) return { value: undefined };
    if (!isJSONObject(value)) return { fault: accessorError(steps.slice(0, index + 1), value, "object") };
    const next: JSONValue | undefined = Object.hasOwn(value, step) ? value[step] : undefined;
    if (next === undefined) return { value: undefined };
    value = next;
  }
  return isOfType(value) ? { value } : { fault: accessorError(steps, value, type) };
}

const MAX_SHOWN = 100;

function accessorError(steps: Steps, value: JSONValue, wanted: string): string {
  const shown = typeof value === "object" && value !== null ? "it" : String(value).slice(0, MAX_SHOWN);
  return `${formatSteps(steps)} accessor error: ${shown} is of the type ${typeOf(value)}, expected ${wanted}`;
}

function typeOf(value: JSONValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return isInteger(value) ? "integer" : typeof value;
}

/** The object with a number at a path; what is missing on the way is made. @throws {TypeError} where something else than an object is in the way. */
export function withInteger(object: JSONObject, steps: Steps, integer: number | bigint): JSONObject {
  const [step = "", ...below] = steps;
  if (below.length === 0) return { ...object, [step]: integer };
  const present = (Object.hasOwn(object, step) ? object[step] : undefined) ?? {};
  if (!isJSONObject(present)) throw new TypeError(`value cannot be set because ${step} is no object`);
  return { ...object, [step]: withInteger(present, below, integer) };
}

const MAX_REPLICAS = 2 ** 31 - 1;

/**
 * What a scale forbids of the objects it stands for.
 *
 * @param isStatus whether status is written: then spec is not looked at.
 * Source: apiextensions-apiserver customresource, ValidateScaleSpec and ValidateScaleStatus.
 */
export function scaleFaults(object: JSONObject, { specReplicas, statusReplicas, labelSelector }: CompiledPaths, isStatus: boolean): FieldError[] {
  const faults = [...(isStatus ? [] : replicasFaults(object, specReplicas)), ...replicasFaults(object, statusReplicas)];
  const { fault } = labelSelector === undefined ? { fault: undefined } : readText(object, labelSelector);
  return labelSelector === undefined || fault === undefined ? faults : [...faults, fieldError.invalid(formatSteps(labelSelector), "", fault)];
}

function replicasFaults(object: JSONObject, steps: Steps): FieldError[] {
  const { value = 0, fault } = readInteger(object, steps);
  const field = formatSteps(steps);
  if (fault !== undefined) return [fieldError.invalid(field, 0, fault)];
  if (value < 0) return [fieldError.invalid(field, value, "should be a non-negative integer")];
  return value > MAX_REPLICAS ? [fieldError.invalid(field, value, `should be less than or equal to ${MAX_REPLICAS}`)] : [];
}
