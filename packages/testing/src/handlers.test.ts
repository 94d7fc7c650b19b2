import { forbidden, t } from "@annex/apimachinery";
import { type AuthorHandlers, defineResource, type HandlerEvent, type VersionObject } from "@annex/apiserver";
import { describe, expect, test } from "vitest";
import { ALICE, type Harness, startHarness } from "./harness.ts";

const spec = t.object({ current: t.string({ default: "" }), next: t.string({ minLength: 3 }) });
type Row = VersionObject<{ spec: typeof spec }>;

const GROUP = "/apis/example.com/v1";
const TABLE = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
const MERGE_PATCH = { "content-type": "application/merge-patch+json" };

function rows(handlers: AuthorHandlers<Row>) {
  return defineResource({
    group: "example.com",
    kind: "Row",
    scope: "Cluster",
    versions: { v1: { schema: { spec }, columns: [{ name: "Next", type: "string", jsonPath: ".spec.next" }] } },
    handlers,
  });
}

const verbsOf = async (server: Harness) => {
  const { resources } = (await server.request("GET", GROUP)).json() as unknown as {
    readonly resources: readonly { readonly name: string; readonly verbs: readonly string[] }[];
  };
  return resources.find(({ name }) => name === "rows")?.verbs;
};

/** A table of somebody's, in memory. */
function table() {
  const kept = new Map<string, ReturnType<typeof rowOf>>();
  let revision = 0;
  const rowOf = ({ metadata: { name = "", labels = {} }, spec: values }: Row) => ({
    metadata: { name, labels, resourceVersion: String(++revision) },
    spec: values,
  });
  const listeners = new Set<(event: HandlerEvent<Row>) => void>();
  const tell = (event: HandlerEvent<Row>) => {
    for (const listener of listeners) listener(event);
  };
  const handlers = {
    get: ({ name }) => kept.get(name),
    list: () => [...kept.values()],
    supportsDryRun: true,
    create: ({ object, isDryRun }) => {
      const row = rowOf(object);
      if (!isDryRun) {
        kept.set(row.metadata.name, row);
        tell({ type: "ADDED", object: row });
      }
      return row;
    },
    update: ({ object, isDryRun }) => {
      const row = rowOf(object);
      if (!isDryRun) kept.set(row.metadata.name, row);
      return row;
    },
    delete: ({ name, isDryRun, previous }) => {
      if (isDryRun) return;
      kept.delete(name);
      tell({ type: "DELETED", object: previous });
    },
    watch: ({ signal }) => follow(listeners, signal),
  } satisfies AuthorHandlers<Row>;
  return { kept, handlers };
}

