import type { KubernetesObject } from "@annex/apimachinery";
import { describe, expect } from "vitest";
import { decodeData, encodeData, type SecretObject } from "../index.ts";
import { NOTE_SECRET_TYPE } from "./note.ts";
import {
  changeNote,
  contextOf,
  createNote,
  DELETE,
  editSecret,
  listNotes,
  MANAGER,
  makeSecret,
  namesOf,
  note,
  type SecretStoreHarness,
  textOf,
  withColor,
  withText,
} from "./secret-store-harness.ts";
import { testNotes } from "./with-secrets.ts";

const MOST_RECENT = { type: "MostRecent" } as const;

/** create, update and delete. */
export function describeSecretWrites(open: () => Promise<SecretStoreHarness>): void {
  const test = testNotes(open);

  const secretOf = async ({ secrets, clock }: SecretStoreHarness, namespace: string, name: string) =>
    (await secrets.get({ namespace, name }, MOST_RECENT, contextOf(clock))).object as SecretObject;

  describe("writes", () => {
    test("an object lies in the Secret of its name, and loses nothing of its metadata", async ({ notes, others, harness, namespace }) => {
      const { clock } = harness;
      const owner = { apiVersion: "v1", kind: "ConfigMap", name: "o", uid: "u-1" };
      const metadata = { labels: { team: "x" }, annotations: { "example.com/a": "é" }, finalizers: ["example.com/hold"], ownerReferences: [owner] };
      const created = await createNote(notes, clock, note("a", namespace, { spec: { text: "t", color: "red" }, metadata }));
      expect(created.object).toMatchObject({ metadata: { ...metadata, name: "a", namespace, generation: 1 }, spec: { text: "t", color: "red" } });
      const read = await others.get({ namespace, name: "a" }, MOST_RECENT, contextOf(clock));
      expect(read.object).toEqual(created.object);
      const secret = await secretOf(harness, namespace, "a");
      expect(secret).toMatchObject({ type: NOTE_SECRET_TYPE, metadata: { labels: metadata.labels, annotations: metadata.annotations } });
      expect([decodeData(secret.data, "color"), decodeData(secret.data, "text")]).toEqual(["red", "t"]);
      expect(secret.metadata.resourceVersion).toBe(created.resourceVersion);
      expect(secret.metadata.uid).not.toBe(created.object.metadata.uid);
      expect(secret.metadata.ownerReferences).toBeUndefined();
      expect(JSON.stringify(created.object.metadata.managedFields)).toContain("f:spec");
    });

    test("a name that is generated is the Secret's", async ({ notes, harness, namespace }) => {
      const object = note("", namespace, { metadata: { name: undefined, generateName: "n-" } });
      const { name } = await createNote(notes, harness.clock, object);
      expect(name).toMatch(/^n-.+/);
      expect((await secretOf(harness, namespace, name)).metadata.name).toBe(name);
    });

    test("a Secret of somebody else's is not touched", async ({ notes, harness, namespace }) => {
      const { clock } = harness;
      await makeSecret(harness, namespace, "a", { type: "Opaque", data: { password: encodeData("p") } });
      const before = await secretOf(harness, namespace, "a");
      for (const isDryRun of [true, false]) {
        await expect(createNote(notes, clock, note("a", namespace), isDryRun)).rejects.toMatchObject({
          reason: "AlreadyExists",
          message: 'notes.example.com "a" already exists',
        });
      }
      const target = { namespace, name: "a" };
      await expect((async () => notes.get(target, MOST_RECENT, contextOf(clock)))()).rejects.toMatchObject({ reason: "NotFound" });
      await expect(notes.delete(target, DELETE, contextOf(clock))).rejects.toMatchObject({ message: 'notes.example.com "a" not found' });
      await expect(changeNote(notes, clock, target, (live) => live)).rejects.toMatchObject({ reason: "NotFound" });
      expect(await secretOf(harness, namespace, "a")).toEqual(before);
    });

    test("a dry run keeps nothing", async ({ notes, harness, namespace }) => {
      const { clock } = harness;
      expect((await createNote(notes, clock, note("a", namespace), true)).name).toBe("a");
      expect(namesOf(await listNotes(notes, clock, namespace))).toEqual([]);
    });

    test("an update replaces the state that it was made from, and no other", async ({ notes, others, harness, namespace }) => {
      const { clock } = harness;
      const target = { namespace, name: "a" };
      const first = await createNote(notes, clock, note("a", namespace));
      const second = await changeNote(others, clock, target, (live) => withText(live, "second"));
      expect(Number(second.resourceVersion)).toBeGreaterThan(Number(first.resourceVersion));
      expect(second.object.metadata).toMatchObject({ generation: 2, uid: first.object.metadata.uid });
      const put = (object: KubernetesObject) =>
        notes.update({ version: "v1", target, isDryRun: false, fieldManager: MANAGER, isPatch: false, transform: () => object }, contextOf(clock));
      await expect(put(withText(first.object, "late"))).rejects.toMatchObject({
        reason: "Conflict",
        message: expect.stringMatching(/^Operation cannot be fulfilled on notes\.example\.com "a": the object has been modified/),
      });
      expect(textOf((await put(withText(second.object, "third"))).view)).toBe("third");
    });

    test("of updates at the same time none is lost", async ({ notes, others, harness, namespace }) => {
      const { clock } = harness;
      await createNote(notes, clock, note("a", namespace));
      const append = (replica: typeof notes, text: string) =>
        changeNote(replica, clock, { namespace, name: "a" }, (live) => withText(live, textOf({ object: live } as never) + text));
      await Promise.all([..."abcdefgh"].map((text, index) => append(index % 2 === 0 ? notes : others, text)));
      const text = textOf(await notes.get({ namespace, name: "a" }, MOST_RECENT, contextOf(clock)));
      expect([...text].sort().join("")).toBe("abcdefgh");
    });

    test("of creations of one name one succeeds", async ({ notes, others, harness, namespace }) => {
      const attempts = [notes, others, notes, others].map((replica) => createNote(replica, harness.clock, note("a", namespace)));
      const results = await Promise.allSettled(attempts);
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "AlreadyExists" });
    });

    test("a deletion takes the Secret along, if the object still is what it is taken for", async ({ notes, others, harness, namespace }) => {
      const { clock } = harness;
      const target = { namespace, name: "a" };
      const created = await createNote(notes, clock, note("a", namespace));
      await changeNote(others, clock, target, (live) => withText(live, "new"));
      const preconditions = { resourceVersion: created.resourceVersion };
      await expect(notes.delete(target, { ...DELETE, preconditions }, contextOf(clock))).rejects.toMatchObject({ reason: "Conflict" });
      expect(await notes.delete(target, { ...DELETE, isDryRun: true }, contextOf(clock))).toMatchObject({ isGone: true });
      const deleted = await notes.delete(target, DELETE, contextOf(clock));
      expect(deleted).toMatchObject({ isGone: true, view: { name: "a" } });
      await expect(secretOf(harness, namespace, "a")).rejects.toMatchObject({ reason: "NotFound" });
      await expect(notes.delete(target, DELETE, contextOf(clock))).rejects.toMatchObject({ message: 'notes.example.com "a" not found' });
    });

    test("finalizers hold object and Secret until they are gone", async ({ notes, others, harness, namespace }) => {
      const { clock } = harness;
      const target = { namespace, name: "a" };
      await createNote(notes, clock, note("a", namespace, { metadata: { finalizers: ["example.com/hold"] } }));
      expect(await notes.delete(target, DELETE, contextOf(clock))).toMatchObject({ isGone: false });
      const held = await others.get(target, MOST_RECENT, contextOf(clock));
      expect(held.object.metadata).toMatchObject({ deletionTimestamp: expect.any(String), finalizers: ["example.com/hold"] });
      expect((await secretOf(harness, namespace, "a")).metadata.finalizers).toEqual(["example.com/note"]);
      await changeNote(others, clock, target, ({ metadata: { finalizers: _done, ...metadata }, ...rest }) => ({ ...rest, metadata }));
      await expect(secretOf(harness, namespace, "a")).rejects.toMatchObject({ reason: "NotFound" });
    });

    test("a finalizer on the Secret holds both", async ({ notes, harness, namespace }) => {
      const { clock } = harness;
      const target = { namespace, name: "a" };
      await createNote(notes, clock, note("a", namespace));
      await editSecret(harness, target, (secret) => ({ ...secret, metadata: { ...secret.metadata, finalizers: ["example.com/other"] } }));
      expect(await notes.delete(target, DELETE, contextOf(clock))).toMatchObject({ isGone: false });
      expect((await notes.get(target, MOST_RECENT, contextOf(clock))).object.metadata.deletionTimestamp).toEqual(expect.any(String));
      await editSecret(harness, target, (secret) => ({ ...secret, metadata: { ...secret.metadata, finalizers: [] } }));
      expect(namesOf(await listNotes(notes, clock, namespace))).toEqual([]);
    });

    test("what is edited by hand in the Secret is the object's, as far as it can be", async ({ notes, others, harness, namespace }) => {
      const { clock } = harness;
      const target = { namespace, name: "a" };
      const { uid } = (await createNote(notes, clock, note("a", namespace, { metadata: { labels: { a: "1" } } }))).object.metadata;
      await editSecret(harness, target, ({ data, metadata, ...secret }) => ({
        ...secret,
        metadata: { ...metadata, labels: { b: "2" } },
        data: { ...data, text: encodeData("by hand"), other: encodeData("mine") },
      }));
      const edited = await others.get(target, MOST_RECENT, contextOf(clock));
      expect([edited.object.metadata.labels, edited.object.metadata.uid, textOf(edited)]).toEqual([{ b: "2" }, uid, "by hand"]);
      await changeNote(notes, clock, target, (live) => withColor(live, "blue"));
      const secret = await secretOf(harness, namespace, "a");
      expect([decodeData(secret.data, "other"), decodeData(secret.data, "color"), decodeData(secret.data, "text")]).toEqual([
        "mine",
        "blue",
        "by hand",
      ]);
      await editSecret(harness, target, ({ data, ...broken }) => ({ ...broken, data: { ...data, metadata: encodeData("{"), text: "/w==" } }));
      const broken = await notes.get(target, MOST_RECENT, contextOf(clock));
      expect([broken.object.metadata.uid, textOf(broken)]).toEqual([secret.metadata.uid, ""]);
    });

    test("a value that the Secret does not take is told of the object", async ({ notes, harness, namespace }) => {
      const error: unknown = await createNote(notes, harness.clock, note("a", namespace, { spec: { text: "x".repeat(1024 * 1024) } })).catch(
        (failure: unknown) => failure,
      );
      expect(error).toMatchObject({ code: 422, reason: "Invalid", details: { name: "a", group: "example.com", kind: "Note" } });
      expect(error).toMatchObject({ message: expect.stringContaining('Note.example.com "a" is invalid: <nil>: Too long') });
    });

    test("a namespace that is not there is what is missing", async ({ notes, harness, namespace }) => {
      await expect(createNote(notes, harness.clock, note("a", `${namespace}-nowhere`))).rejects.toMatchObject({
        reason: "NotFound",
        message: `namespaces "${namespace}-nowhere" not found`,
      });
    });
  });
}
