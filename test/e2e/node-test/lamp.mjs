import { test } from "node:test";
import { t } from "@annex/apimachinery";
import { defineResource } from "@annex/apiserver";
import { testConversion } from "@annex/testing/conversion";

const NOTE = "example.com/note";
const Lamp = defineResource({
  group: "example.com",
  kind: "Lamp",
  scope: "Namespaced",
  preferredVersion: "v1", // would be first anyway: v2, v1, v1beta1, v1alpha1 is the order of Kubernetes
  versions: {
    v1: { storage: true, schema: { spec: t.object({ color: t.string({ default: "white" }), note: t.optional(t.string()) }) } },
    v1beta1: {
      deprecated: true, // a Warning header with every answer
      schema: { spec: t.object({ colour: t.string({ default: "white" }) }) },
      // A conversion may change annotations, and nothing else of metadata: there goes what a version has no field for.
      toStorage: ({ metadata, spec }) => {
        const { [NOTE]: note, ...annotations } = metadata.annotations ?? {};
        return { metadata: { annotations }, spec: { color: spec.colour, note } };
      },
      fromStorage: ({ metadata, spec }) => ({
        metadata: { annotations: { ...metadata.annotations, ...(spec.note !== undefined && { [NOTE]: spec.note }) } },
        spec: { colour: spec.color },
      }),
    },
  },
});

test("neither version loses what the other has", () => testConversion(Lamp));
