import type { Schema } from "../schema/schema.ts";

/** How strategic merge patches treat `metadata`, the same for every kind. Source: the patchStrategy tags of meta/v1 ObjectMeta. */
export const OBJECT_META_PATCH_SCHEMA: Schema = {
  type: "object",
  properties: {
    labels: { type: "object", additionalProperties: { type: "string" } },
    annotations: { type: "object", additionalProperties: { type: "string" } },
    finalizers: { type: "array", items: { type: "string" }, "x-kubernetes-patch-strategy": "merge" },
    ownerReferences: {
      type: "array",
      items: { type: "object" },
      "x-kubernetes-patch-strategy": "merge",
      "x-kubernetes-patch-merge-key": "uid",
    },
    managedFields: { type: "array", items: { type: "object" } },
  },
};
