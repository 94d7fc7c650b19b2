import type { Schema } from "./schema.ts";

/** A path and the schema of the field that it leads to, or why it leads nowhere. */
export type FoundField = { readonly path: string; readonly schema: Schema; readonly fault?: undefined } | { readonly fault: string };

export interface FindFieldOptions {
  /** Whether steps may stand in brackets: `.labels['app']`. Default true. */
  readonly allowsBrackets?: boolean;
}

/**
 * Follows a JSON path of field and map accessors through a schema.
 *
 * @param jsonPath `.spec.list['a key'].name`.
 * @returns the path as the fields of faults are written: `spec.list[a key].name`.
 * Source: apiextensions-apiserver pkg/apiserver/schema/cel, ValidFieldPath.
 */
export function findFieldPath(jsonPath: string, root: Schema, { allowsBrackets = true }: FindFieldOptions = {}): FoundField {
  const tokens = jsonPath.match(/'(?:[^']|(?<=\\)')*'?|[.[\]]|[^.[\]]+/g) ?? [];
  let schema = root;
  let path = "";
  for (let index = 0; index < tokens.length; index++) {
    const delimiter = tokens[index] ?? "";
    if (delimiter !== "." && delimiter !== "[") return { fault: `expected [ or . but got: ${delimiter}` };
    if (delimiter === "[" && !allowsBrackets) return { fault: "array notation is not allowed" };
    const token = tokens[++index];
    if (token === undefined) return { fault: "unexpected end of JSON path" };
    const name = delimiter === "." ? token : unquoted(token);
    if (typeof name !== "string") return name;
    const step = findStep(schema, name);
    if (step === undefined) return { fault: "does not refer to a valid field" };
    schema = step.schema;
    path += step.isProperty ? `${path === "" ? "" : "."}${name}` : `[${name}]`;
    if (delimiter === ".") continue;
    const end = tokens[++index];
    if (end === undefined) return { fault: "unexpected end of JSON path" };
    if (end !== "]") return { fault: `expected ] but got ${end}` };
  }
  return { path, schema };
}

function findStep({ properties, additionalProperties }: Schema, name: string): { readonly schema: Schema; readonly isProperty: boolean } | undefined {
  if (properties !== undefined) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return property && { schema: property, isProperty: true };
  }
  if (additionalProperties === undefined || additionalProperties === false) return undefined;
  // A map of anything has values of no known type.
  return { schema: additionalProperties === true ? {} : additionalProperties, isProperty: false };
}

const ESCAPES: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v", "'": "'", "\\": "\\" };

function unquoted(token: string): string | { readonly fault: string } {
  if (token.length < 2 || !token.startsWith("'") || !token.endsWith("'")) return { fault: `expected single quoted string but got ${token}` };
  const text = token.slice(1, -1);
  const bad = text.match(/\\./gs)?.find((escape) => ESCAPES[escape.slice(1)] === undefined);
  if (bad !== undefined) return { fault: `invalid string literal: invalid escape char ${bad}` };
  return text.replace(/\\(.)/gs, (_match, char: string) => ESCAPES[char] ?? char);
}
