import type { JSONValue } from "../meta/index.ts";
import type { ObjectMeta } from "../meta/object.ts";
import type { Schema, ValidationRule } from "./schema.ts";

declare const phantom: unique symbol;

/** A schema that knows the TypeScript type of the values it describes. At run time it is the plain {@link Schema} and nothing more. */
export interface TSchema<T = unknown> extends Schema {
  readonly [phantom]?: T;
}

/** A property that a writer may leave out; made by `t.optional`, understood by `t.object`. */
export interface TOptional<T = unknown> {
  readonly optional: TSchema<T>;
}

/** The type of the values that a schema describes, as a reader finds them: defaulted, pruned, valid. `unknown` for a schema that was not built by `t`. */
export type Static<S> = S extends TSchema<infer T> ? T : never;

/** The properties of an object schema. */
export type Properties = Readonly<Record<string, TSchema | TOptional>>;

type OptionalKeys<P> = { [K in keyof P]: P[K] extends TOptional ? K : never }[keyof P];
type PropertyStatic<P> = P extends TOptional<infer T> ? T : Static<P>;

/** The type of an object with these properties. A property with a default is always there: whoever reads finds it filled in. */
export type StaticProperties<P extends Properties> = {
  readonly [K in Exclude<keyof P, OptionalKeys<P>>]: PropertyStatic<P[K]>;
} & { readonly [K in OptionalKeys<P>]?: PropertyStatic<P[K]> } extends infer Both
  ? { readonly [K in keyof Both]: Both[K] }
  : never;

/**
 * As T, and an optional property may also be given as `undefined` (dropped on encoding): what an author's function returns under
 * `exactOptionalPropertyTypes`.
 */
export type Lenient<T> = T extends readonly (infer E)[]
  ? readonly Lenient<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Lenient<T[K]> | (Record<never, never> extends Pick<T, K> ? undefined : never) }
    : T;

/** What every schema may carry. `T` is the type of its default, which must be valid against the schema itself. */
export interface CommonOptions<T = JSONValue> {
  /** In an `isBuiltIn` kind the name of the Go type, which documents then have a definition of. */
  readonly title?: string;
  /** What `kubectl explain` prints. */
  readonly description?: string;
  /** Filled in where a writer leaves the property out. The property is then optional for writers and there for readers. */
  readonly default?: T;
  readonly example?: T;
  /** Value validations only (no `type`, `properties` of their own beyond the schema's): they constrain, they do not add fields. */
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  /** Rules in CEL about the value, made by {@link rule}. */
  readonly rules?: readonly ValidationRule[];
}

/** The formats of strings that are checked. */
export type StringFormat =
  | "bsonobjectid"
  | "byte"
  | "cidr"
  | "creditcard"
  | "date"
  | "date-time"
  | "duration"
  | "email"
  | "hexcolor"
  | "hostname"
  | "ipv4"
  | "ipv6"
  | "isbn"
  | "isbn10"
  | "isbn13"
  | "k8s-long-name"
  | "k8s-short-name"
  | "mac"
  | "password"
  | "rgbcolor"
  | "ssn"
  | "uri"
  | "uuid"
  | "uuid3"
  | "uuid4"
  | "uuid5";

export interface StringOptions<T extends string = string> extends CommonOptions<T> {
  /** One that CustomResourceDefinitions check; another is documentation only. */
  readonly format?: StringFormat | (string & Record<never, never>);
  /** In characters (code points). */
  readonly minLength?: number;
  readonly maxLength?: number;
  /** RE2 syntax, not anchored. */
  readonly pattern?: string;
  readonly enum?: readonly T[];
}

export interface NumberOptions<T = number> extends CommonOptions<T> {
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly enum?: readonly T[];
}

export interface BooleanOptions extends CommonOptions<boolean> {
  readonly enum?: readonly boolean[];
}

export interface ObjectOptions extends CommonOptions {
  readonly minProperties?: number;
  readonly maxProperties?: number;
  /** Fields that the schema does not name are kept. */
  readonly "x-kubernetes-preserve-unknown-fields"?: true;
  /** `atomic`: one field manager owns the whole object. */
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
}

export interface ArrayOptions extends CommonOptions {
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly "x-kubernetes-patch-strategy"?: string;
  readonly "x-kubernetes-patch-merge-key"?: string;
}

