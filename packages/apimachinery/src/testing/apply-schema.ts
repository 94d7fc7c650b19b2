import type { Schema } from "../schema/schema.ts";

const text: Schema = { type: "string" };
/** One field of every kind that apply tells apart, for its tests. */
export const schema: Schema = {
  type: "object",
  properties: {
    s: text,
    n: { type: "number" },
    o: { type: "object", properties: { a: text, b: text } },
    m: { type: "object", additionalProperties: { type: "object", properties: { a: text, b: text } } },
    list: { type: "array", items: text },
    set: { type: "array", items: text, "x-kubernetes-list-type": "set" },
    map: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k"],
      items: { type: "object", properties: { k: { type: "string", default: "d" }, v: text, w: text } },
    },
    atom: { type: "object", "x-kubernetes-map-type": "atomic", additionalProperties: text },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  },
};

/** A kind of two fields and a set, the first by a name of its own: versions of it differ in that. */
export const schemaWith = (name: string): Schema => ({
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: { [name]: text, b: text, tags: { type: "array", items: text, "x-kubernetes-list-type": "set" } },
    },
    status: { type: "object", properties: { phase: text } },
  },
});
