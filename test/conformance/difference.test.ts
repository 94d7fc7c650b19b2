import fc from "fast-check";
import { expect, test } from "vitest";
import { differences } from "./difference.ts";
import { isArray, isObject, type JSONValue, parseJSON } from "./json.ts";

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => parseJSON(JSON.stringify(value)) ?? null);

/** Every value that lies one change away at one place: another leaf, a member less, a member more, another order. */
function mutants(value: JSONValue): JSONValue[] {
  if (isArray(value)) {
    const inner = value.flatMap((item, index) => mutants(item).map((mutant) => value.with(index, mutant)));
    return [[...value, null], ...inner, ...(value.length === 0 ? [{}] : [value.slice(1)])];
  }
  if (isObject(value)) {
    const inner = Object.keys(value).flatMap((key) => [
      Object.fromEntries(Object.entries(value).filter(([other]) => other !== key)),
      ...mutants(value[key] ?? null).map((mutant) => Object.fromEntries([...Object.entries(value), [key, mutant]])),
    ]);
    return [Object.fromEntries([...Object.entries(value), ["an unexpected member", null]]), ...inner];
  }
  return [typeof value === "string" ? `${value} ` : "another", [value], ...(value === null ? [{}] : [null])];
}

test("a value is as itself, with its keys in any order", () => {
  fc.assert(
    fc.property(json, (value) => {
      const reversed = isObject(value) ? Object.fromEntries(Object.entries(value).reverse()) : value;
      expect(differences(value, reversed)).toEqual([]);
    }),
  );
});

test("no change of one place goes unseen", () => {
  fc.assert(
    fc.property(json, (value) => {
      for (const mutant of mutants(value)) expect(differences(value, mutant).length, JSON.stringify(mutant)).toBeGreaterThan(0);
    }),
  );
});

test("lines name the place", () => {
  const expected = { status: 200, body: { items: [{ a: 1 }, 2] }, headers: {} };
  expect(differences(expected, { status: 201, body: { items: [{ b: 1 }] }, headers: {} })).toEqual([
    "body.items[0].a: missing, expected 1",
    "body.items[0].b: unexpected 1",
    "body.items[1]: missing, expected 2",
    "status: expected 200, got 201",
  ]);
});

test("numbers count by value", () => expect(differences(parseJSON("[5, 1e1]"), parseJSON("[5.0, 10]"))).toEqual([]));
