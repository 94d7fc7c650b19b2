import { parseLabelSelector } from "@annex/apimachinery";
import { describe, expect } from "vitest";
import { encodeData } from "../index.ts";
import { NOTE_SECRET_TYPE } from "./note.ts";
import {
  changeNote,
  contextOf,
  createNote,
  DELETE,
  editSecret,
  fieldsOf,
  listNotes,
  makeSecret,
  note,
  ReadWatch,
  type SecretStoreHarness,
  withColor,
} from "./secret-store-harness.ts";
import { type NotesUnderTest, testNotes } from "./with-secrets.ts";

/** watch: each change once, in order, wherever it was made. */
export function describeSecretWatches(open: () => Promise<SecretStoreHarness>): void {
  const test = testNotes(open);

  /** Makes `a` white, then red, then blue, then deletes it: at both replicas in turn. */
  async function changes({ notes, others, harness: { clock }, namespace }: NotesUnderTest): Promise<void> {
    const target = { namespace, name: "a" };
    await createNote(notes, clock, note("a", namespace));
    await changeNote(others, clock, target, (live) => withColor(live, "red"));
    await changeNote(notes, clock, target, (live) => withColor(live, "blue"));
    await others.delete(target, DELETE, contextOf(clock));
  }
  const ALL = ["ADDED a@white", "MODIFIED a@red", "MODIFIED a@blue", "DELETED a@blue"];

  describe("watches", () => {
    test("tell what happens after a list, at either replica", async (under) => {
      const { notes, others, harness, namespace } = under;
      const { resourceVersion } = await listNotes(notes, harness.clock, namespace);
      await using here = await ReadWatch.begin(notes, harness.clock, namespace, { resourceVersion });
      await using there = await ReadWatch.begin(others, harness.clock, namespace, { resourceVersion });
      await changes(under);
      await using later = await ReadWatch.begin(others, harness.clock, namespace, { resourceVersion });
      for (const watch of [here, there, later]) expect(await watch.take(4)).toEqual(ALL);
    });

    test.each([
      { what: "now", options: {} },
      { what: "any state", options: { resourceVersion: "0" } },
      { what: "a state that is asked for", options: { sendInitialEvents: true } },
    ])("begin with $what, then tell changes", async (under, { options }) => {
      const { notes, others, harness, namespace } = under;
      const kept = await createNote(notes, harness.clock, note("kept", namespace));
      // So that the state that may be any is this one.
      const consistency = { type: "NotOlderThan", resourceVersion: kept.resourceVersion } as const;
      for (const replica of [notes, others]) await listNotes(replica, harness.clock, namespace, { consistency });
      await using watch = await ReadWatch.begin(others, harness.clock, namespace, options);
      expect(await watch.take(2)).toEqual(["ADDED kept@white", "SYNCED"]);
      await changes(under);
      expect(await watch.take(6)).toEqual(["ADDED kept@white", "SYNCED", ...ALL]);
    });

    test("begin with a state not older than asked for", async ({ notes, others, harness, namespace }) => {
      const { resourceVersion } = await createNote(notes, harness.clock, note("a", namespace));
      await using watch = await ReadWatch.begin(others, harness.clock, namespace, { resourceVersion, sendInitialEvents: true });
      expect(await watch.take(2)).toEqual(["ADDED a@white", "SYNCED"]);
    });

    test.each([
      { what: "a label", options: { labelSelector: parseLabelSelector("color=red") } },
      { what: "a field", options: { fieldSelector: fieldsOf("spec.color=red") } },
    ])("show an object while it has $what", async ({ notes, others, harness, namespace }, { options }) => {
      const { clock } = harness;
      const target = { namespace, name: "a" };
      const { resourceVersion } = await listNotes(notes, clock, namespace);
      await using watch = await ReadWatch.begin(notes, clock, namespace, { ...options, resourceVersion });
      await createNote(others, clock, note("a", namespace, { metadata: { labels: { color: "white" } } }));
      for (const color of ["red", "red", "blue", "red"]) {
        await changeNote(others, clock, target, (live) => {
          const { metadata } = live;
          return withColor({ ...live, metadata: { ...metadata, labels: { color }, annotations: { at: metadata.resourceVersion ?? "" } } }, color);
        });
      }
      await others.delete(target, DELETE, contextOf(clock));
      const lines = (await watch.take(5)).map((line) => line.split("@")[0]);
      expect(lines).toEqual(["ADDED a", "MODIFIED a", "DELETED a", "ADDED a", "DELETED a"]);
    });

    test("show one object by its name, and none of another type", async (under) => {
      const { notes, harness, namespace } = under;
      const { resourceVersion } = await listNotes(notes, harness.clock, namespace);
      const options = { resourceVersion, fieldSelector: fieldsOf("metadata.name=a") };
      await using watch = await ReadWatch.begin(notes, harness.clock, namespace, options);
      await createNote(notes, harness.clock, note("b", namespace));
      await makeSecret(harness, namespace, "c", { type: "Opaque" });
      await changes(under);
      expect(await watch.take(4)).toEqual(ALL);
    });

    test("tell what is done to the Secret", async ({ notes, harness, namespace }) => {
      const { clock, secrets } = harness;
      const { resourceVersion } = await listNotes(notes, clock, namespace);
      await using watch = await ReadWatch.begin(notes, clock, namespace, { resourceVersion });
      await makeSecret(harness, namespace, "a", { type: NOTE_SECRET_TYPE, data: { color: encodeData("red") } });
      await editSecret(harness, { namespace, name: "a" }, ({ data, ...secret }) => ({ ...secret, data: { ...data, color: encodeData("blue") } }));
      await secrets.delete({ namespace, name: "a" }, DELETE, contextOf(clock));
      expect(await watch.take(3)).toEqual(["ADDED a@red", "MODIFIED a@blue", "DELETED a@blue"]);
    });

    test("from before the time are told that they are too late, or all of it", async (under) => {
      const { notes, harness, namespace } = under;
      await changes(under);
      await using watch = await ReadWatch.begin(notes, harness.clock, namespace, { resourceVersion: "1" });
      const outcome = await watch.take(4).catch((error: unknown) => error);
      if (Array.isArray(outcome)) expect(outcome).toEqual(ALL);
      else expect(outcome).toMatchObject({ code: 410, reason: "Expired" });
    });
  });
}
