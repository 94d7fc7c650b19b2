import { isJSONObject, type JSONValue } from "@annex/apimachinery";
import { any, bool, type Content, double, each, type Field, field, int64, message, named, string, text } from "./protobuf-fields.ts";

/** How clients ask for the protobuf form of OpenAPI v3 documents: client-go in the first way. */
export const V3_PROTOBUF_MEDIA_TYPES = [
  "application/com.github.proto-openapi.spec.v3@v1.0+protobuf",
  "application/com.github.proto-openapi.spec.v3.v1.0+protobuf",
] as const;
/** What the answer calls it: `@` may not stand in a media type. */
export const V3_PROTOBUF_CONTENT_TYPE = V3_PROTOBUF_MEDIA_TYPES[1];

/**
 * Writes an OpenAPI v3 document, as `renderV3` makes it, in protobuf.
 *
 * Source: github.com/google/gnostic-models, openapiv3/OpenAPIv3.proto, for field numbers; of its messages those that `renderV3` makes.
 */
export const encodeV3Protobuf = (document: JSONValue): Uint8Array => documentMessage(document);

const reference = message({ $ref: string(1) });

// Schemas hold schemas: a function, so that it may be named before the message is there.
const schema: Content = (value) => SCHEMA(value);
const schemaOrReference: Content = (value) => (isReference(value) ? field(2, reference)(value) : field(1, schema)(value));

const additionalProperties: Content = (value) => (isJSONObject(value) ? field(1, schemaOrReference)(value) : bool(2)(value));

/** A default has room for scalars alone: of any other it is only said that there is one. */
const defaultType: Content = (value) => {
  if (typeof value === "boolean") return bool(2)(value);
  if (typeof value === "string") return string(3)(value);
  return typeof value === "number" || typeof value === "bigint" ? double(1)(value) : new Uint8Array();
};

const SCHEMA = message(
  {
    nullable: bool(1),
    example: field(7, any),
    title: string(9),
    multipleOf: double(10),
    maximum: double(11),
    exclusiveMaximum: bool(12),
    minimum: double(13),
    exclusiveMinimum: bool(14),
    maxLength: int64(15),
    minLength: int64(16),
    pattern: string(17),
    maxItems: int64(18),
    minItems: int64(19),
    uniqueItems: bool(20),
    maxProperties: int64(21),
    minProperties: int64(22),
    required: each(23, text),
    enum: each(24, any),
    type: string(25),
    allOf: each(26, schemaOrReference),
    oneOf: each(27, schemaOrReference),
    anyOf: each(28, schemaOrReference),
    not: field(29, schema),
    items: field(30, field(1, schemaOrReference)),
    properties: field(31, named(1, schemaOrReference)),
    additionalProperties: field(32, additionalProperties),
    default: field(33, defaultType),
    description: string(34),
    format: string(35),
  },
  36,
);

const mediaTypes: Field = named(1, message({ schema: field(1, schemaOrReference) }));
const parameter: Content = field(
  1,
  message({ name: string(1), in: string(2), description: string(3), required: bool(4), schema: field(10, schemaOrReference) }),
);
const requestBody: Content = field(1, message({ description: string(1), content: field(2, mediaTypes), required: bool(3) }));
const response: Content = field(1, message({ description: string(1), content: field(3, mediaTypes) }));

const operation = message(
  {
    tags: each(1, text),
    description: string(3),
    operationId: string(5),
    parameters: each(6, parameter),
    requestBody: field(7, requestBody),
    responses: field(8, named(2, response)),
  },
  13,
);

const pathItem = message({
  get: field(4, operation),
  put: field(5, operation),
  post: field(6, operation),
  delete: field(7, operation),
  patch: field(10, operation),
  parameters: each(13, parameter),
});

const securityScheme: Content = field(1, message({ type: string(1), description: string(2), name: string(3), in: string(4) }));
const components = message({ schemas: field(1, named(1, schemaOrReference)), securitySchemes: field(7, named(1, securityScheme)) });

const documentMessage = message({
  openapi: string(1),
  info: field(2, message({ title: string(1), version: string(6) })),
  paths: field(4, named(1, pathItem)),
  components: field(5, components),
});

function isReference(value: unknown): boolean {
  return isJSONObject(value) && value.$ref !== undefined;
}
