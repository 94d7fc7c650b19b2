import type { Schema } from "../../schema/index.ts";

const STRING: Schema = { type: "string" };
const METADATA: Schema = { type: "object", properties: { name: STRING, generateName: STRING } };

/**
 * The schema of a resource, in which apiVersion, kind, metadata.name and metadata.generateName are always there; other metadata only when the
 * schema declares these two as well.
 *
 * Source: apiextensions-apiserver pkg/apiserver/schema/cel/model WithTypeAndObjectMeta.
 */
export function withTypeAndObjectMeta(schema: Schema): Schema {
  const { properties } = schema;
  const metadata = properties?.metadata;
  if (
    properties?.kind?.type === "string" &&
    properties.apiVersion?.type === "string" &&
    metadata?.type === "object" &&
    metadata.properties?.name?.type === "string" &&
    metadata.properties.generateName?.type === "string"
  ) {
    return schema;
  }
  return { ...schema, properties: { ...properties, kind: STRING, apiVersion: STRING, metadata: METADATA } };
}
