import { type KubernetesObject, notFound, type ObjectName, t } from "@annex/apimachinery";
import { ALICE, startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import type { Attributes } from "../authorization/index.ts";
import { defineResource, type Subresource } from "../definition/index.ts";
import type { RequestLabels } from "../metrics.ts";
import { type CreateInput, type ReadConsistency, type RequestContext, type ResourceVerbs, ValueView } from "../registry/index.ts";

/** A kind that is served nowhere by itself. */
const Order = defineResource({
  group: "orders.example.com",
  kind: "Order",
  scope: "Namespaced",
  versions: { v1: { schema: { spec: t.object({ drink: t.string() }) }, columns: [{ name: "Drink", type: "string", jsonPath: ".spec.drink" }] } },
});

/** Orders are the robot's drink; what was created is remembered. */
function orders(created: CreateInput[]): Subresource {
  const asOrder = (name: string, drink: unknown): KubernetesObject => ({
    apiVersion: "orders.example.com/v1",
    kind: "Order",
    metadata: { name, resourceVersion: "7" },
    spec: { drink },
  });
  return {
    kind: Order,
    verbs: (parent, parentVerbs, _services, { name: version }): ResourceVerbs => {
      const read = async (target: ObjectName, consistency: ReadConsistency, context: RequestContext) => {
        const view = await parentVerbs.get?.(target, consistency, context);
        if (view === undefined) throw notFound(parent, target.name);
        return asOrder(view.name, (view.in(version).spec as { drink?: string }).drink ?? "none");
      };
      return {
        get: async (target, consistency, context) => new ValueView(Order, await read(target, consistency, context)),
        update: async ({ target, transform }, context) => {
          const wanted = await transform(await read(target, { type: "MostRecent" }, context));
          return { view: new ValueView(Order, wanted), isCreated: false };
        },
        create: async (input) => {
          created.push(input);
          return new ValueView(Order, input.object);
        },
      };
    },
  };
}

function robots(created: CreateInput[] = []) {
  return defineResource({
    group: "example.com",
    kind: "Robot",
    scope: "Namespaced",
    subresources: { order: orders(created) },
    versions: {
      v1: { storage: true, schema: { spec: t.object({ drink: t.optional(t.string()) }) } },
      v1beta1: {
        deprecated: "old robots",
        schema: { spec: t.object({ drink: t.optional(t.string()) }) },
        toStorage: (object) => object,
        fromStorage: (object) => object,
      },
    },
  });
}

const ROBOTS = "/apis/example.com/v1/namespaces/default/robots";
const ORDER = `${ROBOTS}/r2/order`;
const order = (drink: string, name = "r2") => ({ apiVersion: "orders.example.com/v1", kind: "Order", metadata: { name }, spec: { drink } });

async function startWithRobot(created: CreateInput[] = [], options: Parameters<typeof startHarness>[1] = {}) {
  const server = await startHarness([robots(created)], options);
  const body = { apiVersion: "example.com/v1", kind: "Robot", metadata: { name: "r2" }, spec: { drink: "oil" } };
  await server.request("POST", ROBOTS, { body });
  return server;
}

describe("a subresource with a kind of its own", () => {
  test("is read in every form", async () => {
    await using server = await startWithRobot();
    expect((await server.request("GET", ORDER)).json()).toMatchObject({ apiVersion: "orders.example.com/v1", kind: "Order", spec: { drink: "oil" } });
    const table = (await server.request("GET", ORDER, { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } })).json();
    expect(table.columnDefinitions.map(({ name }) => name)).toEqual(["Name", "Drink", "Age"]);
    expect((await server.request("GET", `${ROBOTS}/none/order`)).json()).toMatchObject({ code: 404, message: 'robots.example.com "none" not found' });
  });

  test("is replaced and patched as its kind", async () => {
    await using server = await startWithRobot();
    expect((await server.request("PUT", ORDER, { body: order("water") })).json().spec.drink).toBe("water");
    const headers = { "content-type": "application/merge-patch+json" };
    expect((await server.request("PATCH", ORDER, { body: { spec: { drink: "tea" } }, headers })).json()).toMatchObject(order("tea"));
    expect((await server.request("PUT", ORDER, { body: { ...order("water"), kind: "Robot" } })).json()).toMatchObject({
      code: 400,
      message: 'Robot in version "v1" cannot be handled as a Order: the kind in the data does not match the expected kind',
    });
    expect((await server.request("PUT", ORDER, { body: { ...order("water"), apiVersion: "example.com/v1" } })).json().message).toBe(
      "the API version in the data (example.com/v1) does not match the expected API version (orders.example.com/v1)",
    );
    expect((await server.request("PUT", ORDER, { body: order("water", "c3") })).json().message).toBe(
      "the name of the object (c3) does not match the name on the URL (r2)",
    );
  });

  test("is created below the object that the path names", async () => {
    const created: CreateInput[] = [];
    await using server = await startWithRobot(created);
    const answer = await server.request("POST", `${ORDER}?dryRun=All&fieldManager=bar`, { body: { spec: { drink: "tea" } } });
    expect([answer.status, answer.json().metadata.namespace]).toEqual([201, "default"]);
    expect(created).toMatchObject([
      { version: "v1", namespace: "default", name: "r2", isDryRun: true, fieldManager: { manager: "bar", subresource: "order" } },
    ]);
    const elsewhere = { ...order("tea"), metadata: { name: "r2", namespace: "other" } };
    expect((await server.request("POST", ORDER, { body: elsewhere })).json().message).toBe(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  });

  test("warns as the version of its path does", async () => {
    await using server = await startWithRobot();
    const old = ORDER.replace("/v1/", "/v1beta1/");
    expect((await server.request("GET", old)).headers.warning).toEqual(['299 - "old robots"']);
    expect((await server.request("GET", ORDER)).headers.warning).toBeUndefined();
  });

  test.each([
    ["DELETE", ORDER, 405],
    ["OPTIONS", ORDER, 405],
    ["HEAD", ORDER, 405],
    ["GET", `${ORDER}/x`, 404],
    ["GET", `${ROBOTS}/r2/orders`, 404],
    ["GET", "/apis/example.com/v1/robots/r2/order", 404],
    ["GET", "/apis/example.com/v1/watch/namespaces/default/robots/r2/order", 404],
    ["GET", "/apis/orders.example.com/v1/namespaces/default/orders", 404],
    ["PATCH", ORDER, 415],
  ])("%s %s is %i", async (method, path, code) => {
    await using server = await startWithRobot();
    const headers = { "content-type": "application/strategic-merge-patch+json" };
    expect((await server.request(method, path, method === "GET" ? {} : { body: {}, headers })).status).toBe(code);
  });

  test("is authorized and counted under its name", async () => {
    const asked: Attributes[] = [];
    const counted: (RequestLabels & { readonly code: number })[] = [];
    const ignore = () => undefined;
    const requests = {
      observeRequest: (labels: RequestLabels, code: number) => void counted.push({ ...labels, code }),
      countAuthentication: ignore,
      countAuthorization: ignore,
      setInflight: ignore,
      longRunningStarted: ignore,
      longRunningEnded: ignore,
    };
    await using server = await startHarness([robots()], {
      authorizer: {
        authorize: async (attributes) => {
          asked.push(attributes);
          return { decision: "NoOpinion", reason: "" };
        },
      },
      metrics: { requests, render: async () => ({ contentType: "", text: "" }) },
    });
    const answer = await server.request("POST", ORDER, { body: order("tea"), user: ALICE });
    expect(answer.json().message).toBe(
      'robots.example.com "r2" is forbidden: User "alice" cannot create resource "robots/order" in API group "example.com" in the namespace "default"',
    );
    const place = { group: "example.com", version: "v1", resource: "robots", subresource: "order" };
    expect(asked).toMatchObject([{ verb: "create", ...place, namespace: "default", name: "r2" }]);
    expect(counted).toMatchObject([{ verb: "POST", ...place, scope: "resource", code: 403 }]);
  });
});

test.each([
  { subresources: { Order: orders([]) }, want: 'subresources: "Order" is not a DNS label' },
  { subresources: { status: orders([]) }, want: "subresources: status is the one of statusSubresource" },
  { subresources: { finalize: orders([]) }, want: "subresources: finalize is among updateSubresources, too" },
])("a definition is refused: $want", ({ subresources, want }) => {
  const define = () =>
    defineResource({ group: "x.io", kind: "X", scope: "Cluster", updateSubresources: ["finalize"], subresources, versions: { v1: { schema: {} } } });
  expect(define).toThrow(want);
});
