// A kind whose version loses a field.
import { test } from "node:test";
import { t } from "@annex/apimachinery";
import { defineResource } from "@annex/apiserver";
import { testConversion } from "@annex/testing/conversion";

const schema = { spec: t.object({ color: t.string({ default: "white" }) }) };
const Lamp = defineResource({
  group: "example.com",
  kind: "Lamp",
  scope: "Namespaced",
  versions: {
    v1: { storage: true, schema },
    v1beta1: { schema, toStorage: () => ({ spec: { color: "white" } }), fromStorage: ({ spec }) => ({ spec }) },
  },
});

test("a version loses a field", () => testConversion(Lamp));
