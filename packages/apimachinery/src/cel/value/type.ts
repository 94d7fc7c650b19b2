import { CelObject } from "./object.ts";
import type { CelValue } from "./value.ts";

/** What kind a type is. `opaque` types have a name and parameters; `struct` types have fields. */
export type TypeKind =
  | "any"
  | "bool"
  | "bytes"
  | "double"
  | "duration"
  | "dyn"
  | "error"
  | "int"
  | "list"
  | "map"
  | "null"
  | "opaque"
  | "string"
  | "struct"
  | "timestamp"
  | "type"
  | "typeParam"
  | "uint";

/**
 * A type, of an expression as of a value (`type(1)` is one).
 *
 * Source: cel-go common/types/types.go.
 */
export class CelType extends CelObject {
  readonly kind: TypeKind;
  /** As `type(value)` shows it: `int`, `google.protobuf.Timestamp`. */
  readonly name: string;
  readonly parameters: readonly CelType[];
  /** Whether it is or has type parameters. */
  readonly isOpen: boolean;
  /** Of how many types it consists. */
  readonly size: number;

  constructor(kind: TypeKind, name: string, parameters: readonly CelType[] = []) {
    super();
    this.kind = kind;
    this.name = name;
    this.parameters = parameters;
    this.isOpen = kind === "typeParam" || parameters.some(({ isOpen }) => isOpen);
    this.size = parameters.reduce((sum, { size }) => sum + size, 1);
  }

  get type(): CelType {
    return TYPE;
  }

  /** As a value a type is its name. */
  equals(other: CelValue): boolean {
    return other instanceof CelType && other.name === this.name;
  }

  toString(): string {
    return this.name;
  }

  /** The same type, with the same parameters. */
  isExactly(other: CelType): boolean {
    return this.#matches(other, true);
  }

  /** The same type up to the names of type parameters. */
  isEquivalent(other: CelType): boolean {
    return this.#matches(other, false);
  }

  #matches(other: CelType, withParameterNames: boolean): boolean {
    if (this === other) return true;
    if (this.kind !== other.kind || this.parameters.length !== other.parameters.length) return false;
    if ((withParameterNames || this.kind !== "typeParam") && this.name !== other.name) return false;
    return this.parameters.every((parameter, index) => {
      const its = other.parameters[index];
      return its !== undefined && parameter.#matches(its, withParameterNames);
    });
  }
}

/** A type with its parameters, as Go's Type.String writes it: `list(string)`, `google.protobuf.Timestamp`. */
export function typeText({ name, parameters }: CelType): string {
  return parameters.length === 0 ? name : `${name}(${parameters.map(typeText).join(", ")})`;
}

/** A type as faults show it. Source: cel-go checker.FormatCELType. */
export function showType(type: CelType): string {
  if (type.kind === "duration" || type.kind === "timestamp" || type.kind === "null" || type.kind === "any") return type.kind;
  if (type.kind === "error") return "!error!";
  return type.parameters.length === 0 ? type.name : `${type.name}(${type.parameters.map(showType).join(", ")})`;
}

export const ANY = new CelType("any", "google.protobuf.Any");
export const BOOL = new CelType("bool", "bool");
export const BYTES = new CelType("bytes", "bytes");
export const DOUBLE = new CelType("double", "double");
export const DURATION = new CelType("duration", "google.protobuf.Duration");
export const DYN = new CelType("dyn", "dyn");
export const ERROR = new CelType("error", "error");
export const INT = new CelType("int", "int");
export const NULL = new CelType("null", "null_type");
export const STRING = new CelType("string", "string");
export const TIMESTAMP = new CelType("timestamp", "google.protobuf.Timestamp");
export const TYPE = new CelType("type", "type");
export const UINT = new CelType("uint", "uint");

export const listType = (element: CelType): CelType => new CelType("list", "list", [element]);
export const mapType = (key: CelType, value: CelType): CelType => new CelType("map", "map", [key, value]);
export const opaqueType = (name: string, ...parameters: readonly CelType[]): CelType => new CelType("opaque", name, parameters);
export const optionalType = (value: CelType): CelType => opaqueType("optional_type", value);
export const structType = (name: string): CelType => new CelType("struct", name);
/** The type of a type. */
export const typeType = (of: CelType): CelType => new CelType("type", "type", [of]);
export const typeParameter = (name: string): CelType => new CelType("typeParam", name);

export const LIST = listType(DYN);
export const MAP = mapType(DYN, DYN);
export const OPTIONAL = opaqueType("optional_type");
