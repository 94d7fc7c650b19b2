import type { JSONObject } from "@annex/apimachinery";
import type { DocumentSchema } from "./model.ts";

/**
 * Writes a schema as JSON, with its references in the way of one version of OpenAPI. An object without properties says nothing of them.
 *
 * @param reference makes the JSON of a reference from the definition's name and what stands beside it.
 */
export function mapSchema(schema: DocumentSchema, reference: (name: string, rest: JSONObject) => JSONObject): JSONObject {
  const map = (nested: DocumentSchema): JSONObject => mapSchema(nested, reference);
  const { $ref, properties = {}, additionalProperties, items, not, allOf, anyOf, oneOf, ...rest } = schema;
  const json = {
    ...rest,
    ...(Object.keys(properties).length === 0
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, map(property)])) }),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: typeof additionalProperties === "object" ? map(additionalProperties) : additionalProperties }),
    ...(items === undefined ? {} : { items: map(items) }),
    ...(not === undefined ? {} : { not: map(not) }),
    ...(allOf === undefined ? {} : { allOf: allOf.map(map) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(map) }),
    ...(oneOf === undefined ? {} : { oneOf: oneOf.map(map) }),
    // Schemas are data; their interfaces only lack the index signature of JSON objects.
  } as unknown as JSONObject;
  return $ref === undefined ? json : reference($ref, json);
}
