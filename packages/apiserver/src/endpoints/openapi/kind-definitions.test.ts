import { t } from "@annex/apimachinery";
import { expect, test } from "vitest";
import { defineResource } from "../../definition/index.ts";
import { kindDefinitions } from "./kind-definitions.ts";

const TIME = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
const schema = {
  size: t.object({ width: t.integer() }, { title: "Size", description: "How large it is." }),
  holes: t.optional(
    t.atomic(t.object({ at: t.optional(t.string({ title: TIME, format: "date-time" })) }, { title: "Hole", description: "A hole." })),
  ),
};

function definitionsOf(isBuiltIn: boolean) {
  const kind = { group: "shapes.k8s.io", kind: "Plate", scope: "Cluster", isBuiltIn } as const;
  const plate = defineResource({ ...kind, versions: { v1: { schema, required: ["size"] } } });
  return kindDefinitions(plate, plate.storageVersion);
}

test("what has a title in a built-in kind is a definition of its own, as a Go type is in Kubernetes", () => {
  const definitions = definitionsOf(true);
  expect(definitions["io.k8s.api.shapes.v1.Plate"]).toMatchObject({
    required: ["size"],
    properties: {
      size: { $ref: "io.k8s.api.shapes.v1.Size", default: {}, description: "How large it is." },
      holes: { type: "array", items: { $ref: "io.k8s.api.shapes.v1.Hole" } },
    },
  });
  expect(definitions["io.k8s.api.shapes.v1.Size"]).toEqual({
    type: "object",
    description: "How large it is.",
    properties: { width: expect.objectContaining({ type: "integer" }) },
    required: ["width"],
  });
  expect(definitions["io.k8s.api.shapes.v1.Hole"]).toEqual({ type: "object", description: "A hole.", properties: { at: { $ref: TIME } } });
  expect(Object.keys(definitions)).not.toContain(TIME);
});

test("a title in any other kind is a title", () => {
  const definitions = definitionsOf(false);
  expect(Object.keys(definitions)).toEqual(["io.k8s.shapes.v1.Plate", "io.k8s.shapes.v1.PlateList"]);
  expect(definitions["io.k8s.shapes.v1.Plate"]?.properties?.size).toMatchObject({ title: "Size", type: "object" });
});
