import type { GroupVersionKind, Schema } from "@annex/apimachinery";

type Nested = "properties" | "additionalProperties" | "items" | "allOf" | "anyOf" | "oneOf" | "not";

/** A schema as documents have it: a {@link Schema}, and references between definitions. What is beside a `$ref` describes the place, not the definition. */
export interface DocumentSchema extends Omit<Schema, Nested> {
  /** The name of a definition. */
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, DocumentSchema>>;
  readonly additionalProperties?: DocumentSchema | boolean;
  readonly items?: DocumentSchema;
  readonly allOf?: readonly DocumentSchema[];
  readonly anyOf?: readonly DocumentSchema[];
  readonly oneOf?: readonly DocumentSchema[];
  readonly not?: DocumentSchema;
  readonly "x-kubernetes-group-version-kind"?: readonly GroupVersionKind[];
  readonly "x-kubernetes-selectable-fields"?: readonly { readonly fieldPath: string }[];
}

/** Definitions by name. */
export type Definitions = Readonly<Record<string, DocumentSchema>>;

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly type: "string" | "integer" | "boolean";
  readonly description: string;
}

/** What a request may carry. */
export interface RequestBody {
  /** The name of a definition. */
  readonly schema: string;
  readonly isRequired: boolean;
}

export interface Response {
  readonly code: 200 | 201 | 202;
  /** The name of a definition. */
  readonly schema: string;
}

/** One method of a path, before it is written in one of the two versions of OpenAPI. Every one of them may also answer 401. */
export interface Operation {
  readonly method: "get" | "put" | "post" | "delete" | "patch";
  readonly id: string;
  readonly tag: string;
  readonly description: string;
  /** `list`, `post`, `deletecollection` …; absent for discovery. */
  readonly action?: string;
  /** Of the objects that the path serves; absent for discovery. */
  readonly kind?: GroupVersionKind;
  /** All of them, with those of the path. */
  readonly parameters: readonly Parameter[];
  readonly body?: RequestBody;
  /** The media types of the body; OpenAPI v2 has them of operations without one, too. */
  readonly consumes: readonly string[];
  readonly responses: readonly Response[];
  /** The media types of the responses. */
  readonly produces: readonly string[];
}

export interface PathItem {
  readonly path: string;
  readonly operations: readonly Operation[];
}

/** What a document describes. */
export interface DocumentModel {
  readonly title: string;
  readonly version: string;
  readonly paths: readonly PathItem[];
  readonly definitions: Definitions;
  /** The names of those that are of `isBuiltIn` kinds. */
  readonly builtIn: ReadonlySet<string>;
}

/** The parameters that all operations of a path have: documents say them once. Source: k8s.io/kube-openapi/pkg/builder, findCommonParameters. */
export function commonParameters({ operations }: PathItem): readonly Parameter[] {
  const [first, ...others] = operations;
  return (first?.parameters ?? []).filter((parameter) => others.every((other) => other.parameters.includes(parameter)));
}

/** The definitions that paths refer to, and those that these refer to, by name. */
export function referencedDefinitions(paths: readonly PathItem[], definitions: Definitions): Definitions {
  const names = new Set<string>();
  const visit = (schema: DocumentSchema): void => {
    if (schema.$ref !== undefined) add(schema.$ref);
    for (const nested of nestedSchemas(schema)) visit(nested);
  };
  const add = (name: string): void => {
    const definition = definitions[name];
    if (definition === undefined) throw new Error(`OpenAPI: there is no definition ${name}`);
    if (names.has(name)) return;
    names.add(name);
    visit(definition);
  };
  for (const { operations } of paths) {
    for (const { body, responses } of operations) {
      if (body !== undefined) add(body.schema);
      for (const { schema } of responses) add(schema);
    }
  }
  // Every name was looked up above.
  return Object.fromEntries([...names].sort().map((name) => [name, definitions[name] as DocumentSchema]));
}

function nestedSchemas(schema: DocumentSchema): DocumentSchema[] {
  const { properties = {}, additionalProperties, items, not, allOf = [], anyOf = [], oneOf = [] } = schema;
  const nested = [...Object.values(properties), ...allOf, ...anyOf, ...oneOf];
  if (typeof additionalProperties === "object") nested.push(additionalProperties);
  if (items !== undefined) nested.push(items);
  if (not !== undefined) nested.push(not);
  return nested;
}
