import { expect, test } from "vitest";
import type { Revision } from "../storage/index.ts";
import { SharedLists } from "./shared-lists.ts";

const revision = (value: number) => value as Revision;
const list = () => ({ items: [], resourceVersion: "1", continue: "", remainingItemCount: undefined });

test("a list is shared between those who ask at one revision for the same", () => {
  const shared = new SharedLists();
  const filter = { matches: () => true, isCounted: true };
  const first = shared.get(undefined, "/a/", revision(5), list);
  expect(shared.get(undefined, "/a/", revision(5), list)).toBe(first);
  expect(shared.get(undefined, "/b/", revision(5), list)).not.toBe(first);
  expect(shared.get(filter, "/a/", revision(5), list)).not.toBe(first);
  expect(shared.get(undefined, "/a/", revision(6), list)).not.toBe(first);
});

test("more lists than are remembered are made anew", () => {
  const shared = new SharedLists();
  const first = shared.get(undefined, "/0/", revision(5), list);
  for (let index = 1; index < 256; index++) shared.get(undefined, `/${index}/`, revision(5), list);
  expect(shared.get(undefined, "/0/", revision(5), list)).not.toBe(first);
});
