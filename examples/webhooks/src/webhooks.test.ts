import { applyJSONPatch, decodeJSONPatch, type JSONValue } from "@annex/apimachinery";
import { startHarness } from "@annex/testing";
import { expect, test } from "vitest";
import { mutating, validating } from "./webhooks.ts";

const token = (name: string, annotations?: object) => ({
  apiVersion: "tomlebreux.com/v1alpha1",
  kind: "RancherToken",
  metadata: { name, ...(annotations === undefined ? {} : { annotations }) },
});

async function ask(path: string, request: object) {
  await using server = await startHarness([], { webhooks: [mutating, validating] });
  const body = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: { uid: "u", operation: "CREATE", ...request } };
  return (await server.request("POST", path, { body })).json().response as { allowed: boolean; patch?: string; status?: object }; // an AdmissionReview's
}

test.each([
  { what: "none", before: undefined, want: {} },
  { what: "one of its own", before: { own: "x" }, want: { own: "x" } },
  { what: "another access", before: { access: "?" }, want: {} },
])("an object with $what gets both annotations", async ({ before, want }) => {
  const object = token("a", before);
  const { allowed, patch = "" } = await ask("/mutating", { object });
  expect(allowed).toBe(true);
  const operations = decodeJSONPatch(JSON.parse(Buffer.from(patch, "base64").toString()) as JSONValue);
  expect(applyJSONPatch(object as unknown as JSONValue, operations)).toEqual(token("a", { ...want, access: "granted", reason: "not blocked" }));
});

test.each([
  { what: "one named blocked", request: { object: token("blocked") }, allowed: false },
  { what: "any other", request: { object: token("foo") }, allowed: true },
  { what: "the deletion of one", request: { operation: "DELETE", name: "blocked", object: null, oldObject: token("blocked") }, allowed: true },
])("$what: allowed $allowed", async ({ request, allowed }) => {
  const answer = await ask("/validating", request);
  expect(answer.allowed).toBe(allowed);
  if (!allowed) expect(answer.status).toMatchObject({ message: "none shall pass!", reason: "Forbidden", code: 403 });
});