async function* follow(listeners: Set<(event: HandlerEvent<Row>) => void>, signal: AbortSignal): AsyncGenerator<HandlerEvent<Row>> {
  const queue: HandlerEvent<Row>[] = [];
  let wake: () => void = () => undefined;
  const listener = (event: HandlerEvent<Row>) => {
    queue.push(event);
    wake();
  };
  listeners.add(listener);
  signal.addEventListener("abort", () => wake(), { once: true });
  try {
    while (!signal.aborted) {
      const next = queue.shift();
      if (next !== undefined) yield next;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    listeners.delete(listener);
  }
}

const body = (name: string, next = "secret") => ({ metadata: { name }, spec: { next } });

describe("a kind that stores nothing", () => {
  test("is created and is nowhere: the change of a password", async () => {
    const changed: unknown[] = [];
    const PasswordChange = defineResource({
      group: "example.com",
      kind: "PasswordChange",
      scope: "Cluster",
      versions: { v1: { schema: { spec: t.object({ current: t.string(), next: t.string({ minLength: 3 }) }) } } },
      handlers: {
        supportsDryRun: true,
        create: ({ object, user, isDryRun, signal }) => {
          changed.push([user.name, object.spec.next, isDryRun, signal.aborted]);
          if (object.spec.current !== "old")
            throw forbidden({ group: "example.com", resource: "passwordchanges" }, "", "the password is another one");
          return { metadata: {}, spec: { current: "", next: "" } };
        },
      },
    });
    await using server = await startHarness([PasswordChange]);
    const path = `${GROUP}/passwordchanges`;
    const post = (fields: object, query = "") => server.request("POST", `${path}${query}`, { body: { metadata: { name: "me" }, spec: fields } });
    const answer = await post({ current: "old", next: "new" });
    expect(answer.status).toBe(201);
    expect(answer.json()).toMatchObject({ kind: "PasswordChange", apiVersion: "example.com/v1", spec: { current: "", next: "" } });
    expect((await post({ current: "x", next: "new" })).json()).toMatchObject({
      code: 403,
      message: "passwordchanges.example.com is forbidden: the password is another one",
    });
    const short = await post({ current: "old", next: "n" });
    expect(short.json(), short.text).toMatchObject({ code: 422, details: { causes: [{ field: "spec.next" }] } });
    expect((await post({ current: "old", next: "new" }, "?dryRun=All")).status).toBe(201);
    expect((await post({ current: "old", next: "new", color: "red" }, "?fieldValidation=Strict")).status).toBe(400);
    expect(changed).toEqual([
      ["admin", "new", false, false],
      ["admin", "new", false, false],
      ["admin", "new", true, false],
    ]);
    for (const [method, target] of [
      ["GET", path],
      ["GET", `${path}/me`],
      ["DELETE", `${path}/me`],
      ["DELETE", path],
      ["PATCH", `${path}/me`],
      ["PUT", `${path}/me`],
    ] as const) {
      const refused = await server.request(
        method,
        target,
        method === "PATCH" ? { body: {}, headers: MERGE_PATCH } : method === "PUT" ? { body: {} } : {},
      );
      expect(refused.json(), `${method} ${target}`).toMatchObject({ code: 405, reason: "MethodNotAllowed" });
    }
    expect((await server.request("GET", GROUP)).text).toContain('"verbs":["create"]');
    expect((await server.request("POST", path, { body: {}, user: ALICE })).status).toBe(403);
    expect((await server.request("GET", "/openapi/v3/apis/example.com/v1")).text).not.toMatch(/"(get|delete|patch|put)":\{[^}]*passwordchanges/);
  });
});

describe("handlers", () => {
  test.each<{ has: (keyof AuthorHandlers)[]; verbs: string[] }>([
    { has: ["create"], verbs: ["create"] },
    { has: ["get"], verbs: ["get"] },
    { has: ["list"], verbs: ["list"] },
    { has: ["watch"], verbs: [] },
    { has: ["list", "watch"], verbs: ["list", "watch"] },
    { has: ["update"], verbs: [] },
    { has: ["get", "update"], verbs: ["get", "patch", "update"] },
    { has: ["delete"], verbs: [] },
    { has: ["get", "delete"], verbs: ["delete", "get"] },
    { has: ["get", "list", "delete"], verbs: ["delete", "deletecollection", "get", "list"] },
    {
      has: ["create", "delete", "get", "list", "update", "watch"],
      verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
    },
  ])("$has are discovered as $verbs, and the rest is 405", async ({ has, verbs }) => {
    const { handlers } = table();
    await using server = await startHarness([rows(Object.fromEntries(has.map((name) => [name, handlers[name]])))]);
    expect([...((await verbsOf(server)) ?? [])].sort()).toEqual(verbs);
    const ask = {
      create: () => server.request("POST", `${GROUP}/rows`, { body: body("a") }),
      get: () => server.request("GET", `${GROUP}/rows/a`),
      list: () => server.request("GET", `${GROUP}/rows`),
      watch: () => server.request("GET", `${GROUP}/rows?watch=true`),
      update: () => server.request("PUT", `${GROUP}/rows/a`, { body: body("a") }),
      patch: () => server.request("PATCH", `${GROUP}/rows/a`, { body: { spec: { next: "patched" } }, headers: MERGE_PATCH }),
      delete: () => server.request("DELETE", `${GROUP}/rows/a`),
      deletecollection: () => server.request("DELETE", `${GROUP}/rows`),
    };
    for (const [verb, request] of Object.entries(ask)) {
      expect((await request()).status === 405, verb).toBe(!verbs.includes(verb));
    }
  });

  test("lists, tables, selectors, pages and patches follow from them", async () => {
    const { handlers, kept } = table();
    await using server = await startHarness([rows(handlers)]);
    for (const name of ["b", "a", "c"]) {
      const metadata = { name, labels: { odd: String(name !== "b") } };
      expect((await server.request("POST", `${GROUP}/rows`, { body: { metadata, spec: { next: `next-${name}` } } })).status).toBe(201);
    }
    const list = async (query: string) => (await server.request("GET", `${GROUP}/rows?${query}`)).json();
    const names = async (query: string) => (await list(query)).items.map(({ metadata }) => metadata.name);
    expect(await names("")).toEqual(["a", "b", "c"]);
    expect(await names("labelSelector=odd%3Dtrue")).toEqual(["a", "c"]);
    expect(await names("fieldSelector=metadata.name%3Db")).toEqual(["b"]);
    const page = await list("limit=2");
    expect(page.metadata.remainingItemCount).toBe(1);
    expect(await names(`limit=2&continue=${page.metadata.continue}`)).toEqual(["c"]);
    const shown = (await server.request("GET", `${GROUP}/rows`, { headers: TABLE })).json();
    expect(shown.rows.map(({ cells }) => cells.slice(0, 2))).toEqual([
      ["a", "next-a"],
      ["b", "next-b"],
      ["c", "next-c"],
    ]);
    const patch = (fields: object, query = "") =>
      server.request("PATCH", `${GROUP}/rows/a${query}`, { body: { spec: fields }, headers: MERGE_PATCH });
    const patched = await patch({ next: "patched" });
    expect(patched.json(), patched.text).toMatchObject({ kind: "Row", spec: { current: "", next: "patched" } });
    expect((await patch({ next: "x" })).status).toBe(422);
    expect((await patch({ next: "rehearsed" }, "?dryRun=All")).json()).toMatchObject({ spec: { next: "rehearsed" } });
    expect(kept.get("a")?.spec.next).toBe("patched");
    expect((await server.request("DELETE", `${GROUP}/rows?labelSelector=odd%3Dtrue`)).json().items).toHaveLength(2);
    expect([...kept.keys()]).toEqual(["b"]);
    expect((await server.request("DELETE", `${GROUP}/rows/b`)).json()).toMatchObject({ status: "Success" });
    expect((await server.request("GET", `${GROUP}/rows/b`)).json()).toMatchObject({ code: 404, message: 'rows.example.com "b" not found' });
  });

  test("a watch begins with what is there and goes on with what is told", async () => {
    const { handlers } = table();
    await using server = await startHarness([rows(handlers)]);
    await server.request("POST", `${GROUP}/rows`, { body: body("a") });
    const watch = (await server.request("GET", `${GROUP}/rows?watch=true`)).events();
    const first = await watch.next();
    await server.request("POST", `${GROUP}/rows`, { body: body("b") });
    await server.request("DELETE", `${GROUP}/rows/a`);
    const seen = [first, await watch.next(), await watch.next()].map(({ value }) => value && [value.type, value.object.metadata.name]);
    await watch.return(undefined);
    expect(seen).toEqual([
      ["ADDED", "a"],
      ["ADDED", "b"],
      ["DELETED", "a"],
    ]);
  });

  test("what a handler throws that is no APIError is a 500 whose message nobody sees", async () => {
    const secret = "the password is hunter2";
    const failing = rows({
      list: () => {
        throw new Error(secret);
      },
    });
    await using server = await startHarness([failing]);
    const answer = await server.request("GET", `${GROUP}/rows`);
    expect(answer.json()).toMatchObject({ code: 500, reason: "InternalError" });
    expect(answer.text).not.toContain(secret);
    expect(server.log.some(({ fields }) => String((fields.error as Error | undefined)?.message).includes(secret))).toBe(true);
  });
});
