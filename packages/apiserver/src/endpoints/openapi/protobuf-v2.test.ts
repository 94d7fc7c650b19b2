import type { JSONObject } from "@annex/apimachinery";
import { expect, test } from "vitest";
import { encodeV2Protobuf } from "./protobuf-v2.ts";

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

test("a document and its security", () => {
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

test("an operation: what kubectl looks for in it", () => {
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
])("a schema: $schema", ({ schema, path, want }) => expect(at(encodeV2Protobuf({ definitions: { Thing: schema } }), 9, 1, 2, ...path)).toEqual(want));