export interface ListMapOptions<K extends string> extends ArrayOptions {
  /** The properties that tell elements apart. */
  readonly keys: readonly [K, ...K[]];
}

export interface EmbeddedResourceOptions<P extends Properties> extends CommonOptions {
  /** The fields beside `apiVersion`, `kind` and `metadata`; others are dropped. Default: any, kept as they are. */
  readonly properties?: P;
}

/** An object within an object: `apiVersion` and `kind` are there, `metadata` need not be. */
export interface EmbeddedResource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: ObjectMeta;
  readonly [field: string]: unknown;
}

/** Bounds of a number count for numbers, those of a text for texts. */
export interface IntOrStringOptions
  extends CommonOptions<number | string>,
    Pick<StringOptions, "format" | "maxLength" | "minLength" | "pattern">,
    Pick<NumberOptions, "exclusiveMaximum" | "exclusiveMinimum" | "maximum" | "minimum" | "multipleOf"> {
  readonly enum?: readonly (number | string)[];
}

/** The options of schemas whose values have no constraint of their own. */
export interface AnyOptions extends CommonOptions {
  readonly enum?: readonly JSONValue[];
}

/**
 * A rule in CEL: true for a good value of `self`, and for a good change from `oldSelf`.
 *
 * ```ts
 * const range = t.object({ min: t.integer(), max: t.integer() }, { rules: [rule("self.min <= self.max", { message: "min must not exceed max" })] });
 * ```
 *
 * Source: apiextensions/v1 ValidationRule.
 */
export function rule(expression: string, options: Omit<ValidationRule, "rule"> = {}): ValidationRule {
  return { rule: expression, ...options };
}

/** The keywords that options stand for. */
function keywords({ rules = [], ...options }: Omit<Schema, "default" | "enum"> & Pick<CommonOptions<unknown>, "rules" | "default">): Schema {
  // All other options are spelled as in the schema, and `T` is a type of JSON values.
  return { ...options, ...(rules.length === 0 ? {} : { "x-kubernetes-validations": rules }) } as Schema;
}

/**
 * Builds schemas. Each function returns plain {@link Schema} data, which is OpenAPI, with a static type that {@link Static} reads.
 *
 * ```ts
 * const spec = t.object({ image: t.string(), replicas: t.integer({ minimum: 0, default: 1 }), note: t.optional(t.string()) });
 * type Spec = Static<typeof spec>; // { readonly image: string; readonly replicas: number; readonly note?: string }
 * ```
 */
