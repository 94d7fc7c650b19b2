import { type FunctionDeclaration, mergeFunctions } from "./check/declaration.ts";
import type { CostModel } from "./cost/model.ts";
import type { Macro } from "./syntax/macro.ts";
import { macroKey } from "./syntax/parser.ts";
import { type CelType, DURATION, TIMESTAMP, typeType } from "./value/type.ts";
import type { CelValue } from "./value/value.ts";

/** Functions, macros and types under one name, to be put into environments. */
export interface CelLibrary {
  readonly name: string;
  readonly functions: readonly FunctionDeclaration[];
  readonly macros?: readonly Macro[];
  /** Types that expressions may name: `type(x) == net.IP`. */
  readonly types?: readonly CelType[];
}

/** The fields of an object type, by the names under which expressions find them. */
export interface StructType {
  readonly type: CelType;
  readonly fields: ReadonlyMap<string, CelType>;
}

/** An object type that expressions may make: `Object.spec{replicas: 3}`. Source: k8s.io/apiserver/pkg/cel/common ResolvedType. */
export interface ConstructibleType {
  readonly type: CelType;
  /** The type of a field, for reading and for making; undefined when there is none such. */
  fieldType(field: string): CelType | undefined;
  /** The value of fields that were given; an error where they do not fit. */
  make(fields: ReadonlyMap<string, CelValue>): CelValue;
  /** Reads a field of a value that the checker knows to be of this type, `undefined` being one that is not set; absent where any value is read alike. */
  readonly readField?: FieldReader;
}

/** Reads a field. @returns undefined when it is not set. */
export type FieldReader = (value: CelValue, field: string) => CelValue | undefined;

export interface EnvironmentOptions {
  readonly libraries?: readonly CelLibrary[];
  readonly variables?: Readonly<Record<string, CelType>>;
  readonly structs?: readonly StructType[];
  /** Finds the types that expressions may make by their names; it is asked before {@link structs}. */
  readonly constructibleType?: (name: string) => ConstructibleType | undefined;
  /** Whether values may be of other types than their variables are declared with; then each call looks at its arguments. */
  readonly hasUntrustedTypes?: boolean;
  /** What calls cost, where the library of functions does not say it; without, what cel-go says. */
  readonly cost?: CostModel;
}

/** Names that Kubernetes gives to types of fields, and that its evaluation does not know. Source: k8s.io/apiserver/pkg/cel findScalar. */
const SCALAR_NAMES: ReadonlyMap<string, CelType> = new Map([
  ["duration", typeType(DURATION)],
  ["timestamp", typeType(TIMESTAMP)],
]);

/**
 * What expressions may use: libraries, variables, object types, and what calls cost. Never changed: {@link extend} makes another one.
 */
export class CelEnvironment {
  readonly functions: ReadonlyMap<string, FunctionDeclaration>;
  readonly macros: ReadonlyMap<string, Macro>;
  readonly variables: ReadonlyMap<string, CelType>;
  readonly cost: CostModel | undefined;
  readonly hasUntrustedTypes: boolean;
  readonly #types: ReadonlyMap<string, CelType>;
  readonly #structs: ReadonlyMap<string, StructType>;
  /** The type of a name whose objects expressions may make. */
  readonly constructibleType: (name: string) => ConstructibleType | undefined;

  constructor(options: EnvironmentOptions = {}, base?: CelEnvironment) {
    const functions = new Map(base?.functions);
    const macros = new Map(base?.macros);
    const types = new Map(base === undefined ? [] : base.#types);
    for (const library of options.libraries ?? []) {
      for (const each of library.functions) functions.set(each.name, mergeFunctions(functions.get(each.name), each));
      for (const macro of library.macros ?? []) macros.set(macroKey(macro.name, macro.argumentCount, macro.isReceiver), macro);
      for (const type of library.types ?? []) types.set(type.name, typeType(type));
    }
    const structs = new Map(base === undefined ? [] : base.#structs);
    for (const struct of options.structs ?? []) structs.set(struct.type.name, struct);
    this.functions = functions;
    this.macros = macros;
    this.variables = new Map([...(base?.variables ?? []), ...Object.entries(options.variables ?? {})]);
    this.cost = options.cost ?? base?.cost;
    this.hasUntrustedTypes = options.hasUntrustedTypes ?? base?.hasUntrustedTypes ?? false;
    this.constructibleType = options.constructibleType ?? base?.constructibleType ?? (() => undefined);
    this.#types = types;
    this.#structs = structs;
  }

  /** The same environment with more in it. */
  extend(options: EnvironmentOptions): CelEnvironment {
    return new CelEnvironment(options, this);
  }

  /** The type of the name of a type, for the checker. Not all of them are there when it comes to evaluation: {@link isTypeValue}. */
  typeNamed(name: string): CelType | undefined {
    const struct = this.constructibleType(name) ?? this.#structs.get(name);
    if (struct !== undefined) return typeType(struct.type);
    return this.#types.get(name) ?? (this.#structs.size === 0 ? undefined : SCALAR_NAMES.get(name));
  }

  /** Whether the name of a type may be evaluated. */
  isTypeValue(name: string): boolean {
    return this.#types.has(name);
  }

  /** Whether a type is one of objects whose fields are known. */
  hasFields(struct: string): boolean {
    return this.constructibleType(struct) !== undefined || this.#structs.has(struct);
  }

  /**
   * The type of a field of an object type; undefined when there is none. A field that is called as a word of CEL is found under its own name, and
   * under `__word__`.
   *
   * Source: k8s.io/apiserver/pkg/cel DeclTypeProvider.FindStructFieldType.
   */
  fieldType(struct: string, field: string): CelType | undefined {
    const constructible = this.constructibleType(struct);
    if (constructible !== undefined) return constructible.fieldType(field);
    const fields = this.#structs.get(struct)?.fields;
    return fields?.get(field) ?? fields?.get(`__${field}__`);
  }
}
