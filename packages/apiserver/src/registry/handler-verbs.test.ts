import { t } from "@annex/apimachinery";
import { settled, startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { type AuthorHandlers, defineResource, type HandlerEvent, type HandlerObject, type VersionObject } from "../definition/index.ts";

const spec = t.object({ size: t.integer({ default: 1 }) });
type Handlers = AuthorHandlers<VersionObject<{ spec: typeof spec }>>;

function kind(handlers: Handlers) {
  return defineResource({ group: "example.com", kind: "Row", scope: "Namespaced", versions: { v1: { schema: { spec } } }, handlers });
}

type Row = HandlerObject<VersionObject<{ spec: typeof spec }>>;
type Event = HandlerEvent<VersionObject<{ spec: typeof spec }>>;

const ROWS = "/apis/example.com/v1/namespaces/default/rows";
const row = (name: string, size = 1): Row => ({ metadata: { name, namespace: "default" }, spec: { size } });
const body = (metadata: object, fields: object = {}) => ({ apiVersion: "example.com/v1", kind: "Row", metadata, spec: fields });
const merge = { "content-type": "application/merge-patch+json" };

/** A table in memory, as an author would have it elsewhere. */
function table(...rows: readonly Row[]) {
  const byName = new Map(rows.map((one) => [one.metadata.name ?? "", one]));
  const handlers = {
    get: ({ name }) => byName.get(name),
    list: () => [...byName.values()],
    update: ({ object, isDryRun }) => {
      if (!isDryRun) byName.set(object.metadata.name ?? "", object);
      return object;
    },
    delete: ({ name, isDryRun }) => {
      if (!isDryRun) byName.delete(name);
    },
  } satisfies Handlers;
  return { byName, handlers };
}

test("exactly the verbs that are there, and those that follow from them, are served", async () => {
  const { handlers } = table();
  const verbsOf = async (some: Handlers) => {
    await using server = await startHarness([kind(some)]);
    const { resources } = (await server.request("GET", "/apis/example.com/v1")).json() as unknown as {
      resources: { name: string; verbs: string[] }[];
    };
    return resources[0]?.verbs;
  };
  const { get, list, update } = handlers;
  expect(await verbsOf(handlers)).toEqual(["delete", "deletecollection", "get", "list", "patch", "update"]);
  expect(await verbsOf({ list })).toEqual(["list"]);
  expect(await verbsOf({ get, update })).toEqual(["get", "patch", "update"]);
  expect(await verbsOf({ delete: handlers.delete, list })).toEqual(["list"]);
});

describe("create", () => {
  test("an author is asked for nothing that is in deletion already", async () => {
    const seen: object[] = [];
    const { handlers } = table();
    const create: Handlers["create"] = ({ object }) => {
      seen.push(object.metadata);
      return object;
    };
    await using server = await startHarness([kind({ ...handlers, create })]);
    const sent = body({ name: "a", deletionTimestamp: "2020-01-01T00:00:00Z", deletionGracePeriodSeconds: 5 });
    await server.request("POST", ROWS, { body: sent });
    await server.request("PATCH", `${ROWS}/a?fieldManager=me`, { body: sent, headers: { "content-type": "application/apply-patch+yaml" } });
    expect(seen).toHaveLength(2);
    for (const one of seen) expect(one).not.toHaveProperty("deletionTimestamp");
  });

  test("a kind that is asked and not kept needs no name, and gets what the server knows", async () => {
    const seen: unknown[] = [];
    const Ask = defineResource({
      group: "example.com",
      kind: "Ask",
      scope: "Cluster",
      versions: { v1: { schema: { spec } } },
      handlers: {
        supportsDryRun: true,
        create: ({ object, user, isDryRun }) => {
          seen.push([user.name, isDryRun]);
          return { ...object, spec: { size: object.spec.size + 1 } };
        },
      },
    });
    await using server = await startHarness([Ask]);
    const ask = (metadata: object, query = "") =>
      server.request("POST", `/apis/example.com/v1/asks${query}`, { body: { apiVersion: "example.com/v1", kind: "Ask", metadata, spec: {} } });
    const answer = await ask({});
    expect(answer.status).toBe(201);
    expect(answer.json()).toMatchObject({ spec: { size: 2 }, metadata: { creationTimestamp: expect.stringMatching(/Z$/) } });
    expect((await ask({ generateName: "x-" })).json().metadata.name).toMatch(/^x-[a-z0-9]{5}$/);
    expect((await ask({ name: "Not A Name" }, "?dryRun=All")).status).toBe(422);
    expect((await ask({ name: "a" }, "?dryRun=All")).status).toBe(201);
    expect(seen).toEqual([
      ["admin", false],
      ["admin", false],
      ["admin", true],
    ]);
  });

  test("a kind that can be read does need one", async () => {
    const { handlers } = table();
    await using server = await startHarness([kind({ ...handlers, create: ({ object }) => object })]);
    expect((await server.request("POST", ROWS, { body: body({}) })).json()).toMatchObject({ code: 422 });
  });
});

describe("reads", () => {
  test("selectors, pages and counts are the framework's", async () => {
    const { handlers } = table(row("c"), row("a"), row("b"));
    await using server = await startHarness([kind(handlers)]);
    const first = (await server.request("GET", `${ROWS}?limit=2`)).json();
    expect(first.items.map(({ metadata }) => metadata.name)).toEqual(["a", "b"]);
    expect(first.metadata.remainingItemCount).toBe(1);
    const second = (await server.request("GET", `${ROWS}?limit=2&continue=${first.metadata.continue}`)).json();
    expect(second.items.map(({ metadata }) => metadata.name)).toEqual(["c"]);
    expect((await server.request("GET", `${ROWS}?fieldSelector=metadata.name%3Db`)).json().items).toHaveLength(1);
    expect((await server.request("GET", `${ROWS}/a`)).json()).toMatchObject({ apiVersion: "example.com/v1", kind: "Row", spec: { size: 1 } });
    expect((await server.request("GET", `${ROWS}/x`)).json()).toMatchObject({ code: 404, message: 'rows.example.com "x" not found' });
  });

  test("what a handler throws is a 500 that tells nothing", async () => {
    await using server = await startHarness([kind({ list: () => Promise.reject(new Error("password=hunter2")) })]);
    const failed = await server.request("GET", ROWS);
    expect(failed.json()).toMatchObject({ code: 500, reason: "InternalError" });
    expect(failed.text).not.toContain("hunter2");
  });
});

describe("writes", () => {
  test("patch follows from get and update, and a resourceVersion is compared where there is one", async () => {
    const versioned = { ...row("v"), metadata: { ...row("v").metadata, resourceVersion: "7" } };
    const { handlers, byName } = table(row("a"), versioned);
    await using server = await startHarness([kind({ ...handlers, supportsDryRun: true })]);
    expect((await server.request("PATCH", `${ROWS}/a`, { body: { spec: { size: 5 } }, headers: merge })).json().spec).toEqual({ size: 5 });
    expect((await server.request("PUT", `${ROWS}/v`, { body: body({ name: "v", resourceVersion: "6" }) })).json()).toMatchObject({
      code: 409,
      reason: "Conflict",
    });
    expect((await server.request("PUT", `${ROWS}/v`, { body: body({ name: "v", resourceVersion: "7" }, { size: 2 }) })).status).toBe(200);
    expect((await server.request("PUT", `${ROWS}/v`, { body: body({ name: "v", uid: "other" }) })).json()).toMatchObject({
      code: 409,
      reason: "Conflict",
    });
    expect(byName.get("v")?.spec.size).toBe(2);
    expect((await server.request("PATCH", `${ROWS}/a?dryRun=All`, { body: { spec: { size: 9 } }, headers: merge })).status).toBe(200);
    expect(byName.get("a")?.spec.size).toBe(5);
  });

  test("a deletion holds to its preconditions, and a collection to the selector", async () => {
    const { handlers, byName } = table(row("a"), row("b"), row("c"));
    await using server = await startHarness([kind(handlers)]);
    expect((await server.request("DELETE", `${ROWS}/a`, { body: { preconditions: { uid: "other" } } })).status).toBe(409);
    expect((await server.request("DELETE", `${ROWS}?fieldSelector=metadata.name!%3Db`)).json().items).toHaveLength(2);
    expect([...byName.keys()]).toEqual(["b"]);
    expect((await server.request("DELETE", `${ROWS}/b`)).json()).toMatchObject({ kind: "Status", status: "Success" });
  });
});

describe("watch", () => {
  function feed() {
    const queue: Event[] = [];
    let wake = (): void => undefined;
    return {
      push: (type: Event["type"], object: Row) => {
        queue.push({ type, object });
        wake();
      },
      async *stream(): AsyncGenerator<Event> {
        for (;;) {
          const event = queue.shift();
          if (event !== undefined) yield event;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      },
    };
  }

  test("begins with what there is, and turns changes of the selection into ADDED and DELETED", async () => {
    const { handlers } = table(row("a"));
    const { push, stream } = feed();
    await using server = await startHarness([kind({ ...handlers, watch: stream })]);
    const watch = await server.request("GET", `${ROWS}?watch=true&fieldSelector=metadata.name%3Da`);
    push("ADDED", row("b"));
    push("MODIFIED", row("a", 2));
    push("DELETED", row("a", 2));
    push("ADDED", row("a", 3));
    const seen = [];
    for await (const { type, object } of watch.events()) {
      seen.push([type, object.metadata.name, object.spec.size]);
      if (seen.length === 4) break;
    }
    expect(seen).toEqual([
      ["ADDED", "a", 1],
      ["MODIFIED", "a", 2],
      ["DELETED", "a", 2],
      ["ADDED", "a", 3],
    ]);
  });

  test("what ceases to be selected, or visible, is told as it last was", async () => {
    const { handlers } = table(row("a"));
    const { push, stream } = feed();
    const Small = defineResource({
      group: "example.com",
      kind: "Row",
      scope: "Namespaced",
      versions: { v1: { schema: { spec } } },
      handlers: { ...handlers, watch: stream },
      visibleTo: ({ object }) => object.spec.size < 10,
    });
    await using server = await startHarness([Small]);
    const watch = await server.request("GET", `${ROWS}?watch=true`);
    const at = (resourceVersion: string, size: number) => ({ metadata: { name: "a", namespace: "default", resourceVersion }, spec: { size } });
    push("MODIFIED", at("2", 99));
    push("MODIFIED", at("3", 2));
    push("DELETED", at("4", 99));
    push("ADDED", at("5", 3));
    push("DELETED", at("6", 4));
    const seen = [];
    for await (const { type, object } of watch.events()) {
      seen.push([type, object.metadata.resourceVersion, object.spec.size]);
      if (seen.length === 6) break;
    }
    expect(seen).toEqual([
      ["ADDED", undefined, 1],
      ["DELETED", "2", 1],
      ["ADDED", "3", 2],
      ["DELETED", "4", 2],
      ["ADDED", "5", 3],
      ["DELETED", "6", 4],
    ]);
  });

  test("ends in time, though the author's feed never does", async () => {
    const { handlers } = table();
    const { stream } = feed();
    await using server = await startHarness([kind({ ...handlers, watch: stream })]);
    const watch = await server.request("GET", `${ROWS}?watch=true&timeoutSeconds=1`);
    const seen = [];
    for await (const event of watch.events()) seen.push(event);
    expect(seen).toEqual([]);
    await settled();
  });
});

test("a dry run of an author who has not thought of it is refused, and nothing is called", async () => {
  const { byName, handlers } = table(row("a"));
  await using server = await startHarness([kind({ ...handlers, create: ({ object }) => object })]);
  const requests = [
    server.request("POST", `${ROWS}?dryRun=All`, { body: body({ name: "b" }) }),
    server.request("PATCH", `${ROWS}/a?dryRun=All`, { body: { spec: { size: 2 } }, headers: merge }),
    server.request("DELETE", `${ROWS}/a?dryRun=All`),
    server.request("DELETE", `${ROWS}?dryRun=All`),
  ];
  for (const answer of await Promise.all(requests)) {
    expect(answer.json()).toMatchObject({ code: 400, reason: "BadRequest", message: "rows.example.com does not support dry run" });
  }
  expect([...byName]).toEqual([["a", row("a")]]);
});

describe("server-side apply", () => {
  const apply = { "content-type": "application/apply-patch+yaml" };
  const { byName, handlers } = table(row("a", 3));
  const creating: Handlers = {
    ...handlers,
    supportsDryRun: true,
    create: ({ object }) => {
      byName.set(object.metadata.name ?? "", object);
      return object;
    },
  };

  test("merges into what is there, and creates what is not, where the author can", async () => {
    byName.set("a", { ...row("a", 3), metadata: { ...row("a").metadata, labels: { l: "1" } } });
    await using server = await startHarness([kind(creating)]);
    const changed = await server.request("PATCH", `${ROWS}/a?fieldManager=me`, { headers: apply, body: body({ name: "a" }, { size: 4 }) });
    expect(changed.json()).toMatchObject({ metadata: { labels: { l: "1" } }, spec: { size: 4 } });
    const created = await server.request("PATCH", `${ROWS}/b?fieldManager=me`, { headers: apply, body: body({ name: "b" }, { size: 5 }) });
    expect([created.status, created.json().spec]).toEqual([201, { size: 5 }]);
  });

  test("finds nothing to create where the author cannot", async () => {
    await using server = await startHarness([kind(handlers)]);
    const response = await server.request("PATCH", `${ROWS}/c?fieldManager=me`, { headers: apply, body: body({ name: "c" }, { size: 4 }) });
    expect(response.json()).toMatchObject({ code: 404, message: 'rows.example.com "c" not found' });
  });

  test("where the author keeps managedFields, fields have owners, whoever writes", async () => {
    byName.clear();
    await using server = await startHarness([kind(creating)]);
    await server.request("PATCH", `${ROWS}/d?fieldManager=me`, { headers: apply, body: body({ name: "d" }, { size: 4 }) });
    const others = await server.request("PATCH", `${ROWS}/d?fieldManager=other`, { headers: apply, body: body({ name: "d" }, { size: 5 }) });
    expect(others.json()).toMatchObject({ code: 409, message: 'Apply failed with 1 conflict: conflict with "me": .spec.size' });
    await server.request("PATCH", `${ROWS}/d?fieldManager=updater`, { headers: merge, body: { spec: { size: 6 } } });
    const mine = await server.request("PATCH", `${ROWS}/d?fieldManager=me`, { headers: apply, body: body({ name: "d" }, { size: 4 }) });
    expect(mine.json().message).toBe('Apply failed with 1 conflict: conflict with "updater" using example.com/v1: .spec.size');
  });
});
