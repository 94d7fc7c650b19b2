import { t } from "@annex/apimachinery";
import { defineResource } from "@annex/apiserver";
import { describe, expect, test } from "vitest";
import { ALICE, startHarness } from "./harness.ts";

const Thing = defineResource({
  group: "example.com",
  kind: "Thing",
  scope: "Namespaced",
  shortNames: ["th"],
  selectableFields: ["spec.color"],
  statusSubresource: true,
  versions: {
    v1: {
      schema: {
        spec: t.object({ color: t.string({ default: "red" }), size: t.optional(t.integer({ minimum: 1 })) }),
        status: t.object({ phase: t.optional(t.string()) }),
      },
      columns: [{ name: "Color", type: "string", jsonPath: ".spec.color" }],
    },
  },
  validate: ({ object, invalid }) => {
    if (object.spec.color === "none") invalid("spec.color", "must be a color");
  },
});

const THINGS = "/apis/example.com/v1/namespaces/default/things";
const thing = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: "example.com/v1",
  kind: "Thing",
  metadata: { name, ...metadata },
  spec,
});

describe("the verbs of a stored kind", () => {
  test("creates, reads, changes and deletes", async () => {
    await using server = await startHarness([Thing]);
    const created = await server.request("POST", THINGS, { body: thing("a") });
    expect(created.status, created.text).toBe(201);
    const { metadata } = created.json();
    expect(created.json()).toMatchObject({
      kind: "Thing",
      spec: { color: "red" },
      status: {},
      metadata: { name: "a", namespace: "default", generation: 1 },
    });
    expect(metadata.resourceVersion).toMatch(/^[1-9]\d*$/);
    expect((await server.request("GET", `${THINGS}/a`)).json()).toEqual(created.json());

    const replaced = await server.request("PUT", `${THINGS}/a`, { body: { ...created.json(), spec: { color: "blue" } } });
    expect(replaced.json()).toMatchObject({ spec: { color: "blue" }, metadata: { generation: 2, uid: metadata.uid } });
    expect((await server.request("PUT", `${THINGS}/a`, { body: created.json() })).json()).toMatchObject({ code: 409, reason: "Conflict" });

    const patched = await server.request("PATCH", `${THINGS}/a`, {
      body: { spec: { size: 3 } },
      headers: { "content-type": "application/merge-patch+json" },
    });
    expect(patched.json()).toMatchObject({ spec: { color: "blue", size: 3 }, metadata: { generation: 3 } });

    const status = await server.request("PUT", `${THINGS}/a/status`, {
      body: { ...patched.json(), spec: { color: "green" }, status: { phase: "Done" } },
    });
    expect(status.json()).toMatchObject({ spec: { color: "blue" }, status: { phase: "Done" }, metadata: { generation: 3 } });

    const deleted = await server.request("DELETE", `${THINGS}/a`);
    expect(deleted.json()).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "a", group: "example.com", kind: "things", uid: metadata.uid },
    });
    expect((await server.request("GET", `${THINGS}/a`)).json()).toMatchObject({ code: 404, message: 'things.example.com "a" not found' });
  });

  test("lists in pages that show one moment", async () => {
    await using server = await startHarness([Thing]);
    for (const name of ["a", "b", "c", "d"]) await server.request("POST", THINGS, { body: thing(name) });
    const first = (await server.request("GET", `${THINGS}?limit=2`)).json();
    expect(first.items.map((item) => item.metadata.name)).toEqual(["a", "b"]);
    expect(first.metadata.remainingItemCount).toBe(2);
    await server.request("DELETE", `${THINGS}/c`);
    await server.request("POST", THINGS, { body: thing("bb") });
    const second = (await server.request("GET", `${THINGS}?limit=2&continue=${first.metadata.continue}`)).json();
    expect(second.items.map((item) => item.metadata.name)).toEqual(["c", "d"]);
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect(second.metadata.continue).toBeUndefined();
  });

  test("a watch turns changes of what is selected into ADDED and DELETED", async () => {
    await using server = await startHarness([Thing]);
    const { metadata } = (await server.request("GET", THINGS)).json();
    const watch = await server.request("GET", `${THINGS}?watch=true&fieldSelector=spec.color%3Dblue&resourceVersion=${metadata.resourceVersion}`);
    const events = watch.events();
    await server.request("POST", THINGS, { body: thing("a") });
    const patch = (body: object) => server.request("PATCH", `${THINGS}/a`, { body, headers: { "content-type": "application/merge-patch+json" } });
    const blue = (await patch({ spec: { color: "blue" } })).json();
    const sized = (await patch({ spec: { size: 2 } })).json();
    const red = (await patch({ spec: { color: "red" } })).json();
    const seen = [];
    for await (const event of events) {
      seen.push([event.type, event.object.spec.color, event.object.metadata.resourceVersion]);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([
      ["ADDED", "blue", blue.metadata.resourceVersion],
      ["MODIFIED", "blue", sized.metadata.resourceVersion],
      ["DELETED", "blue", red.metadata.resourceVersion],
    ]);
  });

  test("a collection is deleted as it is listed: from a page on, or as it was", async () => {
    await using server = await startHarness([Thing]);
    const names = async (method: string, query: string) =>
      (await server.request(method, `${THINGS}${query}`)).json().items.map(({ metadata }) => metadata.name);
    const first = (await server.request("POST", THINGS, { body: thing("a") })).json();
    for (const name of ["b", "c"]) await server.request("POST", THINGS, { body: thing(name) });
    expect((await server.request("DELETE", `${THINGS}?continue=abc`)).status).toBe(400);
    expect((await server.request("DELETE", `${THINGS}?resourceVersion=1&resourceVersionMatch=Exact`)).status).toBe(410);
    const page = (await server.request("GET", `${THINGS}?limit=2`)).json();
    expect(await names("DELETE", `?continue=${encodeURIComponent(String(page.metadata.continue))}`)).toEqual(["c"]);
    expect(await names("DELETE", `?resourceVersion=${first.metadata.resourceVersion}&resourceVersionMatch=Exact`)).toEqual(["a"]);
    expect(await names("GET", "")).toEqual(["b"]);
  });

  test("refuses what is not allowed, and names every fault", async () => {
    await using server = await startHarness([Thing]);
    expect((await server.request("GET", THINGS, { user: ALICE })).json()).toMatchObject({
      code: 403,
      message: 'things.example.com is forbidden: User "alice" cannot list resource "things" in API group "example.com" in the namespace "default"',
    });
    expect((await server.request("GET", "/version", { user: null })).status).toBe(200);
    const invalid = (await server.request("POST", THINGS, { body: thing("A", { color: "none", size: 0 }) })).json();
    expect(invalid).toMatchObject({ code: 422, reason: "Invalid" });
    expect(invalid.details.causes.map(({ field }) => field)).toEqual(["metadata.name", "spec.size", "spec.color"]);
  });

  test("a list is encoded once for those who ask at the same time, and anew after a write", async () => {
    await using server = await startHarness([Thing]);
    await server.request("POST", THINGS, { body: thing("a") });
    const bodies = async () => {
      const answers = await Promise.all([1, 2].map(() => server.request("GET", THINGS)));
      return answers.map(({ body }) => body);
    };
    const [first, second] = await bodies();
    expect(second).toBe(first);
    await server.request("POST", THINGS, { body: thing("b") });
    const [third] = await bodies();
    expect(third).not.toBe(first);
    expect((await server.request("GET", THINGS)).json().items).toHaveLength(2);
  });

  test("writes a line for each request when asked to, without anything that may be secret", async () => {
    await using server = await startHarness([Thing], { logsRequests: true });
    await server.request("GET", `${THINGS}/a?fieldSelector=secret`, { headers: { authorization: "Bearer secret" } });
    const [line] = server.log;
    expect(line).toMatchObject({ message: "request", fields: { verb: "get", path: `${THINGS}/a`, user: "admin", code: 404 } });
    expect(JSON.stringify(line)).not.toContain("secret");
  });

  test.each([
    { name: "..", message: "Name parameter invalid: \"..\": may not be '..'" },
    { name: "%25%0a", message: "Name parameter invalid: \"%\\n\": may not contain '%'" },
  ])("no object can be named $name", async ({ name, message }) => {
    await using server = await startHarness([Thing]);
    for (const method of ["GET", "DELETE"]) expect((await server.request(method, `${THINGS}/${name}`)).json()).toMatchObject({ code: 400, message });
    const update = await server.request("PUT", `${THINGS}/${name}`, { body: thing(decodeURIComponent(name), {}, { resourceVersion: "1" }) });
    expect(update.json()).toMatchObject({ code: 400, message });
  });

  test("a name is quoted so that it stays on its line", async () => {
    await using server = await startHarness([Thing]);
    expect((await server.request("GET", `${THINGS}/a%0ab%00`)).json()).toMatchObject({
      code: 404,
      message: 'things.example.com "a\\nb\\x00" not found',
    });
  });

  test("a resourceVersion of 0 is none", async () => {
    await using server = await startHarness([Thing]);
    expect((await server.request("POST", THINGS, { body: thing("a", {}, { resourceVersion: "0" }) })).status).toBe(201);
  });

  test("export is no longer there", async () => {
    await using server = await startHarness([Thing]);
    await server.request("POST", THINGS, { body: thing("a") });
    const message = "the export parameter, deprecated since v1.14, is no longer supported";
    expect((await server.request("GET", `${THINGS}/a?export=true`)).json()).toMatchObject({ code: 400, message });
    expect((await server.request("GET", `${THINGS}/a?export=false`)).status).toBe(200);
  });

  test("prints tables", async () => {
    await using server = await startHarness([Thing]);
    await server.request("POST", THINGS, { body: thing("a") });
    const table = (await server.request("GET", THINGS, { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } })).json();
    expect(table.columnDefinitions.map(({ name }) => name)).toEqual(["Name", "Color", "Age"]);
    expect(table.rows[0]?.cells.slice(0, 2)).toEqual(["a", "red"]);
  });
});
