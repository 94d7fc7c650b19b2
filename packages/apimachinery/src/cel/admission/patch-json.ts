import { encodeBase64 } from "../../codec/base64.ts";
import type { JSONObject, JSONValue } from "../../meta/index.ts";
import type { JSONPatchOperation } from "../../patch/index.ts";
import { MAX_REQUEST_BYTES } from "../schema/decl-type.ts";
import { CelList } from "../value/list.ts";
import { CelMap } from "../value/map.ts";
import { CelDouble, CelUint, intFromBigInt } from "../value/number.ts";
import { CelOptional } from "../value/optional.ts";
import { CelDuration, CelTimestamp } from "../value/time.ts";
import { typeOf } from "../value/type-of.ts";
import type { CelValue } from "../value/value.ts";
import { JSONPatchValue, ObjectValue } from "./patch-types.ts";

/** What a mutation comes to, or why it comes to nothing. */
export type PatchResult<Patch> = { readonly patch: Patch; readonly error?: undefined } | { readonly error: string; readonly patch?: undefined };

/**
 * The apply configuration that an expression of type `Object` came to.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch/smd.go.
 */
export function applyConfigurationOf(value: CelValue): PatchResult<JSONObject> {
  if (!(value instanceof ObjectValue)) return { error: `unsupported return type from ApplyConfiguration expression: ${typeOf(value).name}` };
  return converted((writer) => writer.whole(value));
}

/**
 * The JSON patch that an expression of type `list(JSONPatch)` came to. Whether its operations are any is found when it is applied.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch/json_patch.go.
 */
export function jsonPatchOf(value: CelValue): PatchResult<readonly JSONPatchOperation[]> {
  if (!(value instanceof CelList)) return { error: "type mismatch: JSONPatchType.expression should evaluate to array" };
  return converted((writer) => {
    writer.spend(value.size * 2);
    const operations: JSONPatchOperation[] = [];
    for (let index = 0; index < value.size; index++) operations.push(writer.operation(value.at(index)));
    return operations;
  });
}

/** Ends a conversion. */
class PatchError extends Error {
  override readonly name = "PatchError";
}

function converted<Patch>(convert: (writer: PatchWriter) => Patch): PatchResult<Patch> {
  try {
    return { patch: convert(new PatchWriter()) };
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    return { error: error.message };
  }
}

/** Makes JSON of values. A patch is at most as large as a request may be: lists that are doubled again and again are quickly made, and long. */
class PatchWriter {
  /** Objects whose type has another name than the way to them: `Object{spec: Object.status{}}`. */
  readonly #mismatches: string[] = [];
  #size = 0;

  operation(value: CelValue): JSONPatchOperation {
    if (!(value instanceof JSONPatchValue)) throw new PatchError("type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch");
    const { op, path, from, value: given } = value;
    this.spend(op.length + path.length + from.length);
    const json = given === undefined ? undefined : given instanceof ObjectValue ? this.whole(given) : this.#json(given, undefined);
    return { op, path, ...(from === "" ? {} : { from }), ...(json === undefined ? {} : { value: json }) };
  }

  /** An object that is no part of another. */
  whole(object: ObjectValue): JSONObject {
    const json = this.#object(object, [object.type.name]);
    if (this.#mismatches.length > 0) throw new PatchError(`type mismatch: ${this.#mismatches.join("\n")}`);
    return json;
  }

  /** @param way the names that lead here from an object; undefined where no object is around. */
  #object({ type, fields }: ObjectValue, way: readonly string[] | undefined): JSONObject {
    const expected = way?.join(".") ?? type.name;
    if (expected !== type.name)
      this.#mismatches.push(`unexpected type name "${type.name}", expected "${expected}", which matches field name path from root Object type`);
    const entries = [...fields].map(([name, value]): [string, JSONValue] => {
      this.spend(name.length);
      return [name, this.#json(value, way === undefined ? undefined : [...way, name])];
    });
    return Object.fromEntries(entries);
  }

  #json(value: CelValue, way: readonly string[] | undefined): JSONValue {
    this.spend(typeof value === "string" ? value.length : 1);
    if (value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "number") return value;
    // A patch is made by way of protobuf's JSON, which has no such numbers.
    if (typeof value === "bigint") return way === undefined ? value.toString() : value;
    if (value instanceof CelUint) return this.#json(intFromBigInt(value.value), way);
    if (value instanceof CelDouble) return this.#double(value.value);
    if (value instanceof CelTimestamp || value instanceof CelDuration) return value.toString();
    if (value instanceof Uint8Array) return this.#bytes(value);
    if (value instanceof CelOptional) return value.value === undefined ? null : this.#json(value.value, way);
    if (value instanceof ObjectValue) return this.#object(value, way);
    if (value instanceof CelList) return this.#list(value, way);
    if (value instanceof CelMap) return this.#map(value, way);
    return notJSON(typeOf(value).name);
  }

  #list(list: CelList, way: readonly string[] | undefined): JSONValue {
    this.spend(list.size * 2); // as much as each element takes at the least, before any is looked for
    const elements: JSONValue[] = [];
    for (let index = 0; index < list.size; index++) elements.push(this.#json(list.at(index), way));
    return elements;
  }

  #map(map: CelMap, way: readonly string[] | undefined): JSONValue {
    const entries = map.keys().map((key): [string, JSONValue] => {
      if (typeof key !== "string") return notJSON(`map with keys of type ${typeOf(key).name}`);
      this.spend(key.length);
      return [key, this.#json(map.get(key), way)];
    });
    return Object.fromEntries(entries);
  }

  #double(value: number): JSONValue {
    return Number.isFinite(value) ? value : notJSON("double that is no number");
  }

  #bytes(value: Uint8Array): JSONValue {
    this.spend(value.length * 2);
    return encodeBase64(value);
  }

  /** @throws {PatchError} when it becomes too much. */
  spend(size: number): void {
    this.#size += size;
    if (this.#size > MAX_REQUEST_BYTES) throw new PatchError(`the patch is larger than ${MAX_REQUEST_BYTES} bytes`);
  }
}

function notJSON(type: string): never {
  throw new PatchError(`JSONPath valueExpression evaluated to a type that could not marshal to JSON: ${type}`);
}
