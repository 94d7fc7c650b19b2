import type { JSONObject } from "@annex/apimachinery";
import { mapSchema } from "./map-schema.ts";
import {
  commonParameters,
  type DocumentModel,
  type DocumentSchema,
  type Operation,
  type Parameter,
  type PathItem,
  type RequestBody,
} from "./model.ts";
import { REASONS } from "./render-v3.ts";

const reference = (name: string) => ({ $ref: `#/definitions/${name}` });

/**
 * Writes a document as OpenAPI 2.0 (Swagger), which knows less: {@link simplify}. Parameters stand where they are used: kubectl before 1.27 does not
 * follow references to them.
 *
 * Source: k8s.io/kube-openapi/pkg/builder.
 */
export function renderV2({ title, version, paths, definitions, builtIn }: DocumentModel): JSONObject {
  return {
    swagger: "2.0",
    info: { title, version },
    paths: Object.fromEntries(paths.map((item) => [item.path, renderPath(item)])),
    definitions: Object.fromEntries(Object.entries(definitions).map(([name, schema]) => [name, renderDefinition(schema, builtIn.has(name))])),
    securityDefinitions: { BearerToken: { description: "Bearer Token authentication", type: "apiKey", name: "authorization", in: "header" } },
    security: [{ BearerToken: [] }],
  };
}

/** Of a kind that keeps unknown fields nothing is said: clients would refuse what it does not name. */
function renderDefinition(schema: DocumentSchema, isBuiltIn: boolean): JSONObject {
  if (schema["x-kubernetes-preserve-unknown-fields"] !== true) return renderSchema(schema, isBuiltIn);
  const { description, "x-kubernetes-group-version-kind": kinds } = schema;
  const unsaid: DocumentSchema = {
    type: "object",
    ...(description === undefined ? {} : { description }),
    ...(kinds === undefined ? {} : { "x-kubernetes-group-version-kind": kinds }),
  };
  return renderSchema(unsaid, isBuiltIn);
}

function renderSchema(schema: DocumentSchema, isBuiltIn: boolean): JSONObject {
  return mapSchema(simplify(schema, isBuiltIn), (name, rest) => ({ ...rest, ...reference(name) }));
}

/**
 * Leaves out of a schema what OpenAPI 2.0 does not know (alternatives, null), and what kubectl cannot read in it: a field that may be null, or that keeps
 * unknown fields, has no type, properties or items; a list without items has no type; nothing has a default.
 *
 * @param isBuiltIn whether it is of a built-in kind, of which kubectl knows what may be null: there nothing is lost with that.
 * Source: apiextensions-apiserver/pkg/controller/openapi/v2, ToStructuralOpenAPIV2; kube-openapi handler, PruneDefaults.
 */
export function simplify(schema: DocumentSchema, isBuiltIn = false): DocumentSchema {
  const mayBeNull = (one: DocumentSchema | undefined) => !isBuiltIn && one?.nullable === true;
  const nested = (one: DocumentSchema) => simplify(one, isBuiltIn);
  const {
    allOf: _allOf,
    anyOf: _anyOf,
    oneOf: _oneOf,
    not: _not,
    default: _default,
    nullable: _nullable,
    type,
    properties,
    items,
    additionalProperties,
    required,
    ...rest
  } = schema;
  const keepsUnknown = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const isOpen = mayBeNull(schema) || keepsUnknown;
  const isUntyped = mayBeNull(schema) || (keepsUnknown && type === "object") || (type === "array" && (isOpen || items === undefined));
  const values = typeof additionalProperties === "object" ? additionalProperties : undefined;
  // To what keeps unknown fields nothing of an embedded object is added: what every object has is named, and required, by documents of v3 alone.
  const isOpenObject = keepsUnknown && schema["x-kubernetes-embedded-resource"] === true;
  const needed = mayBeNull(values) || isOpenObject ? [] : (required ?? []).filter((name) => isOpen || !mayBeNull(properties?.[name]));
  return {
    ...rest,
    ...(isUntyped || type === undefined ? {} : { type }),
    ...(isOpen || properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, nested(property)])) }),
    ...(isOpen || items === undefined ? {} : { items: nested(items) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: values === undefined ? additionalProperties : nested(values) }),
    ...(needed.length === 0 ? {} : { required: needed }),
  };
}

function renderPath(item: PathItem): JSONObject {
  const common = commonParameters(item);
  return {
    ...Object.fromEntries(item.operations.map((operation) => [operation.method, renderOperation(operation, common)])),
    ...(common.length === 0 ? {} : { parameters: common.map(renderParameter) }),
  };
}

function renderOperation(operation: Operation, common: readonly Parameter[]): JSONObject {
  const { id, tag, description, action, kind, parameters, body, responses, consumes, produces } = operation;
  const own = parameters.filter((parameter) => !common.includes(parameter)).map(renderParameter);
  const all = body === undefined ? own : [renderBody(body), ...own];
  return {
    description,
    consumes,
    produces,
    schemes: ["https"],
    tags: [tag],
    operationId: id,
    ...(all.length === 0 ? {} : { parameters: all }),
    responses: {
      ...Object.fromEntries(responses.map(({ code, schema }) => [code, { description: REASONS[code], schema: reference(schema) }])),
      401: { description: "Unauthorized" },
    },
    ...(action === undefined ? {} : { "x-kubernetes-action": action }),
    ...(kind === undefined ? {} : { "x-kubernetes-group-version-kind": { ...kind } }),
  };
}

function renderBody({ schema, isRequired }: RequestBody): JSONObject {
  return { name: "body", in: "body", ...(isRequired ? { required: true } : {}), schema: reference(schema) };
}

function renderParameter({ name, in: place, type, description }: Parameter): JSONObject {
  return { name, in: place, description, ...(place === "path" ? { required: true } : {}), type };
}
