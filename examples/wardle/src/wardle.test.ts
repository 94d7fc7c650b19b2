import type { ResourceVerbs } from "@annex/apiserver";
import { type Harness, startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { banFlunder, Fischer, Flunder } from "./wardle.ts";

const GROUP = "/apis/wardle.example.com";
const flunders = (version: string) => `${GROUP}/${version}/namespaces/default/flunders`;
const body = (version: string, kind: string, name: string, fields: object = {}) => ({
  apiVersion: `wardle.example.com/${version}`,
  kind,
  metadata: { name },
  ...fields,
});

async function start(): Promise<Harness> {
  let server: Harness | undefined;
  const verbsOf = (group: string, resource: string): ResourceVerbs => {
    if (server === undefined) throw new Error("not started");
    return server.server.verbsOf(group, resource);
  };
  server = await startHarness([Flunder, Fischer], { admission: [banFlunder(verbsOf)] });
  return server;
}

describe("the two versions of a Flunder", () => {
  test.each([
    {
      sent: { reference: "a" },
      v1alpha1: { reference: "a", referenceType: "Flunder" },
      v1beta1: { flunderReference: "a", referenceType: "Flunder" },
    },
    {
      sent: { reference: "a", referenceType: "Fischer" },
      v1alpha1: { reference: "a", referenceType: "Fischer" },
      v1beta1: { fischerReference: "a", referenceType: "Fischer" },
    },
    { sent: {}, v1alpha1: {}, v1beta1: {} },
    { sent: { referenceType: "" }, v1alpha1: {}, v1beta1: {} },
    { sent: { reference: "a", referenceType: "Bogus" }, v1alpha1: {}, v1beta1: {} },
  ])("$sent", async ({ sent, v1alpha1, v1beta1 }) => {
    await using server = await start();
    const created = await server.request("POST", flunders("v1alpha1"), { body: body("v1alpha1", "Flunder", "one", { spec: sent }) });
    expect(created.json()).toMatchObject({ spec: v1alpha1, status: {} });
    expect((await server.request("GET", `${flunders("v1alpha1")}/one`)).json().spec).toEqual(v1alpha1);
    expect((await server.request("GET", `${flunders("v1beta1")}/one`)).json().spec).toEqual(v1beta1);
  });

  test("what an update says of both references is what v1alpha1 can hold", async () => {
    await using server = await start();
    const { metadata } = (await server.request("POST", flunders("v1beta1"), { body: body("v1beta1", "Flunder", "one") })).json();
    const spec = { flunderReference: "a", fischerReference: "b", referenceType: "Fischer" };
    const updated = await server.request("PUT", `${flunders("v1beta1")}/one`, { body: { ...body("v1beta1", "Flunder", "one", { spec }), metadata } });
    expect(updated.json().spec).toEqual({ fischerReference: "b", referenceType: "Fischer" });
  });
});

test.each([
  {
    spec: { flunderReference: "a", fischerReference: "b" },
    field: "spec.fischerReference",
    message: "cannot be set with flunderReference at the same time",
  },
  { spec: { flunderReference: "a" }, field: "spec.flunderReference", message: "cannot be set if referenceType is not Flunder" },
  { spec: { referenceType: "Fischer" }, field: "spec.fischerReference", message: "cannot be empty if referenceType is Fischer" },
  { spec: { referenceType: "Odd" }, field: "spec.referenceType", message: "must be Flunder or Fischer" },
])("$field $message", async ({ spec, field, message }) => {
  await using server = await start();
  const refused = (await server.request("POST", flunders("v1beta1"), { body: body("v1beta1", "Flunder", "one", { spec }) })).json();
  expect(refused).toMatchObject({ code: 422, details: { causes: [{ field, message: expect.stringContaining(message) }] } });
});

test("a name that a fischer disallows is forbidden to new flunders, before anything else is said of them", async () => {
  await using server = await start();
  const post = (version: string, name: string, fields: object = {}) =>
    server.request("POST", flunders(version), { body: body(version, "Flunder", name, fields) });
  expect((await post("v1beta1", "bad")).status).toBe(201);
  await server.request("POST", `${GROUP}/v1alpha1/fischers`, { body: body("v1alpha1", "Fischer", "f", { disallowedFlunders: ["bad", "worse"] }) });
  const message = 'flunders.wardle.example.com "worse" is forbidden: this name may not be used, please change the resource name';
  for (const version of ["v1alpha1", "v1beta1"])
    expect((await post(version, "worse")).json()).toMatchObject({ code: 403, reason: "Forbidden", message });
  expect((await post("v1beta1", "worse", { spec: { referenceType: "Odd" } })).status).toBe(403);
  expect((await post("v1beta1", "good")).status).toBe(201);
  const patch = { body: { metadata: { labels: { a: "b" } } }, headers: { "content-type": "application/merge-patch+json" } };
  expect((await server.request("PATCH", `${flunders("v1beta1")}/bad`, patch)).status).toBe(200);
});
