import type { JSONValue } from "../meta/index.ts";
import { compileRE2 } from "../meta/re2.ts";
import { stringFormat } from "./formats/index.ts";
import { canonicalJSON } from "./go-format.ts";
import type { Schema } from "./schema.ts";

/** A schema made ready for checking: patterns and formats looked up, properties as lists. Internal to schema/. */
export interface Node {
  /** Empty where any type will do. */
  readonly types: readonly string[];
  readonly nullable: boolean;
  /** The format if it is one that is checked for this type, else `""`. */
  readonly format: string;
  readonly matchesFormat: ((text: string) => boolean) | undefined;
  readonly pattern: { readonly source: string; readonly matches: (text: string) => boolean } | undefined;
  readonly enum: readonly JSONValue[] | undefined;
  /** Whether a value is one of `enum`; of no use without one. Null never is, even where `enum` lists it: so it is in Kubernetes. */
  readonly acceptsEnum: (value: unknown) => boolean;
  readonly properties: ReadonlyMap<string, Node>;
  /** `true`: anything. */
  readonly additional: Node | boolean;
  readonly required: readonly string[];
  readonly items: Node | undefined;
  readonly allOf: readonly Node[];
  readonly anyOf: readonly Node[];
  readonly oneOf: readonly Node[];
  readonly not: Node | undefined;
  readonly listType: "atomic" | "set" | "map" | undefined;
  readonly listMapKeys: readonly string[];
  readonly isEmbeddedResource: boolean;
  /** Whether a list of type set or map is somewhere in here. */
  readonly hasUniqueLists: boolean;
  /** Whether an embedded resource is somewhere in here. */
  readonly hasEmbeddedResources: boolean;
  /** The schema as written: for the bounds. */
  readonly schema: Schema;
}

/**
 * @throws {Error} when a pattern is not RE2 syntax; `checkSchema` tells it as a complaint beforehand.
 */
export function compileNode(schema: Schema): Node {
  const types = schema["x-kubernetes-int-or-string"] === true ? ["integer", "string"] : schema.type === undefined ? [] : [schema.type];
  const format = checkedFormat(schema, types);
  const properties = new Map(Object.entries(schema.properties ?? {}).map(([name, property]) => [name, compileNode(property)]));
  const additional =
    typeof schema.additionalProperties === "object" ? compileNode(schema.additionalProperties) : (schema.additionalProperties ?? true);
  const items = schema.items === undefined ? undefined : compileNode(schema.items);
  const listType = schema["x-kubernetes-list-type"];
  const children = [...properties.values(), ...(typeof additional === "object" ? [additional] : []), ...(items === undefined ? [] : [items])];
  return {
    types,
    nullable: schema.nullable === true,
    format,
    matchesFormat: format === "" ? undefined : stringFormat(format),
    pattern: schema.pattern === undefined || schema.pattern === "" ? undefined : compilePattern(schema.pattern),
    enum: schema.enum === undefined || schema.enum.length === 0 ? undefined : schema.enum,
    acceptsEnum: compileEnum(schema.enum ?? []),
    properties,
    additional,
    required: schema.required ?? [],
    items,
    allOf: (schema.allOf ?? []).map(compileNode),
    anyOf: (schema.anyOf ?? []).map(compileNode),
    oneOf: (schema.oneOf ?? []).map(compileNode),
    not: schema.not === undefined ? undefined : compileNode(schema.not),
    listType,
    listMapKeys: schema["x-kubernetes-list-map-keys"] ?? [],
    isEmbeddedResource: schema["x-kubernetes-embedded-resource"] === true,
    hasUniqueLists: listType === "set" || listType === "map" || children.some((child) => child.hasUniqueLists),
    hasEmbeddedResources: schema["x-kubernetes-embedded-resource"] === true || children.some((child) => child.hasEmbeddedResources),
    schema,
  };
}

function compilePattern(source: string): Node["pattern"] {
  const compiled = compileRE2(source);
  return { source, matches: (text) => compiled.test(text) };
}

function compileEnum(allowed: readonly JSONValue[]): (value: unknown) => boolean {
  const scalars = new Set<unknown>(allowed.filter((value) => typeof value !== "object"));
  const others = new Set(allowed.filter((value) => typeof value === "object" && value !== null).map(canonicalJSON));
  return (value) => value !== null && (scalars.has(value) || (others.size > 0 && typeof value === "object" && others.has(canonicalJSON(value))));
}

/** Source: apiextensions StripUnsupportedFormatsPostProcessorForVersion: a format of another type, or an unknown one, is documentation. */
function checkedFormat({ format = "" }: Schema, types: readonly string[]): string {
  const type = types.length === 1 ? types[0] : "";
  if (type === "" || type === "string") return stringFormat(format) === undefined ? "" : format;
  if (type === "integer") return format === "int32" || format === "int64" ? format : "";
  if (type === "number") return format === "float" || format === "double" ? format : "";
  return "";
}
