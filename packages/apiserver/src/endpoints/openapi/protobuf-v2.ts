import { isJSONObject, type JSONValue } from "@annex/apimachinery";
import { any, bool, type Content, double, each, type Field, field, int64, message, named, string, text } from "./protobuf-fields.ts";

/** How clients ask for the protobuf form of OpenAPI v2: kubectl in the first way. */
export const V2_PROTOBUF_MEDIA_TYPES = [
  "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
  "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
] as const;
/** What the answer calls it: `@` may not stand in a media type. */
export const V2_PROTOBUF_CONTENT_TYPE = V2_PROTOBUF_MEDIA_TYPES[1];

/**
 * Writes an OpenAPI v2 document, as `renderV2` makes it, in protobuf: the only form that kubectl before 1.29 reads, and newer ones for kinds
 * that cannot be patched.
 *
 * Source: github.com/google/gnostic-models, openapiv2/OpenAPIv2.proto, for field numbers; of its messages those that `renderV2` makes.
 */
export const encodeV2Protobuf = (document: JSONValue): Uint8Array => documentMessage(document);

const schemaMessage: Content = (value) => {
  if (!isJSONObject(value)) return new Uint8Array();
  return SCHEMA(value);
};
const schemaReference: Field = (value) => field(1, schemaMessage)(value);

const additionalProperties: Content = (value) => (isJSONObject(value) ? schemaReference(value) : bool(2)(value));
const typeItem: Content = (value) => string(1)(value);

const SCHEMA = message(
  {
    $ref: string(1),
    format: string(2),
    title: string(3),
    description: string(4),
    default: field(5, any),
    multipleOf: double(6),
    maximum: double(7),
    exclusiveMaximum: bool(8),
    minimum: double(9),
    exclusiveMinimum: bool(10),
    maxLength: int64(11),
    minLength: int64(12),
    pattern: string(13),
    maxItems: int64(14),
    minItems: int64(15),
    uniqueItems: bool(16),
    maxProperties: int64(17),
    minProperties: int64(18),
    required: each(19, text),
    enum: each(20, any),
    additionalProperties: field(21, additionalProperties),
    type: field(22, typeItem),
    items: field(23, schemaReference),
    properties: field(25, named(1, schemaMessage)),
    example: field(30, any),
  },
  31,
);

const bodyParameter = message({ description: string(1), name: string(2), in: string(3), required: bool(4), schema: field(5, schemaMessage) });
const queryParameter = message({ required: bool(1), in: string(2), description: string(3), name: string(4), type: string(6) });
const pathParameter = message({ required: bool(1), in: string(2), description: string(3), name: string(4), type: string(5) });

/** A parameter is wrapped in what could also be a reference, and then in its kind. */
const parameterItem: Content = (value) => {
  const place = isJSONObject(value) ? value.in : undefined;
  const parameter = place === "body" ? field(1, bodyParameter) : field(2, place === "query" ? field(3, queryParameter) : field(4, pathParameter));
  return field(1, parameter)(value);
};

const response = message({ description: string(1), schema: field(2, schemaReference) });
const operation = message(
  {
    tags: each(1, text),
    description: string(3),
    operationId: string(5),
    produces: each(6, text),
    consumes: each(7, text),
    parameters: each(8, parameterItem),
    responses: field(9, named(1, field(1, response))),
    schemes: each(10, text),
  },
  13,
);
const pathItem = message({
  get: field(2, operation),
  put: field(3, operation),
  post: field(4, operation),
  delete: field(5, operation),
  patch: field(8, operation),
  parameters: each(9, parameterItem),
});

const apiKey = message({ type: string(1), name: string(2), in: string(3), description: string(4) });
const requirement = named(1, each(1, text));

const documentMessage = message({
  swagger: string(1),
  info: field(2, message({ title: string(1), version: string(2) })),
  paths: field(8, named(2, pathItem)),
  definitions: field(9, named(1, schemaMessage)),
  security: each(12, requirement),
  securityDefinitions: field(13, named(1, field(2, apiKey))),
});
