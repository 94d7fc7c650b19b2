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

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/** Writes a document as OpenAPI 3.0. Source: k8s.io/kube-openapi/pkg/builder3. */
export function renderV3({ title, version, paths, definitions }: DocumentModel): JSONObject {
  return {
    openapi: "3.0.0",
    info: { title, version },
    paths: Object.fromEntries(paths.map((item) => [item.path, renderPath(item)])),
    components: {
      schemas: Object.fromEntries(Object.entries(definitions).map(([name, schema]) => [name, renderSchema(schema)])),
      securitySchemes: { BearerToken: { description: "Bearer Token authentication", type: "apiKey", name: "authorization", in: "header" } },
    },
  };
}

/** Nothing may stand beside a `$ref` in OpenAPI 3.0: what does becomes a schema of its own around it. */
function renderSchema(schema: DocumentSchema): JSONObject {
  return mapSchema(schema, (name, rest) => (Object.keys(rest).length === 0 ? reference(name) : { ...rest, allOf: [reference(name)] }));
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
  const own = parameters.filter((parameter) => !common.includes(parameter));
  const answers = responses.map(({ code, schema }) => [code, { description: REASONS[code], content: content(produces, schema) }]);
  return {
    tags: [tag],
    description,
    operationId: id,
    ...(own.length === 0 ? {} : { parameters: own.map(renderParameter) }),
    ...(body === undefined ? {} : { requestBody: renderBody(body, consumes) }),
    responses: { ...Object.fromEntries(answers), 401: { description: "Unauthorized" } },
    ...(action === undefined ? {} : { "x-kubernetes-action": action }),
    ...(kind === undefined ? {} : { "x-kubernetes-group-version-kind": { ...kind } }),
  };
}

/** What the responses of operations say of themselves. */
export const REASONS = { 200: "OK", 201: "Created", 202: "Accepted" } as const;

function renderBody({ schema, isRequired }: RequestBody, mediaTypes: readonly string[]): JSONObject {
  return { content: content(mediaTypes, schema), ...(isRequired ? { required: true } : {}) };
}

function content(mediaTypes: readonly string[], schema: string): JSONObject {
  return Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, { schema: reference(schema) }]));
}

function renderParameter({ name, in: place, type, description }: Parameter): JSONObject {
  return { name, in: place, description, ...(place === "path" ? { required: true } : {}), schema: { type } };
}
