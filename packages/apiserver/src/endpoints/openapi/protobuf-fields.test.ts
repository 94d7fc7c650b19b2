import type { JSONObject } from "@annex/apimachinery";
import { expect, test } from "vitest";
import { encodeV2Protobuf } from "./protobuf-v2.ts";
import { encodeV3Protobuf } from "./protobuf-v3.ts";

/** A message by the rules of the wire: each field's values, numbers for varints and doubles, bytes for the rest. */
function decode(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const fields = new Map<number, (number | Uint8Array)[]>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = view.getUint8(offset++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (offset < bytes.length) {
    const tag = varint();
    const values = fields.get(tag >> 3) ?? [];
    fields.set(tag >> 3, values);
    if ((tag & 7) === 0) values.push(varint());
    else if ((tag & 7) === 1) {
      values.push(view.getFloat64(offset, true));
      offset += 8;
    } else {
      expect(tag & 7).toBe(2);
      const length = varint();
      expect(offset + length).toBeLessThanOrEqual(bytes.length);
      values.push(bytes.subarray(offset, offset + length));
      offset += length;
    }
  }
  return fields;
}

/** What is found at a path of field numbers, in every message on the way; bytes as text. */
function at(bytes: Uint8Array, ...path: number[]): (number | string)[] {
  const [number = 0, ...rest] = path;
  const values = decode(bytes).get(number) ?? [];
  return values.flatMap((value) => {
    if (rest.length > 0) return typeof value === "number" ? [] : at(value, ...rest);
    return [typeof value === "number" ? value : new TextDecoder().decode(value)];
  });
}

const kind = { group: "", version: "v1", kind: "Thing" };

test("v2: a document and its security", () => {
  const bytes = encodeV2Protobuf({
    swagger: "2.0",
    info: { title: "Annex", version: "0.1" },
    paths: {},
    securityDefinitions: { BearerToken: { type: "apiKey", name: "authorization", in: "header" } },
    security: [{ BearerToken: [] }],
  });
  expect(at(bytes, 1)).toEqual(["2.0"]);
  expect([at(bytes, 2, 1), at(bytes, 2, 2)]).toEqual([["Annex"], ["0.1"]]);
  expect([at(bytes, 13, 1, 1), at(bytes, 13, 1, 2, 2, 2), at(bytes, 12, 1, 1)]).toEqual([["BearerToken"], ["authorization"], ["BearerToken"]]);
});

test("v2: an operation: what kubectl looks for in it", () => {
  const bytes = encodeV2Protobuf({
    paths: {
      "/things/{name}": {
        patch: {
          operationId: "patchThing",
          consumes: ["application/merge-patch+json"],
          parameters: [
            { name: "body", in: "body", required: true, schema: { $ref: "#/definitions/Patch" } },
            { name: "fieldValidation", in: "query", type: "string", description: "d" },
          ],
          responses: { 200: { description: "OK", schema: { $ref: "#/definitions/Thing" } }, 401: { description: "Unauthorized" } },
          "x-kubernetes-action": "patch",
          "x-kubernetes-group-version-kind": kind,
        },
        parameters: [{ name: "name", in: "path", required: true, type: "string" }],
      },
    },
  });
  const path = [8, 2] as const;
  expect(at(bytes, ...path, 1)).toEqual(["/things/{name}"]);
  const patch = [...path, 2, 8] as const;
  expect(at(bytes, ...patch, 5)).toEqual(["patchThing"]);
  expect(at(bytes, ...patch, 7)).toEqual(["application/merge-patch+json"]);
  expect(at(bytes, ...patch, 8, 1, 1, 2)).toEqual(["body"]);
  expect(at(bytes, ...patch, 8, 1, 1, 4)).toEqual([1]);
  expect(at(bytes, ...patch, 8, 1, 1, 5, 1)).toEqual(["#/definitions/Patch"]);
  expect(at(bytes, ...patch, 8, 1, 2, 3, 4)).toEqual(["fieldValidation"]);
  expect(at(bytes, ...patch, 8, 1, 2, 3, 6)).toEqual(["string"]);
  expect(at(bytes, ...path, 2, 9, 1, 2, 4, 4)).toEqual(["name"]);
  expect(at(bytes, ...path, 2, 9, 1, 2, 4, 5)).toEqual(["string"]);
  expect(at(bytes, ...patch, 9, 1, 1)).toEqual(["200", "401"]);
  expect(at(bytes, ...patch, 9, 1, 2, 1, 2, 1, 1)).toEqual(["#/definitions/Thing"]);
  expect(at(bytes, ...patch, 13, 1)).toEqual(["x-kubernetes-action", "x-kubernetes-group-version-kind"]);
  expect(at(bytes, ...patch, 13, 2, 2).map((yaml) => JSON.parse(String(yaml)))).toEqual(["patch", kind]);
});

test.each<{ schema: JSONObject; path: number[]; want: (string | number)[] }>([
  { schema: { type: "string" }, path: [22, 1], want: ["string"] },
  { schema: { format: "int32", title: "t", description: "dé" }, path: [4], want: ["dé"] },
  { schema: { default: { a: 1 } }, path: [5, 2], want: ['{"a":1}'] },
  { schema: { maximum: 9007199254740991 }, path: [7], want: [9007199254740991] },
  { schema: { minimum: -0.5 }, path: [9], want: [-0.5] },
  { schema: { exclusiveMinimum: true }, path: [10], want: [1] },
  { schema: { exclusiveMaximum: false }, path: [8], want: [0] },
  { schema: { maxLength: 300 }, path: [11], want: [300] },
  { schema: { pattern: "^a$" }, path: [13], want: ["^a$"] },
  { schema: { minItems: 2 }, path: [15], want: [2] },
  { schema: { maxProperties: 7 }, path: [17], want: [7] },
  { schema: { required: ["a", "b"] }, path: [19], want: ["a", "b"] },
  { schema: { enum: ["a", 2] }, path: [20, 2], want: ['"a"', "2"] },
  { schema: { additionalProperties: { type: "string" } }, path: [21, 1, 22, 1], want: ["string"] },
  { schema: { additionalProperties: true }, path: [21, 2], want: [1] },
  { schema: { items: { items: { type: "integer" } } }, path: [23, 1, 23, 1, 22, 1], want: ["integer"] },
  { schema: { properties: { a: { type: "string" }, b: {} } }, path: [25, 1, 1], want: ["a", "b"] },
  { schema: { properties: { a: { type: "string" } } }, path: [25, 1, 2, 22, 1], want: ["string"] },
  { schema: { "x-kubernetes-list-map-keys": ["a"] }, path: [31, 2, 2], want: ['["a"]'] },
])("v2: a schema: $schema", ({ schema, path, want }) =>
  expect(at(encodeV2Protobuf({ definitions: { Thing: schema } }), 9, 1, 2, ...path)).toEqual(want),
);

test("v3: a document and its security", () => {
  const bytes = encodeV3Protobuf({
    openapi: "3.0.0",
    info: { title: "Annex", version: "0.1" },
    paths: {},
    components: { schemas: {}, securitySchemes: { BearerToken: { description: "d", type: "apiKey", name: "authorization", in: "header" } } },
  });
  expect([at(bytes, 1), at(bytes, 2, 1), at(bytes, 2, 6)]).toEqual([["3.0.0"], ["Annex"], ["0.1"]]);
  const scheme = [5, 7, 1] as const;
  expect(at(bytes, ...scheme, 1)).toEqual(["BearerToken"]);
  expect([1, 2, 3, 4].flatMap((number) => at(bytes, ...scheme, 2, 1, number))).toEqual(["apiKey", "d", "authorization", "header"]);
});

test("v3: an operation", () => {
  const content = (name: string) => ({ "application/json": { schema: { $ref: `#/components/schemas/${name}` } } });
  const bytes = encodeV3Protobuf({
    paths: {
      "/things/{name}": {
        patch: {
          tags: ["t"],
          description: "d",
          operationId: "patchThing",
          parameters: [{ name: "force", in: "query", description: "f", schema: { type: "boolean" } }],
          requestBody: { content: content("Patch"), required: true },
          responses: { 200: { description: "OK", content: content("Thing") }, 401: { description: "Unauthorized" } },
          "x-kubernetes-group-version-kind": kind,
        },
        parameters: [{ name: "name", in: "path", description: "n", required: true, schema: { type: "string" } }],
      },
    },
  });
  const path = [4, 1] as const;
  expect(at(bytes, ...path, 1)).toEqual(["/things/{name}"]);
  const patch = [...path, 2, 10] as const;
  expect([at(bytes, ...patch, 1), at(bytes, ...patch, 3), at(bytes, ...patch, 5)]).toEqual([["t"], ["d"], ["patchThing"]]);
  expect([at(bytes, ...patch, 6, 1, 1), at(bytes, ...patch, 6, 1, 2), at(bytes, ...patch, 6, 1, 10, 1, 25)]).toEqual([
    ["force"],
    ["query"],
    ["boolean"],
  ]);
  expect([at(bytes, ...patch, 7, 1, 3), at(bytes, ...patch, 7, 1, 2, 1, 1)]).toEqual([[1], ["application/json"]]);
  expect(at(bytes, ...patch, 7, 1, 2, 1, 2, 1, 2, 1)).toEqual(["#/components/schemas/Patch"]);
  expect(at(bytes, ...patch, 8, 2, 1)).toEqual(["200", "401"]);
  expect(at(bytes, ...patch, 8, 2, 2, 1, 1)).toEqual(["OK", "Unauthorized"]);
  expect(at(bytes, ...patch, 8, 2, 2, 1, 3, 1, 2, 1, 2, 1)).toEqual(["#/components/schemas/Thing"]);
  expect(at(bytes, ...patch, 13, 2, 2).map((yaml) => JSON.parse(String(yaml)))).toEqual([kind]);
  expect([at(bytes, ...path, 2, 13, 1, 1), at(bytes, ...path, 2, 13, 1, 4)]).toEqual([["name"], [1]]);
});

test.each<{ schema: JSONObject; path: number[]; want: (string | number)[] }>([
  { schema: { type: "string" }, path: [25], want: ["string"] },
  { schema: { nullable: true }, path: [1], want: [1] },
  { schema: { title: "t", format: "int32", description: "dé" }, path: [34], want: ["dé"] },
  { schema: { format: "int32" }, path: [35], want: ["int32"] },
  { schema: { default: 1.5 }, path: [33, 1], want: [1.5] },
  { schema: { default: 2 }, path: [33, 1], want: [2] },
  { schema: { default: false }, path: [33, 2], want: [0] },
  { schema: { default: "x" }, path: [33, 3], want: ["x"] },
  { schema: { default: { a: 1 } }, path: [33], want: [""] },
  { schema: { multipleOf: 0.5 }, path: [10], want: [0.5] },
  { schema: { maximum: 9007199254740991 }, path: [11], want: [9007199254740991] },
  { schema: { exclusiveMaximum: true }, path: [12], want: [1] },
  { schema: { minimum: -0.5 }, path: [13], want: [-0.5] },
  { schema: { exclusiveMinimum: true }, path: [14], want: [1] },
  { schema: { maxLength: 300 }, path: [15], want: [300] },
  { schema: { minLength: 3 }, path: [16], want: [3] },
  { schema: { pattern: "^a$" }, path: [17], want: ["^a$"] },
  { schema: { maxItems: 2 }, path: [18], want: [2] },
  { schema: { minItems: 2 }, path: [19], want: [2] },
  { schema: { uniqueItems: true }, path: [20], want: [1] },
  { schema: { maxProperties: 7 }, path: [21], want: [7] },
  { schema: { minProperties: 7 }, path: [22], want: [7] },
  { schema: { required: ["a", "b"] }, path: [23], want: ["a", "b"] },
  { schema: { enum: ["a", 2] }, path: [24, 2], want: ['"a"', "2"] },
  { schema: { allOf: [{ $ref: "#/x" }, { type: "string" }] }, path: [26, 2, 1], want: ["#/x"] },
  { schema: { allOf: [{ $ref: "#/x" }, { type: "string" }] }, path: [26, 1, 25], want: ["string"] },
  { schema: { oneOf: [{ required: ["a"] }] }, path: [27, 1, 23], want: ["a"] },
  { schema: { anyOf: [{ required: ["a"] }] }, path: [28, 1, 23], want: ["a"] },
  { schema: { not: { required: ["a"] } }, path: [29, 23], want: ["a"] },
  { schema: { items: { items: { type: "integer" } } }, path: [30, 1, 1, 30, 1, 1, 25], want: ["integer"] },
  { schema: { properties: { a: { type: "string" }, b: {} } }, path: [31, 1, 1], want: ["a", "b"] },
  { schema: { properties: { a: { $ref: "#/x" } } }, path: [31, 1, 2, 2, 1], want: ["#/x"] },
  { schema: { additionalProperties: { type: "string" } }, path: [32, 1, 1, 25], want: ["string"] },
  { schema: { additionalProperties: true }, path: [32, 2], want: [1] },
  { schema: { "x-kubernetes-list-map-keys": ["a"] }, path: [36, 2, 2], want: ['["a"]'] },
])("v3: a schema: $schema", ({ schema, path, want }) =>
  expect(at(encodeV3Protobuf({ components: { schemas: { Thing: schema } } }), 5, 1, 1, 2, 1, ...path)).toEqual(want),
);
