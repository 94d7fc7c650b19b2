// Rules in CEL and an author's own, over the wire.
import { t } from "@annex/apimachinery";
import { startHarness } from "@annex/testing";
import { expect, test } from "vitest";
import { compileResource } from "../definition/compile-resource.ts";
import type { ErasedInput } from "../definition/define-resource.ts";

const THINGS = "/apis/example.com/v1/things";
const rules = (...list: readonly string[]) => ({ "x-kubernetes-validations": list.map((rule) => ({ rule })) });

const input: ErasedInput = {
  group: "example.com",
  kind: "Thing",
  scope: "Cluster",
  statusSubresource: true,
  versions: {
    v1: {
      schema: {
        spec: { ...t.object({ min: t.integer({ default: 0 }), max: t.integer({ default: 9 }) }), ...rules("self.min <= self.max") },
        status: { ...t.object({ count: t.optional(t.integer()) }), ...rules("!has(self.count) || self.count < 10") },
      },
      rules: [
        { rule: "self.metadata.name != 'bad'" },
        { rule: "!has(self.status.count) || self.status.count >= oldSelf.status.?count.orValue(0)", message: "must not shrink" },
      ],
    },
  },
};
const object = (name: string, spec: object = {}) => ({ apiVersion: "example.com/v1", kind: "Thing", metadata: { name }, spec });
const merge = { headers: { "content-type": "application/merge-patch+json" } };

test("the causes of rules and of an author's validate stand in one answer", async () => {
  const validate: ErasedInput["validate"] = ({ object: { metadata }, invalid }) => invalid("metadata.name", "is taken", { value: metadata.name });
  await using server = await startHarness([compileResource({ ...input, validate })]);
  const refused = await server.request("POST", THINGS, { body: object("bad", { min: 5, max: 1 }) });
  expect(refused.json().details.causes).toEqual([
    { reason: "FieldValueInvalid", field: "<nil>", message: "Invalid value: failed rule: self.metadata.name != 'bad'" },
    { reason: "FieldValueInvalid", field: "spec", message: "Invalid value: failed rule: self.min <= self.max" },
    { reason: "FieldValueInvalid", field: "metadata.name", message: 'Invalid value: "bad": is taken' },
  ]);
});

test("rules are tried on updates and on status, those about a change too", async () => {
  await using server = await startHarness([compileResource(input)]);
  expect((await server.request("POST", THINGS, { body: object("a") })).status).toBe(201);
  const patch = (path: string, body: object) => server.request("PATCH", `${THINGS}${path}`, { body, ...merge });
  expect((await patch("/a", { spec: { min: 10 } })).json().details.causes.map(({ field }) => field)).toEqual(["spec"]);
  expect((await patch("/a/status", { status: { count: 3 } })).status).toBe(200);
  expect((await patch("/a/status", { status: { count: 2 } })).json().details.causes.map(({ message }) => message)).toEqual([
    "Invalid value: must not shrink",
  ]);
  expect((await patch("/a/status", { status: { count: 10 } })).json().details.causes.map(({ field }) => field)).toEqual(["status"]);
});

test("rules are not tried on an object of a wrong form", async () => {
  await using server = await startHarness([compileResource(input)]);
  const refused = await server.request("POST", THINGS, { body: object("bad", { min: "x", max: 1 }) });
  expect(refused.json().details.causes.map(({ field }) => field)).toEqual(["spec.min", "<nil>"]);
});

test("a definition whose rules cannot be used is refused with their place", () => {
  const broken = { ...input, versions: { v1: { schema: { spec: { ...t.object({}), ...rules("self.nothing") } }, rules: [{ rule: "1" }] } } };
  expect(() => compileResource(broken)).toThrow(
    /^Thing: versions\.v1\.schema\.properties\[spec\]\.x-kubernetes-validations\[0\]\.rule: Invalid value: \{"Rule":"self\.nothing",.*\}: compilation failed: ERROR: .*undefined field 'nothing'[\s\S]*\nversions\.v1\.schema\.x-kubernetes-validations\[0\]\.rule: .*: cel expression must evaluate to a bool$/,
  );
});
