// A schema becomes stricter over objects that are stored: what of them is unchanged in an update is let through, as of custom resources.
import { type Properties, t } from "@annex/apimachinery";
import { type Harness, startHarness } from "@annex/testing";
import { expect, test } from "vitest";
import { compileResource } from "../definition/compile-resource.ts";
import type { ErasedInput } from "../definition/define-resource.ts";
import { type Resource, resourceFromCRD } from "../definition/index.ts";
import { memoryStorage } from "../storage/index.ts";

const THINGS = "/apis/example.com/v1/things";
const merge = { "content-type": "application/merge-patch+json" };

const lax = { text: t.optional(t.string()), other: t.optional(t.string()), count: t.optional(t.integer()) };
const strict = { text: t.optional(t.string({ maxLength: 2 })), other: t.optional(t.string()), count: t.string({ minLength: 1 }) };
const status = t.object({ phase: t.optional(t.string()) });

/** @param options what else the definition says. */
function defined(spec: Properties, options: Partial<ErasedInput> = {}): Resource {
  const versions = { v1: { schema: { spec: t.object(spec), status } } };
  return compileResource({ group: "example.com", kind: "Thing", scope: "Cluster", statusSubresource: true, versions, ...options });
}

/** A server with the stricter kind, over an object that an earlier one with the laxer kind stored. */
async function upgraded(kind: Resource): Promise<Harness> {
  const storage = memoryStorage();
  {
    await using earlier = await startHarness([defined(lax)], { storage });
    const body = { apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "a" }, spec: { text: "long", other: "x", count: 1 } };
    expect((await earlier.request("POST", THINGS, { body })).status).toBe(201);
  }
  return startHarness([kind], { storage });
}

const patch = async (server: Harness, body: object, at = "/a") => {
  const response = await server.request("PATCH", `${THINGS}${at}`, { body, headers: merge });
  return response.status === 200 ? 200 : response.json().details.causes.map(({ field }) => field);
};

test.each([
  ["an author's kind", () => defined(strict)],
  [
    "a custom resource",
    () =>
      resourceFromCRD({
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: "things.example.com" },
        spec: {
          group: "example.com",
          scope: "Cluster",
          names: { plural: "things", kind: "Thing" },
          versions: [
            {
              name: "v1",
              served: true,
              storage: true,
              subresources: { status: {} },
              schema: {
                openAPIV3Schema: {
                  type: "object",
                  properties: {
                    spec: {
                      type: "object",
                      required: ["count"],
                      properties: { text: { type: "string", maxLength: 2 }, other: { type: "string" }, count: { type: "string", minLength: 1 } },
                    },
                    status: { type: "object", properties: { phase: { type: "string" } } },
                  },
                },
              },
            },
          ],
        },
      }),
  ],
])("%s: what stays as it is passes, what changes does not", async (_what, kind) => {
  await using server = await upgraded(kind());
  expect(await patch(server, { spec: { other: "y" } })).toBe(200);
  expect(await patch(server, { status: { phase: "Done" } }, "/a/status")).toBe(200);
  expect(await patch(server, { spec: { text: "longer" } })).toContain("spec.text");
  expect(await patch(server, { spec: { count: 2 } })).toContain("spec.count");
  expect(await patch(server, { spec: { text: "ok", count: "1" } })).toBe(200);
});

test("an author's code relies on types: what breaks them is told, whether or not it is new", async () => {
  const seen: unknown[] = [];
  const validate: ErasedInput["validate"] = ({ object }) => void seen.push(object);
  await using server = await upgraded(defined(strict, { validate }));
  expect(await patch(server, { spec: { other: "y" } })).toContain("spec.count");
  expect(await patch(server, { status: { phase: "Done" } }, "/a/status")).toContain("spec.count");
  expect(seen).toEqual([]);
  // Too long a text is a fault that leaves it a text, and yet one that rules do not run on: so in Kubernetes, too.
  expect(await patch(server, { spec: { count: "1" } })).toContain("spec.text");
});

test("kinds that clients know as compiled-in ones tell every fault", async () => {
  await using server = await upgraded(defined({ ...strict, count: t.optional(t.integer({ minimum: 5 })) }, { isBuiltIn: true }));
  expect(await patch(server, { spec: { other: "y" } })).toEqual(["spec.text", "spec.count"]);
});
