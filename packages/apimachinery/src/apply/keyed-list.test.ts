import fc from "fast-check";
import { expect, test } from "vitest";
import type { JSONArray, JSONValue } from "../meta/index.ts";
import type { Schema } from "../schema/schema.ts";
import { formatPath } from "./field-path.ts";
import { fieldSetOf } from "./field-set-of.ts";
import { type KeyedList, keyedList, SEVERAL } from "./keyed-list.ts";
import { merge } from "./merge.ts";
import { removeItems } from "./remove.ts";
import { type ListType, type StructuralType, structuralType } from "./structural-type.ts";

const properties: Readonly<Record<string, Schema>> = {
  a: { type: "string" },
  b: { type: "integer" },
  c: { type: "string", default: "C" },
};
function typeOfList(...keys: string[]): StructuralType {
  const items: Schema = keys.length === 0 ? { type: "string" } : { type: "object", properties };
  const kind =
    keys.length === 0
      ? { "x-kubernetes-list-type": "set" as const }
      : ({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys } as const);
  return structuralType({ type: "array", items, ...kind });
}

function listType(...keys: string[]): ListType {
  const { list } = typeOfList(...keys);
  if (list === undefined) throw new Error("no list");
  return list;
}

const set = listType();
test.each<{ what: string; type: ListType; list: JSONArray; paths: string; several?: readonly number[]; fault?: string }>([
  { what: "texts of a set", type: set, list: ["x", "y", "x"], paths: '[="x"][="y"][="x"]', several: [0, 2] },
  {
    what: "scalars of several kinds",
    type: set,
    list: ["1", 1, true, "true", 9007199254740993n],
    paths: '[="1"][=1][=true][="true"][=9007199254740993]',
  },
  {
    what: "a text that looks like a compound key",
    type: set,
    list: ["\0v:1", '\0v:"\\u0000v:1"', 1],
    paths: '[="\\x00v:1"][="\\x00v:\\"\\\\u0000v:1\\""][=1]',
  },
  { what: "one key", type: listType("a"), list: [{ a: "x" }, { a: "y", b: 1 }], paths: '[a="x"][a="y"]' },
  { what: "keys of several kinds", type: listType("b"), list: [{ b: 1 }, { b: "1" }, { b: 1 }], paths: '[b=1][b="1"][b=1]', several: [0, 2] },
  {
    what: "defaulted keys",
    type: listType("a", "c"),
    list: [{ a: "x" }, { a: "x", c: "C" }, { a: "x", c: "D" }],
    paths: '[a="x",c="C"][a="x",c="C"][a="x",c="D"]',
    several: [0, 1],
  },
  {
    what: "the one key or the other, of one value",
    type: listType("a", "b"),
    list: [{ a: "x" }, { b: "x" }, { a: "x", b: "x" }],
    paths: '[a="x"][b="x"][a="x",b="x"]',
  },
  {
    what: "up to an element without a key",
    type: listType("a"),
    list: [{ a: "x" }, null, { a: "x" }],
    paths: '[a="x"]',
    fault: "associative list with keys may not have a null element",
  },
])("$what", ({ type, list, paths, several = [], fault }) => {
  const keyed = keyedList(list, type);
  expect(formatPath(keyed.elements)).toBe(paths);
  expect(keyed.fault).toBe(fault);
  expect(keyed.hasDuplicates).toBe(several.length > 0);
  expect(keyed.keys.map((key) => keyed.positions.get(key))).toEqual(keyed.keys.map((_, index) => (several.includes(index) ? SEVERAL : index)));
});

test("a list is looked at once for each type", () => {
  const list = [{ a: "x", b: 1 }];
  const [byName, byNumber] = [listType("a"), listType("b")];
  const keyed = keyedList(list, byName);
  expect(keyedList(list, byName)).toBe(keyed);
  expect(formatPath(keyedList(list, byNumber).elements)).toBe("[b=1]");
  expect(formatPath(keyedList(list, byName).elements)).toBe('[a="x"]');
});

test("what is merged or removed from has the keys that a first look would give it", () => {
  const type = typeOfList("a", "c");
  const word = fc.constantFrom("x", "y", "z");
  const item = fc.record({ a: word, b: fc.nat(2), c: fc.constantFrom("C", "D") }, { requiredKeys: ["a"] });
  const live = fc.array(item, { minLength: 1, maxLength: 6 });
  const applied = fc.uniqueArray(item, { minLength: 1, maxLength: 6, selector: ({ a, c = "C" }) => `${a} ${c}` });
  fc.assert(
    fc.property(live, applied, applied, fc.boolean(), (present, wanted, gone, keepsKeys) => {
      const merged = merge(present, wanted, type);
      expectOwnKeys(merged, type);
      expectOwnKeys(removeItems(merged, fieldSetOf(gone, type), type, keepsKeys), type);
    }),
  );
});

function expectOwnKeys(list: JSONValue, { list: type }: StructuralType): void {
  if (!Array.isArray(list) || type === undefined) return;
  const told = ({ elements, keys, positions, hasDuplicates, fault }: KeyedList) => ({
    elements,
    keys,
    positions: [...positions],
    hasDuplicates,
    fault,
  });
  expect(told(keyedList(list, type))).toEqual(told(keyedList([...list], type)));
}
