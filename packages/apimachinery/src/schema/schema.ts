import type { JSONValue } from "../meta/index.ts";

/**
 * A structural schema: the part of OpenAPI v3 that CustomResourceDefinitions use, as plain data. The builder `t` makes one with a static type;
 * a CRD file's schema is one as it stands.
 *
 * Source: apiextensions/v1 JSONSchemaProps.
 */
export interface Schema {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly title?: string;
  readonly description?: string;
  readonly format?: string;
  readonly default?: JSONValue;
  readonly example?: JSONValue;
  readonly nullable?: boolean;
  readonly enum?: readonly JSONValue[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly externalDocs?: { readonly description?: string; readonly url?: string };
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
  /** Tried on every value of the schema that is written. */
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
  readonly "x-kubernetes-patch-strategy"?: string;
  readonly "x-kubernetes-patch-merge-key"?: string;
}

/** A rule in CEL on the value that a schema describes. Source: apiextensions/v1 ValidationRule. */
export interface ValidationRule {
  /** True for a good value: of `self`, and of `oldSelf`, which it had before. A rule with `oldSelf` is tried only where there was a value. */
  readonly rule: string;
  /** What is told of a bad value. Default: the rule itself. */
  readonly message?: string;
  /** Makes the message out of the value. What is no text, or empty, gives way to `message`. */
  readonly messageExpression?: string;
  /** Default `FieldValueInvalid`. */
  readonly reason?: string;
  /** The field below the value that the fault is told of: `.min`, `.labels['app']`. Default: the value itself. */
  readonly fieldPath?: string;
  /** Whether `oldSelf` is an optional: the rule is then tried on new values, too. Default false. */
  readonly optionalOldSelf?: boolean;
}
