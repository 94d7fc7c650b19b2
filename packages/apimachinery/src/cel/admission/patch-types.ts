import type { ConstructibleType } from "../environment.ts";
import { equals } from "../value/equality.ts";
import { CelError } from "../value/error.ts";
import { CelList } from "../value/list.ts";
import { CelMap, EntryMap } from "../value/map.ts";
import { CelOpaque } from "../value/opaque.ts";
import { CelOptional } from "../value/optional.ts";
import { showValue } from "../value/show.ts";
import { CelStruct } from "../value/struct.ts";
import { type CelType, DYN, STRING, structType } from "../value/type.ts";
import { typeOf } from "../value/type-of.ts";
import type { CelValue } from "../value/value.ts";

/** The type of what an apply configuration comes to. */
export const APPLY_CONFIGURATION = structType("Object");
/** The type of one operation of a JSON patch. */
export const JSON_PATCH = structType("JSONPatch");

/**
 * The types that mutations may make: `JSONPatch`, and `Object` with `Object.spec` and so on for what is in it, whose fields nobody knows.
 *
 * Source: k8s.io/apiserver/pkg/cel/mutation/typeresolver.go.
 */
export function patchType(name: string): ConstructibleType | undefined {
  if (name === JSON_PATCH.name) return JSON_PATCH_TYPE;
  return name === APPLY_CONFIGURATION.name || name.startsWith("Object.") ? objectType(structType(name)) : undefined;
}

const objectType = (type: CelType): ConstructibleType => ({
  type,
  fieldType: () => DYN,
  make: (fields) => new ObjectValue(type, fields),
  readField: (value, field) => (value instanceof ObjectValue ? value.plain().find(field) : undefined),
});

/** An object that an expression made. Source: k8s.io/apiserver/pkg/cel/mutation/dynamic/objects.go. */
export class ObjectValue extends CelOpaque {
  readonly type: CelType;
  readonly fields: ReadonlyMap<string, CelValue>;

  constructor(type: CelType, fields: ReadonlyMap<string, CelValue>) {
    super();
    this.type = type;
    this.fields = fields;
  }

  override get isZero(): boolean {
    return this.fields.size === 0;
  }

  /** By types and values alike: 1 is not 1.0. */
  equals(other: CelValue): boolean {
    return isIdentical(this, other);
  }

  /** The object as a map, and so all objects in it: as such its fields are read. */
  plain(): CelMap {
    const map = new EntryMap();
    for (const [name, value] of this.fields) map.set(name, plainOf(value));
    return map;
  }

  toString(): string {
    return this.type.name;
  }
}

function plainOf(value: CelValue): CelValue {
  if (value instanceof ObjectValue) return value.plain();
  if (value instanceof CelOptional) return value.value === undefined ? null : plainOf(value.value);
  return value instanceof CelList ? new PlainList(value) : value instanceof CelMap ? new PlainMap(value) : value;
}

/** A list, with the objects in it as maps. */
class PlainList extends CelList {
  readonly #list: CelList;

  constructor(list: CelList) {
    super();
    this.#list = list;
  }

  get size(): number {
    return this.#list.size;
  }

  at(index: number): CelValue {
    return plainOf(this.#list.at(index));
  }
}

/** A map, with the objects in it as maps. */
class PlainMap extends CelMap {
  readonly #map: CelMap;

  constructor(map: CelMap) {
    super();
    this.#map = map;
  }

  get size(): number {
    return this.#map.size;
  }

  find(key: CelValue): CelValue | undefined {
    const found = this.#map.find(key);
    return found === undefined ? undefined : plainOf(found);
  }

  keys(): readonly CelValue[] {
    return this.#map.keys();
  }
}

/** Go compares the fields of objects as its own data: a list holds a function, and so is like itself alone. */
function isIdentical(left: CelValue, right: CelValue): boolean {
  if (left === right) return true;
  if (left instanceof CelList || typeOf(left).name !== typeOf(right).name) return false;
  if (left instanceof ObjectValue) return right instanceof ObjectValue && haveIdenticalEntries(left.fields, right.fields);
  if (left instanceof CelMap) return right instanceof CelMap && haveIdenticalEntries(entriesOf(left), entriesOf(right));
  return equals(left, right) === true;
}

function haveIdenticalEntries(left: ReadonlyMap<CelValue, CelValue>, right: ReadonlyMap<CelValue, CelValue>): boolean {
  if (left.size !== right.size) return false;
  return [...left].every(([key, value]) => {
    const its = right.get(key);
    return its !== undefined && isIdentical(value, its);
  });
}

const entriesOf = (map: CelMap): ReadonlyMap<CelValue, CelValue> => new Map(map.keys().map((key) => [key, map.get(key)]));

const GO_TYPES: Readonly<Record<string, string>> = {
  bool: "bool",
  bytes: "[]uint8",
  double: "float64",
  int: "int64",
  list: "[]interface {}",
  map: "map[string]interface {}",
  null_type: "structpb.NullValue",
  uint: "uint64",
};

const TEXT_FIELDS: ReadonlySet<CelValue> = new Set(["op", "path", "from"]);

const JSON_PATCH_TYPE: ConstructibleType = {
  type: JSON_PATCH,
  fieldType: (field) => (field === "value" ? DYN : TEXT_FIELDS.has(field) ? STRING : undefined),
  make(fields) {
    const texts = { op: "", path: "", from: "" };
    for (const name of ["op", "path", "from"] as const) {
      const text = fields.get(name) ?? "";
      if (typeof text !== "string")
        return new CelError(`unexpected type ${GO_TYPES[typeOf(text).name] ?? typeOf(text).name} for JSONPatchType '${name}' field`);
      texts[name] = text;
    }
    return new JSONPatchValue(texts.op, texts.path, texts.from, fields.get("value"));
  },
};

/** An operation of a JSON patch. Source: k8s.io/apiserver/pkg/cel/mutation/jsonpatch.go. */
export class JSONPatchValue extends CelStruct {
  readonly op: string;
  readonly path: string;
  readonly from: string;
  readonly value: CelValue | undefined;

  constructor(op: string, path: string, from: string, value: CelValue | undefined) {
    super();
    this.op = op;
    this.path = path;
    this.from = from;
    this.value = value;
  }

  get type(): CelType {
    return JSON_PATCH;
  }

  equals(other: CelValue): CelValue {
    if (!(other instanceof JSONPatchValue)) return false;
    if (this.op !== other.op || this.path !== other.path || this.from !== other.from) return false;
    if (this.value === undefined || other.value === undefined) return this.value === other.value;
    return equals(this.value, other.value);
  }

  find(field: CelValue): CelValue | undefined {
    const value = this.#field(field, "unsupported field");
    return value === "" && TEXT_FIELDS.has(field) ? undefined : value;
  }

  get(field: CelValue): CelValue {
    return this.#field(field, "unsupported indexer") ?? null;
  }

  #field(name: CelValue, complaint: string): CelValue | undefined {
    switch (name) {
      case "op":
      case "path":
      case "from":
      case "value":
        return this[name];
      default:
        return new CelError(`${complaint}: ${showValue(name)}`);
    }
  }

  toString(): string {
    return this.type.name;
  }
}
