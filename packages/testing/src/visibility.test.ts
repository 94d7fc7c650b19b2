import { t } from "@annex/apimachinery";
import { defineResource, type UserInfo } from "@annex/apiserver";
import { describe, expect, test } from "vitest";
import { ADMIN, type AnswerBody, type Harness, startHarness } from "./harness.ts";

const BOB: UserInfo = { name: "bob", groups: ["system:masters", "system:authenticated"], extra: {} };

/** A note is for the eyes of those it names. */
const Note = defineResource({
  group: "example.com",
  kind: "Note",
  scope: "Namespaced",
  versions: { v1: { schema: { spec: t.object({ readers: t.array(t.string(), { default: [] }), text: t.string({ default: "" }) }) } } },
  visibleTo: ({ object, user }) => user.name === "admin" || object.spec.readers.includes(user.name),
});

const NOTES = "/apis/example.com/v1/namespaces/default/notes";
const MERGE_PATCH = { "content-type": "application/merge-patch+json" };
const note = (name: string, readers: readonly string[] = []) => ({ metadata: { name }, spec: { readers } });
const names = ({ items }: AnswerBody) => items.map(({ metadata }) => metadata.name);
const patch = (server: Harness, name: string, spec: object, user = ADMIN) =>
  server.request("PATCH", `${NOTES}/${name}`, { body: { spec }, headers: MERGE_PATCH, user });

async function startWithNotes(): Promise<Harness> {
  const server = await startHarness([Note]);
  for (const [name, readers] of [
    ["a", ["bob"]],
    ["b", []],
    ["c", ["bob"]],
    ["d", []],
    ["e", ["bob"]],
  ] as const) {
    await server.request("POST", NOTES, { body: note(name, readers) });
  }
  return server;
}

describe("what a user may not see", () => {
  test("is not there: get and every write are the 404 of what does not exist", async () => {
    await using server = await startWithNotes();
    const missing = (name: string) => ({ code: 404, reason: "NotFound", message: `notes.example.com "${name}" not found` });
    const present = (await server.request("GET", `${NOTES}/b`)).json();
    for (const name of ["b", "nothing"]) {
      const place = `${NOTES}/${name}`;
      const body = { ...present, metadata: { ...present.metadata, name } };
      for (const method of ["GET", "DELETE"]) expect((await server.request(method, place, { user: BOB })).json()).toMatchObject(missing(name));
      expect((await server.request("PUT", place, { body, user: BOB })).json()).toMatchObject(missing(name));
      expect((await patch(server, name, { text: "x" }, BOB)).json()).toMatchObject(missing(name));
      expect((await server.request("DELETE", `${place}?dryRun=All`, { user: BOB })).json()).toMatchObject(missing(name));
    }
    expect((await server.request("GET", `${NOTES}/b`)).json()).toEqual(present);
    expect((await server.request("GET", `${NOTES}/a`, { user: BOB })).status).toBe(200);
  });

  test("still has its name, and nobody is told that it is on its way out", async () => {
    await using server = await startWithNotes();
    await server.request("PATCH", `${NOTES}/b`, { body: { metadata: { finalizers: ["example.com/hold"] } }, headers: MERGE_PATCH });
    await server.request("DELETE", `${NOTES}/b`);
    expect((await server.request("POST", NOTES, { body: note("b", ["bob"]), user: BOB })).json()).toMatchObject({
      code: 409,
      reason: "AlreadyExists",
      message: 'notes.example.com "b" already exists',
    });
  });

  test("is absent from lists, tables and counts", async () => {
    await using server = await startWithNotes();
    expect(names((await server.request("GET", NOTES, { user: BOB })).json())).toEqual(["a", "c", "e"]);
    const page = (await server.request("GET", `${NOTES}?limit=1`, { user: BOB })).json();
    expect(names(page)).toEqual(["a"]);
    expect(page.metadata.remainingItemCount).toBeUndefined();
    const rest = await server.request("GET", `${NOTES}?limit=5&continue=${page.metadata.continue}`, { user: BOB });
    expect(names(rest.json())).toEqual(["c", "e"]);
    expect((await server.request("GET", `${NOTES}?limit=1`)).text).not.toContain('"bob"],"text":"secret"');
    const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
    expect((await server.request("GET", NOTES, { user: BOB, headers })).json().rows).toHaveLength(3);
    expect(names((await server.request("GET", `${NOTES}?fieldSelector=metadata.name%3Db`, { user: BOB })).json())).toEqual([]);
    // The last page ends where the last visible object does: no token tells of what follows.
    const all = (await server.request("GET", `${NOTES}?limit=3`, { user: BOB })).json();
    expect(all.metadata.continue).toBeUndefined();
  });

  test("comes and goes in a watch as ADDED and DELETED, with nothing of what it was meanwhile", async () => {
    await using server = await startWithNotes();
    const { metadata } = (await server.request("GET", NOTES)).json();
    const watch = await server.request("GET", `${NOTES}?watch=true&resourceVersion=${metadata.resourceVersion}`, { user: BOB });
    await patch(server, "b", { text: "unseen" });
    await patch(server, "b", { readers: ["bob"], text: "shown" });
    await patch(server, "b", { text: "changed" });
    const hidden = (await patch(server, "b", { readers: [], text: "secret" })).json();
    await patch(server, "b", { text: "more secret" });
    await server.request("DELETE", `${NOTES}/b`);
    await server.request("DELETE", `${NOTES}/a`);
    const seen = [];
    for await (const { type, object } of watch.events()) {
      seen.push([type, object.metadata.name, object.spec.text, object.metadata.resourceVersion]);
      if (seen.length === 4) break;
    }
    expect(seen).toEqual([
      ["ADDED", "b", "shown", expect.any(String)],
      ["MODIFIED", "b", "changed", expect.any(String)],
      // The last state that was visible, at the revision at which it ceased to be.
      ["DELETED", "b", "changed", hidden.metadata.resourceVersion],
      ["DELETED", "a", "", expect.any(String)],
    ]);
  });

  test("is not in the first state of a watch", async () => {
    await using server = await startWithNotes();
    const watch = await server.request("GET", `${NOTES}?watch=true`, { user: BOB });
    const seen = [];
    for await (const { object } of watch.events()) {
      seen.push(object.metadata.name);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(["a", "c", "e"]);
  });

  test("survives the deletion of a collection", async () => {
    await using server = await startWithNotes();
    expect(names((await server.request("DELETE", NOTES, { user: BOB })).json())).toEqual(["a", "c", "e"]);
    expect(names((await server.request("GET", NOTES)).json())).toEqual(["b", "d"]);
  });

  test("may be what the user made just now", async () => {
    await using server = await startHarness([Note]);
    expect((await server.request("POST", NOTES, { body: note("own"), user: BOB })).status).toBe(201);
    expect((await server.request("GET", `${NOTES}/own`, { user: BOB })).status).toBe(404);
  });
});