export const t = {
  /**
   * An object with these properties; those that are neither optional nor have a default are required.
   */
  object<const P extends Properties>(properties: P, options: ObjectOptions = {}): TSchema<StaticProperties<P>> {
    const entries = Object.entries(properties);
    const required = entries.filter(([, property]) => !isOptional(property) && property.default === undefined).map(([name]) => name);
    return {
      type: "object",
      ...keywords(options),
      properties: Object.fromEntries(entries.map(([name, property]) => [name, isOptional(property) ? property.optional : property])),
      ...(required.length === 0 ? {} : { required }),
    };
  },

  /**
   * A property that may be left out, and is then absent for readers too.
   *
   * @throws {TypeError} when the schema has a default: that alone lets writers leave the property out, and readers always find it.
   */
  optional<T>(schema: TSchema<T>): TOptional<T> {
    if (schema.default !== undefined) throw new TypeError("a property with a default is optional already: leave t.optional away");
    return { optional: schema };
  },

  /** The same, or null. Without it a null is refused, or dropped where a default can take its place. */
  nullable<T>(schema: TSchema<T>): TSchema<T | null> {
    // As plain data: the spread would keep the phantom of T.
    return { ...(schema as Schema), nullable: true };
  },

  string<T extends string = string>(options: StringOptions<T> = {}): TSchema<T> {
    return { type: "string", ...keywords(options) };
  },

  /**
   * A whole number that a `number` holds exactly: it is bounded by ±(2^53 − 1) where neither the options nor the format `int32` bound it tighter. `5.0` is whole, too.
   * Use {@link t.int64} where larger ones must pass.
   */
  integer(options: NumberOptions = {}): TSchema<number> {
    if (options.format === "int32") return { type: "integer", ...keywords(options) };
    const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = options;
    return {
      type: "integer",
      ...keywords(options),
      minimum: Math.max(minimum, Number.MIN_SAFE_INTEGER),
      maximum: Math.min(maximum, Number.MAX_SAFE_INTEGER),
    };
  },

  /** A whole number of 64 bits: a `bigint` beyond ±(2^53 − 1), else a `number`. */
  int64(options: Omit<NumberOptions<number | bigint>, "format"> = {}): TSchema<number | bigint> {
    return { type: "integer", format: "int64", ...keywords(options) };
  },

  /** Any number. A whole one that a `number` does not hold exactly becomes the nearest that it does, as a float64 of Go. */
  number(options: NumberOptions = {}): TSchema<number> {
    return { type: "number", ...keywords(options) };
  },

  boolean(options: BooleanOptions = {}): TSchema<boolean> {
    return { type: "boolean", ...keywords(options) };
  },

  /**
   * One of these values: all strings, or all numbers.
   *
   * @throws {TypeError} when there is none.
   */
  literals<const V extends readonly string[] | readonly number[]>(values: V, options: CommonOptions<V[number]> = {}): TSchema<V[number]> {
    const [first] = values;
    if (first === undefined) throw new TypeError("t.literals needs a value at least");
    const type = typeof first === "string" ? "string" : values.every((value) => Number.isInteger(value)) ? "integer" : "number";
    return { type, ...keywords(options), enum: values };
  },

  /** A list that is replaced as a whole (server-side apply knows no elements in it). */
  array<T>(items: TSchema<T>, options: ArrayOptions = {}): TSchema<readonly T[]> {
    return { type: "array", ...keywords(options), items };
  },

  /** As {@link t.array}, saying so: `x-kubernetes-list-type: atomic`. */
  atomic<T>(items: TSchema<T>, options: ArrayOptions = {}): TSchema<readonly T[]> {
    return { type: "array", ...keywords(options), "x-kubernetes-list-type": "atomic", items };
  },

  /** A list in which no element occurs twice; each is owned by whoever applied it. */
  set<T>(items: TSchema<T>, options: ArrayOptions = {}): TSchema<readonly T[]> {
    return { type: "array", ...keywords(options), "x-kubernetes-list-type": "set", items };
  },

  /**
   * A list of objects that are told apart by some of their properties, which must be scalars: server-side apply merges them one by one.
   * A key must be required, or have a default.
   */
  listMap<T extends object>(items: TSchema<T>, { keys, ...options }: ListMapOptions<Extract<keyof T, string>>): TSchema<readonly T[]> {
    return { type: "array", ...keywords(options), "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys, items };
  },

  /** An object of any keys, whose values all have one schema. */
  record<T>(values: TSchema<T>, options: ObjectOptions = {}): TSchema<{ readonly [key: string]: T }> {
    return { type: "object", ...keywords(options), additionalProperties: values };
  },

  /** A whole number or a string, as ports and `maxUnavailable` are. The number is bounded as one of {@link t.integer} is. */
  intOrString(options: IntOrStringOptions = {}): TSchema<number | string> {
    const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = options;
    return {
      ...keywords(options),
      minimum: Math.max(minimum, Number.MIN_SAFE_INTEGER),
      maximum: Math.min(maximum, Number.MAX_SAFE_INTEGER),
      "x-kubernetes-int-or-string": true,
    };
  },

  /** Any JSON value, kept as it is. */
  unknown(options: AnyOptions = {}): TSchema<unknown> {
    return { ...keywords(options), "x-kubernetes-preserve-unknown-fields": true };
  },

  /** A whole API object: its `apiVersion`, `kind` and `metadata` are checked. */
  embeddedResource<const P extends Properties = Record<never, never>>({
    properties,
    ...options
  }: EmbeddedResourceOptions<P> = {}): TSchema<[keyof P] extends [never] ? EmbeddedResource : EmbeddedResource & StaticProperties<P>> {
    const fields: Schema = properties === undefined ? { "x-kubernetes-preserve-unknown-fields": true } : t.object(properties);
    return { type: "object", ...keywords(options), ...fields, "x-kubernetes-embedded-resource": true };
  },
} as const;

function isOptional(property: TSchema | TOptional): property is TOptional {
  return "optional" in property;
}
