import { describe, expect, test } from "vitest";
import { OBJECT_META_SCHEMA } from "./object-meta.ts";
import type { Schema } from "./schema.ts";

function* fieldsOf(schema: Schema, path: string): IterableIterator<{ path: string; schema: Schema }> {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    yield { path: `${path}.${name}`, schema: property };
    yield* fieldsOf(property, `${path}.${name}`);
    if (property.items !== undefined) yield* fieldsOf(property.items, `${path}.${name}[]`);
  }
}
const fields = [...fieldsOf(OBJECT_META_SCHEMA, "")];

describe("OBJECT_META_SCHEMA", () => {
  // The names of ObjectMeta, OwnerReference and ManagedFieldsEntry in the OpenAPI document of Kubernetes 1.36.
  test("has the fields of Kubernetes 1.36", () => {
    expect(fields.map(({ path }) => path).sort()).toEqual(
      [
        ...[
          "annotations",
          "creationTimestamp",
          "deletionGracePeriodSeconds",
          "deletionTimestamp",
          "finalizers",
          "generateName",
          "generation",
          "labels",
        ],
        ...["managedFields", "name", "namespace", "ownerReferences", "resourceVersion", "selfLink", "uid"],
        ...["apiVersion", "blockOwnerDeletion", "controller", "kind", "name", "uid"].map((name) => `ownerReferences[].${name}`),
        ...["apiVersion", "fieldsType", "fieldsV1", "manager", "operation", "subresource", "time"].map((name) => `managedFields[].${name}`),
      ]
        .map((name) => `.${name}`)
        .sort(),
    );
  });

  test.each(fields)("$path is described in a sentence and has a type", ({ schema }) => {
    expect(schema.description).toMatch(/^[A-Z].*\.$/);
    expect(schema.type).toBeDefined();
  });

  test("its lists are owned and patched as Kubernetes has them", () => {
    const { finalizers, ownerReferences, managedFields } = OBJECT_META_SCHEMA.properties;
    expect(finalizers).toMatchObject({ "x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge" });
    expect(ownerReferences).toMatchObject({
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["uid"],
      "x-kubernetes-patch-strategy": "merge",
      "x-kubernetes-patch-merge-key": "uid",
      items: { "x-kubernetes-map-type": "atomic", required: ["apiVersion", "kind", "name", "uid"] },
    });
    expect(managedFields["x-kubernetes-list-type"]).toBe("atomic");
  });
});
