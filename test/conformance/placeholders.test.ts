import { expect, test } from "vitest";
import { parseJSON } from "./json.ts";
import { Placeholders, ScenarioError } from "./placeholders.ts";

function placeholders(): Placeholders {
  const made = new Placeholders(new Map([["ns", "c-1"]]));
  made.remember(
    "c",
    parseJSON('{"metadata":{"uid":"u","generation":3},"items":[{"name":"x"}],"n":9007199254740993}') ?? null,
    new Map([["etag", '"e"']]),
  );
  return made;
}

test.each([
  ["/namespaces/{ns}/x", "/namespaces/c-1/x"],
  ["{repeat:x:3}", "xxx"],
  ["uid={c.metadata.uid}&{c.items.0.name}", "uid=u&x"],
  ["{c.metadata.generation}", "3"],
  ["{c.items.0}", '{"name": "x"}'],
  ["{c@ETag}", '"e"'],
  ["{c@vary}", ""],
  // What looks like a placeholder and is none.
  ["{ns2} {unknown.a} {}", "{ns2} {unknown.a} {}"],
  ["/{ns.x}/{a b}", "/{ns.x}/{a b}"],
])("%s is %s", (text, filled) => expect(placeholders().text(text)).toBe(filled));

test("alone in its text a placeholder keeps its type, also as a part of a value", () => {
  expect(placeholders().value(["{c.metadata.generation}", "{c.metadata.generation} of them", { "{ns}": "{c.items}" }])).toEqual([
    3,
    "3 of them",
    { "c-1": [{ name: "x" }] },
  ]);
});

test.each(["{c.metadata.missing}", "{c.items.1}", "{c.metadata.uid.x}", "{repeat:x:many}"])("%s cannot be resolved", (text) => {
  expect(() => placeholders().value(text)).toThrow(ScenarioError);
});
