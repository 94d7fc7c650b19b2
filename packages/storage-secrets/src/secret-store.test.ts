import { APIError, conflict, type KubernetesObject } from "@annex/apimachinery";
import { type ObjectView, ValueView } from "@annex/apiserver";
import { realClock } from "@annex/testing";
import { describe, expect, test } from "vitest";
import type { SecretVerbs } from "./index.ts";
import { NOTE_SECRET_TYPE, Note } from "./testing/note.ts";
import { changeNote, contextOf, DELETE, notesOver, withText } from "./testing/secret-store-harness.ts";

const SECRETS = { group: "", resource: "secrets" };
const target = { namespace: "default", name: "a" };

function secretAt(revision: number): ObjectView {
  const metadata = { ...target, resourceVersion: String(revision), uid: "u", creationTimestamp: "2026-01-01T00:00:00Z" };
  return new ValueView(Note, { apiVersion: "v1", kind: "Secret", type: NOTE_SECRET_TYPE, metadata } as KubernetesObject);
}

/** Secrets whose writes fail as told, in turn, and then succeed; each look at one finds a newer state. */
function failing(failures: readonly APIError[]) {
  const asked: string[] = [];
  let [looks, turn] = [0, 0];
  const write = async () => {
    const failure = failures[turn++];
    if (failure !== undefined) throw failure;
    return secretAt(99);
  };
  const verbs = {
    get: async () => {
      asked.push("get");
      return secretAt(++looks);
    },
    update: async (input: Parameters<SecretVerbs["update"]>[0]) => {
      asked.push(`update of ${input.target.known?.resourceVersion}`);
      return { view: await write() };
    },
    delete: async (of: Parameters<SecretVerbs["delete"]>[0], { preconditions }: Parameters<SecretVerbs["delete"]>[1]) => {
      asked.push(`delete of ${of.known?.resourceVersion} at ${preconditions.resourceVersion}`);
      return { view: await write(), isGone: true };
    },
  };
  return { asked, notes: notesOver(verbs as unknown as SecretVerbs, realClock) }; // no other verb is asked for
}

const lost = conflict(SECRETS, "a", "the object has been modified");
const byWebhook = new APIError("Conflict", 'admission webhook "w" denied the request: no');

describe("a write that somebody else was faster than", () => {
  test("is made again of the newer state, with one request for each look and each try", async () => {
    const { asked, notes } = failing([lost, lost]);
    await changeNote(notes, realClock, target, (live) => withText(live, "new"));
    expect(asked).toEqual(["get", "update of 1", "get", "update of 2", "get", "update of 3"]);
  });

  test("and a deletion", async () => {
    const { asked, notes } = failing([lost]);
    await notes.delete(target, DELETE, contextOf(realClock));
    expect(asked).toEqual(["get", "delete of 1 at 1", "get", "delete of 2 at 2"]);
  });
});

test("a conflict with nobody's write is told, once", async () => {
  const { asked, notes } = failing([byWebhook]);
  await expect(changeNote(notes, realClock, target, (live) => withText(live, "new"))).rejects.toMatchObject({
    code: 409,
    message: byWebhook.message,
  });
  expect(asked).toEqual(["get", "update of 1"]);
});
