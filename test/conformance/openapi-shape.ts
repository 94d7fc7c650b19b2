// What of an OpenAPI document is compared: operations, and the shapes of the subjects' kinds. Descriptions and names of definitions are not.
import { isArray, isObject, type JSONObject, type JSONValue } from "./json.ts";

const SHAPE_KEYS = ["type", "format", "enum", "required", "pattern", "nullable"];
/** Not part of a shape: rules have scenarios of their own, and the kind is the shape's key. */
const OTHER_EXTENSIONS = new Set(["x-kubernetes-validations", "x-kubernetes-group-version-kind"]);
const OPERATION_KEYS = ["x-kubernetes-action", "x-kubernetes-group-version-kind"];
/** Kinds that every group has. */
const COMMON_KINDS = new Set(["DeleteOptions", "WatchEvent"]);
/** References deeper than this stay references: schemas may contain themselves. */
const MAX_DEPTH = 8;

/** @param document of version 2 or 3. @param groups whose kinds' shapes are wanted. */
export function projectOpenAPI(document: JSONObject, pathPrefix: string, groups: readonly string[]): JSONObject {
  const shared = objectAt(document, "parameters");
  const paths = Object.entries(objectAt(document, "paths")).filter(([path]) => path.startsWith(pathPrefix));
  const definitions = isObject(document.definitions) ? document.definitions : objectAt(objectAt(document, "components"), "schemas");
  return {
    version: document.openapi ?? document.swagger ?? null,
    paths: Object.fromEntries(paths.map(([path, item]) => [path, pathShape(isObject(item) ? item : {}, shared)])),
    definitions: Object.fromEntries(Object.values(definitions).flatMap((definition) => kindShapes(definition, definitions, groups))),
  };
}

function objectAt(value: JSONObject, key: string): JSONObject {
  const member = value[key];
  return isObject(member) ? member : {};
}

function listAt(value: JSONObject, key: string): readonly JSONValue[] {
  const member = value[key];
  return isArray(member) ? member : [];
}

function pathShape(item: JSONObject, shared: JSONObject): JSONObject {
  const own = listAt(item, "parameters");
  const operations = Object.entries(item).filter(([method]) => method !== "parameters");
  return {
    ...(own.length === 0 ? {} : { parameters: parameterNames(own, shared) }),
    ...Object.fromEntries(operations.map(([method, operation]) => [method, operationShape(isObject(operation) ? operation : {}, shared)])),
  };
}

function operationShape(operation: JSONObject, shared: JSONObject): JSONObject {
  const consumes = listAt(operation, "consumes");
  const media = consumes.length > 0 ? consumes : Object.keys(objectAt(objectAt(operation, "requestBody"), "content"));
  return {
    ...present(operation, OPERATION_KEYS),
    parameters: parameterNames(listAt(operation, "parameters"), shared),
    responses: Object.keys(objectAt(operation, "responses")).sort(),
    consumes: media.map(String).sort(),
  };
}

function present(value: JSONObject, keys: readonly string[]): JSONObject {
  return Object.fromEntries(keys.flatMap((key) => (value[key] === undefined ? [] : [[key, value[key]]])));
}

function parameterNames(parameters: readonly JSONValue[], shared: JSONObject): readonly string[] {
  return parameters
    .map((parameter) => {
      const own = isObject(parameter) ? parameter : {};
      const resolved = typeof own.$ref === "string" ? objectAt(shared, lastPart(own.$ref, "/")) : own;
      return `${resolved.in}:${resolved.name}`;
    })
    .sort();
}

function lastPart(text: string, separator: string): string {
  return text.slice(text.lastIndexOf(separator) + 1);
}

function kindShapes(definition: JSONValue, definitions: JSONObject, groups: readonly string[]): (readonly [string, JSONValue])[] {
  if (!isObject(definition)) return [];
  return listAt(definition, "x-kubernetes-group-version-kind").flatMap((gvk): (readonly [string, JSONValue])[] => {
    if (!isObject(gvk) || !groups.includes(String(gvk.group)) || COMMON_KINDS.has(String(gvk.kind))) return [];
    return [[`${gvk.group}/${gvk.version}/${gvk.kind}`, schemaShape(definition, definitions, 0)]];
  });
}

function schemaShape(schema: JSONValue, definitions: JSONObject, depth: number): JSONValue {
  if (!isObject(schema)) return schema;
  const reference = referenceOf(schema);
  if (reference !== undefined) {
    const name = lastPart(reference, "/");
    if (name.includes(".meta.v1.") || name.includes(".runtime.") || depth > MAX_DEPTH) return `<ref:${lastPart(name, ".")}>`;
    return schemaShape(definitions[name] ?? {}, definitions, depth + 1);
  }
  const inner = (value: JSONValue) => schemaShape(value, definitions, depth + 1);
  const { properties, items, additionalProperties } = schema;
  return {
    ...present(schema, SHAPE_KEYS),
    ...present(
      schema,
      Object.keys(schema).filter((key) => key.startsWith("x-kubernetes-") && !OTHER_EXTENSIONS.has(key)),
    ),
    ...(isObject(properties) ? { properties: Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, inner(value)])) } : {}),
    ...(isObject(items) ? { items: inner(items) } : {}),
    ...(isObject(additionalProperties) ? { additionalProperties: inner(additionalProperties) } : {}),
  };
}

/** Also where it is the only member of an `allOf`, which is how version 3 gives a reference a description. */
function referenceOf({ $ref, allOf }: JSONObject): string | undefined {
  if (typeof $ref === "string") return $ref;
  const [only] = isArray(allOf) && allOf.length === 1 ? allOf : [];
  return isObject(only) && typeof only.$ref === "string" ? only.$ref : undefined;
}
