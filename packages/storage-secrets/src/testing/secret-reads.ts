import { parseLabelSelector } from "@annex/apimachinery";
import type { ListOptions, ListResult, RequestContext } from "@annex/apiserver";
import { describe, expect, vi } from "vitest";
import { Note } from "./note.ts";
import {
  changeNote,
  contextOf,
  createNote,
  DELETE,
  fieldsOf,
  listNotes,
  makeSecret,
  type NoteVerbs,
  namesOf,
  note,
  notesOver,
  type SecretStoreHarness,
  withColor,
} from "./secret-store-harness.ts";
import { type NotesUnderTest, testNotes } from "./with-secrets.ts";

const NAMES = ["a", "b", "c", "d", "e", "f", "g"];
const COLORS = ["red", "blue"];

/** get and list, as fresh as they are asked to be. */
export function describeSecretReads(open: () => Promise<SecretStoreHarness>): void {
  const test = testNotes(open);

  /** Seven notes, red and blue in turns, red ones with a label; and Secrets of another type between them. */
  async function withNotes({ notes, harness, namespace }: NotesUnderTest): Promise<void> {
    for (const [index, name] of NAMES.entries()) {
      const color = COLORS[index % 2];
      await createNote(
        notes,
        harness.clock,
        note(name, namespace, { spec: { color }, metadata: { labels: color === "red" ? { warm: "yes" } : {} } }),
      );
      await makeSecret(harness, namespace, `${name}-other`, { type: "Opaque" });
    }
    await createNote(notes, harness.clock, note("z", harness.namespaces[1]));
  }

  /** Reads all pages of a list. */
  async function pagesOf(
    notes: NoteVerbs,
    { clock }: SecretStoreHarness,
    namespace: string,
    options: Partial<ListOptions>,
    context?: RequestContext,
  ) {
    const pages: ListResult[] = [];
    for (let token = ""; ; ) {
      const page = await listNotes(notes, clock, namespace, { ...options, continue: token }, context);
      pages.push(page);
      token = page.continue;
      if (token === "") return pages;
      if (pages.length > 50) throw new Error("the pages have no end");
    }
  }

  describe("reads", () => {
    test("what one replica wrote is there at the other one", async ({ notes, others, harness, namespace }) => {
      const { clock } = harness;
      const target = { namespace, name: "a" };
      const mostRecent = { type: "MostRecent" } as const;
      const created = await createNote(notes, clock, note("a", namespace));
      expect((await others.get(target, mostRecent, contextOf(clock))).resourceVersion).toBe(created.resourceVersion);
      const changed = await changeNote(others, clock, target, (live) => withColor(live, "red"));
      const [item] = (await listNotes(notes, clock, namespace)).items;
      expect(item?.resourceVersion).toBe(changed.resourceVersion);
      await notes.delete(target, DELETE, contextOf(clock));
      await expect((async () => others.get(target, mostRecent, contextOf(clock)))()).rejects.toMatchObject({
        message: 'notes.example.com "a" not found',
      });
      expect(namesOf(await listNotes(others, clock, namespace))).toEqual([]);
    });

    test("of a state not older than a write see that write", async ({ notes, others, harness, namespace }) => {
      const { clock } = harness;
      for (const name of NAMES) {
        const { resourceVersion } = await createNote(notes, clock, note(name, namespace));
        const consistency = { type: "NotOlderThan", resourceVersion } as const;
        expect((await others.get({ namespace, name }, consistency, contextOf(clock))).resourceVersion).toBe(resourceVersion);
        const list = await listNotes(others, clock, namespace, { consistency });
        expect(namesOf(list)).toContain(name);
        expect(Number(list.resourceVersion)).toBeGreaterThanOrEqual(Number(resourceVersion));
      }
    });

    test("of a state that is not there yet are told so", async ({ notes, harness, namespace }) => {
      const { resourceVersion } = await createNote(notes, harness.clock, note("a", namespace));
      const consistency = { type: "NotOlderThan", resourceVersion: String(Number(resourceVersion) + 1_000_000) } as const;
      const tooLarge = { reason: "Timeout", details: { causes: [{ reason: "ResourceVersionTooLarge" }] } };
      await expect(listNotes(notes, harness.clock, namespace, { consistency })).rejects.toMatchObject(tooLarge);
    });

    test.each([
      { what: "everything", options: {}, want: NAMES },
      { what: "a label", options: { labelSelector: parseLabelSelector("warm=yes") }, want: ["a", "c", "e", "g"] },
      { what: "no such label", options: { labelSelector: parseLabelSelector("!warm") }, want: ["b", "d", "f"] },
      { what: "a name", options: { fieldSelector: fieldsOf("metadata.name=c") }, want: ["c"] },
      { what: "a name of another type's", options: { fieldSelector: fieldsOf("metadata.name=a-other") }, want: [] },
      { what: "a field of the object", options: { fieldSelector: fieldsOf("spec.color=blue") }, want: ["b", "d", "f"] },
      { what: "another field", options: { fieldSelector: fieldsOf("spec.color!=blue") }, want: ["a", "c", "e", "g"] },
      {
        what: "a label and a field",
        options: { labelSelector: parseLabelSelector("warm"), fieldSelector: fieldsOf("metadata.name!=a,spec.color=red") },
        want: ["c", "e", "g"],
      },
    ])("select by $what, in one list and in pages, now and from memory", async (under, { options, want }) => {
      const { notes, others, harness, namespace } = under;
      await withNotes(under);
      const whole = await listNotes(notes, harness.clock, namespace, options);
      expect(namesOf(whole)).toEqual(want);
      const pages = await pagesOf(notes, harness, namespace, { ...options, limit: 2 });
      expect(pages.flatMap(namesOf)).toEqual(want);
      for (const page of pages) {
        expect(page.items.length).toBeLessThanOrEqual(2);
        expect(page.resourceVersion).toBe(pages[0]?.resourceVersion);
      }
      const { resourceVersion } = whole;
      const fresh = await listNotes(others, harness.clock, namespace, { ...options, consistency: { type: "NotOlderThan", resourceVersion } });
      expect(namesOf(fresh)).toEqual(want);
      const exact = await listNotes(others, harness.clock, namespace, { ...options, consistency: { type: "Exact", resourceVersion } });
      expect([namesOf(exact), exact.resourceVersion]).toEqual([want, resourceVersion]);
    });

    test("of all namespaces show those of each", async (under) => {
      const { notes, harness, namespace } = under;
      await withNotes(under);
      const fieldSelector = fieldsOf(`metadata.namespace=${harness.namespaces[1]}`);
      expect(namesOf(await listNotes(notes, harness.clock, "", { fieldSelector }))).toEqual(["z"]);
      const places = (await listNotes(notes, harness.clock, "")).items.map((item) => `${item.namespace}/${item.name}`);
      for (const place of [`${namespace}/a`, `${harness.namespaces[1]}/z`]) expect(places).toContain(place);
    });

    test("in pages are of one moment, and tell how many remain", async (under) => {
      const { notes, others, harness, namespace } = under;
      await withNotes(under);
      // How many remain may be told by memory, which comes after.
      const first = await vi.waitFor(async () => {
        const page = await listNotes(notes, harness.clock, namespace, { limit: 3 });
        expect([namesOf(page), page.remainingItemCount]).toEqual([["a", "b", "c"], 4]);
        return page;
      }, 10_000);
      await others.delete({ namespace, name: "e" }, DELETE, contextOf(harness.clock));
      await createNote(others, harness.clock, note("dd", namespace));
      const second = await listNotes(others, harness.clock, namespace, { limit: 3, continue: first.continue });
      expect([namesOf(second), second.resourceVersion]).toEqual([["d", "e", "f"], first.resourceVersion]);
      const selected = await listNotes(notes, harness.clock, namespace, { limit: 1, labelSelector: parseLabelSelector("warm") });
      expect([namesOf(selected), selected.remainingItemCount]).toEqual([["a"], undefined]);
    });

    test("show nobody what is not for them: not in a page, a token or a count", async (under) => {
      const { harness, namespace } = under;
      await withNotes(under);
      const resource = { ...Note, hooks: { ...Note.hooks, visibleTo: ({ object, user }: never) => isFor(object, user) } };
      const notes = notesOver(harness.secrets, harness.clock, resource as never);
      const bob: RequestContext = {
        ...contextOf(harness.clock),
        user: { name: "blue", groups: [], extra: {} },
        signal: never(),
        warn: () => undefined,
      };
      const pages = await pagesOf(notes, harness, namespace, { limit: 2 }, bob);
      expect(pages.map(namesOf)).toEqual([["b", "d"], ["f"]]);
      for (const page of pages) expect(page.remainingItemCount).toBeUndefined();
      // The next one that is for them, and not one between.
      expect(startOf(pages[0]?.continue ?? "")).toBe("f");
      await expect((async () => notes.get({ namespace, name: "a" }, { type: "MostRecent" }, bob))()).rejects.toMatchObject({ reason: "NotFound" });
    });

    test("of a page token that is none are refused", async ({ notes, harness, namespace }) => {
      for (const fieldSelector of [fieldsOf(""), fieldsOf("spec.color=red")]) {
        await expect(listNotes(notes, harness.clock, namespace, { limit: 1, continue: "nonsense", fieldSelector })).rejects.toMatchObject({
          reason: "BadRequest",
        });
      }
    });
  });
}

const never = () => new AbortController().signal;

/** A note is for the eyes of its color. */
function isFor(object: { readonly spec: { readonly color: string } }, user: { readonly name: string }): boolean {
  return object.spec.color === user.name;
}

/** Where the page begins that a token leads to. */
function startOf(token: string): unknown {
  return (JSON.parse(atob(token.replaceAll("-", "+").replaceAll("_", "/"))) as { readonly start?: unknown }).start;
}
