import type { ResourceVerbs } from "@annex/apiserver";
import { type Harness, startHarness, testConversion } from "@annex/testing";
import fc from "fast-check";
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
  // Asked of the Go sample-apiserver: what converts loses an empty map of metadata, and with it whoever owns it.
  test("take an owner from annotations that an apply emptied", async () => {
    await using server = await start();
    const patch = (version: string, query: string, type: string, fields: object) =>
      server.request("PATCH", `${flunders(version)}/a?${query}`, { headers: { "content-type": `application/${type}` }, body: fields });
    const apply = (metadata: object) =>
      patch(
        "v1alpha1",
        "fieldManager=three&force=true",
        "apply-patch+yaml",
        body("v1alpha1", "Flunder", "a", { metadata: { name: "a", ...metadata } }),
      );
    await server.request("POST", `${flunders("v1alpha1")}?fieldManager=two`, {
      body: body("v1alpha1", "Flunder", "a", { metadata: { name: "a", annotations: { n: "two" } } }),
    });
    await apply({ annotations: { n: "1" } });
    await patch("v1beta1", "fieldManager=two", "merge-patch+json", { metadata: { finalizers: ["example.com/a"] } });
    const { metadata } = (await apply({})).json();
    expect(metadata.annotations).toBeUndefined();
    expect(metadata.managedFields.map(({ manager, apiVersion, fieldsV1 }) => [manager, apiVersion, fieldsV1])).toEqual([
      ["two", "wardle.example.com/v1beta1", { "f:metadata": { "f:finalizers": { ".": {}, 'v:"example.com/a"': {} } } }],
    ]);
  });

  // Asked of the Go sample-apiserver: an empty reference is none in the other version.
  test("do not conflict over a reference that is empty", async () => {
    await using server = await start();
    const apply = (version: string, manager: string, spec: object) =>
      server.request("PATCH", `${flunders(version)}/a?fieldManager=${manager}`, {
        headers: { "content-type": "application/apply-patch+yaml" },
        body: body(version, "Flunder", "a", { spec }),
      });
    await server.request("POST", `${flunders("v1beta1")}?fieldManager=z`, {
      body: body("v1beta1", "Flunder", "a", { spec: { flunderReference: "y", referenceType: "Flunder" } }),
    });
    const { metadata } = (await server.request("GET", `${flunders("v1alpha1")}/a`)).json();
    const put = body("v1alpha1", "Flunder", "a", { metadata, spec: { reference: "", referenceType: "Flunder" } });
    expect((await server.request("PUT", `${flunders("v1alpha1")}/a?fieldManager=p`, { body: put })).status).toBe(200);
    expect((await apply("v1beta1", "one", { flunderReference: "q" })).status).toBe(200);
    const emptied = await apply("v1alpha1", "two", { reference: "" });
    expect([emptied.status, emptied.json().spec]).toEqual([200, { referenceType: "Flunder" }]);
  });

  // Asked of the Go sample-apiserver: what is not stored any more loses nothing on its way there.
  test("lose nothing in the write that ends a deletion", async () => {
    await using server = await start();
    const patch = (fields: object) =>
      server.request("PATCH", `${flunders("v1beta1")}/a`, { headers: { "content-type": "application/merge-patch+json" }, body: fields });
    await server.request("POST", flunders("v1beta1"), {
      body: body("v1beta1", "Flunder", "a", {
        metadata: { name: "a", finalizers: ["example.com/a"] },
        spec: { flunderReference: "deep", referenceType: "Flunder" },
      }),
    });
    await server.request("DELETE", `${flunders("v1beta1")}/a`);
    const ended = await patch({ metadata: { finalizers: null }, spec: { referenceType: "Fischer" } });
    expect([ended.status, ended.json().spec]).toEqual([200, { flunderReference: "deep", referenceType: "Fischer" }]);
    expect((await server.request("GET", `${flunders("v1beta1")}/a`)).status).toBe(404);
  });

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
    // Nobody owns what conversion has lost.
    const owned = created.json().metadata.managedFields?.[0]?.fieldsV1["f:spec"] ?? {};
    expect(Object.keys(owned).sort()).toEqual(
      Object.keys(v1alpha1)
        .map((key) => `f:${key}`)
        .sort(),
    );
    expect((await server.request("GET", `${flunders("v1alpha1")}/one`)).json().spec).toEqual(v1alpha1);
    expect((await server.request("GET", `${flunders("v1beta1")}/one`)).json().spec).toEqual(v1beta1);
  });

  test.each([
    {
      type: "strategic-merge",
      patch: { kind: "Fischer", apiVersion: "v1", metadata: { labels: { a: "b" } } },
      want: { metadata: { labels: { a: "b" } } },
    },
    { type: "strategic-merge", patch: { $patch: "delete" }, want: { code: 400 } },
    { type: "merge", patch: { kind: "Fischer" }, want: { code: 422 } },
    { type: "merge", patch: { apiVersion: "wardle.example.com/v9" }, want: { code: 422 } },
    // The result is read at the version that it says, and converted.
    {
      type: "merge",
      patch: { apiVersion: "wardle.example.com/v1alpha1", spec: { reference: "y", referenceType: "Flunder" } },
      want: { apiVersion: "wardle.example.com/v1beta1", spec: { flunderReference: "y", referenceType: "Flunder" } },
    },
    { type: "merge", patch: { metadata: { labels: [] } }, want: { code: 422 } },
    { type: "strategic-merge", patch: { metadata: { ownerReferences: {} } }, want: { code: 422 } },
    { type: "json", patch: [{ op: "replace", path: "", value: {} }], want: { code: 400 } },
  ])("a $type patch $patch", async ({ type, patch, want }) => {
    await using server = await start();
    await server.request("POST", flunders("v1beta1"), { body: body("v1beta1", "Flunder", "one") });
    const headers = { "content-type": `application/${type === "strategic-merge" ? "strategic-merge-patch" : `${type}-patch`}+json` };
    expect((await server.request("PATCH", `${flunders("v1beta1")}/one`, { body: patch, headers })).json()).toMatchObject(want);
    // Of an object that is missing nothing else is said.
    expect((await server.request("PATCH", `${flunders("v1beta1")}/none`, { body: "{", headers })).status).toBe(404);
  });

  test("a create tells of its media type before its options, an update after them", async () => {
    await using server = await start();
    const request = { body: "x", headers: { "content-type": "application/xml" } };
    expect((await server.request("POST", `${flunders("v1beta1")}?fieldValidation=Odd`, request)).status).toBe(415);
    expect((await server.request("PUT", `${flunders("v1beta1")}/one?fieldValidation=Odd`, request)).status).toBe(422);
  });

  test("managedFields set to an empty list are cleared", async () => {
    await using server = await start();
    const object = body("v1beta1", "Flunder", "one", { spec: { flunderReference: "a", referenceType: "Flunder" } });
    expect((await server.request("POST", flunders("v1beta1"), { body: object })).json().metadata.managedFields).toHaveLength(1);
    const headers = { "content-type": "application/merge-patch+json" };
    const cleared = await server.request("PATCH", `${flunders("v1beta1")}/one`, { body: { metadata: { managedFields: [] } }, headers });
    expect(cleared.json().metadata).not.toHaveProperty("managedFields");
  });

  test("the first event of a watch of tables names the columns, be it a bookmark", async () => {
    await using server = await start();
    const query = "watch=true&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
    const watch = await server.request("GET", `${flunders("v1beta1")}?${query}`, { headers });
    for await (const event of watch.events()) {
      expect(event).toMatchObject({
        type: "BOOKMARK",
        object: { columnDefinitions: expect.arrayContaining([expect.objectContaining({ name: "Name" })]) },
      });
      break;
    }
    expect.assertions(1);
  });

  test("what an update says of both references is what v1alpha1 can hold", async () => {
    await using server = await start();
    const { metadata } = (await server.request("POST", flunders("v1beta1"), { body: body("v1beta1", "Flunder", "one") })).json();
    const spec = { flunderReference: "a", fischerReference: "b", referenceType: "Fischer" };
    const updated = await server.request("PUT", `${flunders("v1beta1")}/one`, { body: { ...body("v1beta1", "Flunder", "one", { spec }), metadata } });
    expect(updated.json().spec).toEqual({ fischerReference: "b", referenceType: "Fischer" });
  });
});

describe("the conversion of flunders", () => {
  // Of the types of references those that the Go sample knows.
  const values = (...types: string[]) => ({ "spec.referenceType": fc.constantFrom(...types) });

  test("loses nothing of what either version accepts", () => {
    testConversion(Flunder, { values: { v1alpha1: values("Flunder", "Fischer"), v1beta1: values("Flunder", "Fischer") } });
  });

  test("loses a type that there is not, and the reference with it, as the Go sample does", () => {
    const convert = () => testConversion(Flunder, { seed: 1, values: { v1alpha1: values("Flunder", "Odd"), v1beta1: values("Flunder") } });
    expect(convert).toThrow('v1alpha1 loses spec.referenceType in v1beta1: "Odd" comes back as nothing');
    const loss = (field: string) => ({ of: "v1alpha1", in: "v1beta1", field });
    testConversion(Flunder, {
      knownLosses: [loss("spec.reference"), loss("spec.referenceType")],
      values: { v1alpha1: values("Flunder", "Odd"), v1beta1: values("Flunder", "Fischer") },
    });
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
