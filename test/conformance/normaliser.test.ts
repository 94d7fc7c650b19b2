import { describe, expect, test } from "vitest";
import { Normaliser } from "./normaliser.ts";

const UID = "11111111-2222-3333-4444-555555555555";
const OTHER_UID = "11111111-2222-3333-4444-666666666666";
const now = () => `${new Date().toISOString().slice(0, 19)}Z`;
const normaliser = () =>
  new Normaliser([
    ["c-1", "<ns>"],
    ["localhost:1", "<host>"],
  ]);

test.each([
  { rule: "1: names and the host", from: { "c-1": "http://localhost:1/c-1" }, to: { "<ns>": "http://<host>/<ns>" } },
  { rule: "2: uids, equal ones alike", from: [UID, OTHER_UID, `x${UID}`], to: ["<uid1>", "<uid2>", "x<uid1>"] },
  {
    rule: "3: resourceVersions",
    from: [{ resourceVersion: "7" }, { resourceVersion: "8" }, { resourceVersion: "7" }],
    to: ["<rv1>", "<rv2>", "<rv1>"].map((resourceVersion) => ({ resourceVersion })),
  },
  { rule: "3: not digits", from: { resourceVersion: "7x" }, to: { resourceVersion: "7x" } },
  {
    rule: "3: of a list",
    from: { items: [{ metadata: { resourceVersion: "7" } }], metadata: { resourceVersion: "7" } },
    to: { items: [{ metadata: { resourceVersion: "<rv1>" } }], metadata: { resourceVersion: "<rv>" } },
  },
  {
    rule: "3: of a Table",
    from: { kind: "Table", metadata: { resourceVersion: "7" } },
    to: { kind: "Table", metadata: { resourceVersion: "<rv>" } },
  },
  { rule: "3: too old", from: { message: "too old resource version: 5 (123)" }, to: { message: "too old resource version: <rv> (<rv>)" } },
  {
    rule: "3: made up",
    from: { message: "Too large resource version: 12345678901, current: 7" },
    to: { message: "Too large resource version: 12345678901, current: <rv>" },
  },
  {
    rule: "3: of a precondition",
    from: [{ resourceVersion: "7" }, { message: "ResourceVersion in the precondition (7): ResourceVersion in record (9)" }],
    to: [{ resourceVersion: "<rv1>" }, { message: "ResourceVersion in the precondition (<rv1>): ResourceVersion in record (<rv>)" }],
  },
  {
    rule: "4: recent times",
    from: { creationTimestamp: now(), time: "2001-01-01T00:00:00Z", other: now().replace("Z", "+00:00") },
    to: { creationTimestamp: "<time>", time: "2001-01-01T00:00:00Z", other: expect.not.stringContaining("<time>") },
  },
  {
    rule: "4: in messages and cells",
    from: { message: `at ${now()}.`, cells: [now(), "5s", "3d4h", "5", 5] },
    to: { message: "at <time>.", cells: ["<time>", "<age>", "<age>", "5", 5] },
  },
  {
    rule: "5",
    from: { continue: "abc", serverAddress: "1.2.3.4", nested: { continue: "" } },
    to: { continue: "<continue>", serverAddress: "<host>", nested: { continue: "" } },
  },
  {
    rule: "6: generated names, wherever they occur",
    from: { metadata: { generateName: "a-", name: "a-xyz12" }, message: "a-xyz12 is there" },
    to: { metadata: { generateName: "a-", name: "a-<gen1>" }, message: "a-<gen1> is there" },
  },
  {
    rule: "6: a name of its own",
    from: { metadata: { generateName: "a-", name: "a-xyz123" } },
    to: { metadata: { generateName: "a-", name: "a-xyz123" } },
  },
  { rule: "7", from: ["x".repeat(500), `y${"é".repeat(600)}y`, "x".repeat(499)], to: ["<x*500>", "y<é*600>y", "x".repeat(499)] },
  {
    rule: "8",
    from: {
      managedFields: [
        { manager: "b", operation: "Update" },
        { manager: "c", operation: "Apply" },
        { manager: "a", operation: "Update" },
      ],
    },
    to: {
      managedFields: [
        { manager: "c", operation: "Apply" },
        { manager: "a", operation: "Update" },
        { manager: "b", operation: "Update" },
      ],
    },
  },
  {
    rule: "9",
    from: { kind: "APIGroupList", groups: [{ name: "apps" }, { name: "a.example.com" }] },
    to: { kind: "APIGroupList", groups: [{ name: "a.example.com" }] },
  },
  {
    rule: "9: aggregated",
    from: { kind: "APIGroupDiscoveryList", items: [{ metadata: { name: "apps" } }] },
    to: { kind: "APIGroupDiscoveryList", items: [] },
  },
])("rule $rule", ({ from, to }) => expect(normaliser().body(from)).toEqual(to));

test("the resourceVersion of a list keeps its symbol where a step asks for it", () => {
  expect(normaliser().body({ items: [], metadata: { resourceVersion: "7" } }, true)).toEqual({ items: [], metadata: { resourceVersion: "<rv1>" } });
});

test("one set of symbols for a whole scenario", () => {
  const one = normaliser();
  expect([one.body(UID), one.body(OTHER_UID), one.body(UID)]).toEqual(["<uid1>", "<uid2>", "<uid1>"]);
});

describe("headers", () => {
  const headersOf = (...headers: [string, string][]) => ({ status: 200, headers, body: new Uint8Array() });

  test("of the compared ones, warnings are a list and the others one text", () => {
    const answer = headersOf(["warning", "a c-1"], ["warning", "b"], ["vary", "A"], ["vary", "B"], ["date", "today"], ["etag", '"x"']);
    expect(normaliser().headers(answer, [])).toEqual({ warning: ["a <ns>", "b"], vary: "A, B", etag: "<etag1>" });
  });

  test("ignored ones are left out, and no header is no record of headers", () => {
    expect(normaliser().headers(headersOf(["etag", "x"], ["date", "today"]), ["etag"])).toBeUndefined();
  });
});

test("a text body has its times and resourceVersions replaced", () => {
  expect(normaliser().text(`resourceVersion: "5"\ntime: ${now()} c-1\n`)).toBe('resourceVersion: "<rv1>"\ntime: <time> <ns>\n');
});
