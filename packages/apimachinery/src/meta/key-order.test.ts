import { expect, test } from "vitest";
import type { JSONObject } from "./json.ts";
import { inFieldOrder, sortedKeys } from "./key-order.ts";

test("metadata has its fields in the order of Go's struct, and maps by their keys", () => {
  const owner = { uid: "u", name: "n", kind: "K", apiVersion: "v1" };
  const metadata = { ownerReferences: [owner], labels: { b: "2", a: "1" }, uid: "x", generation: 3, name: "n", annotations: { a: "1", b: "2" } };
  const ordered = inFieldOrder(metadata);
  expect(ordered).toEqual(metadata);
  expect(JSON.stringify(ordered)).toBe(
    '{"name":"n","uid":"x","generation":3,"labels":{"a":"1","b":"2"},"annotations":{"a":"1","b":"2"},"ownerReferences":[{"uid":"u","name":"n","kind":"K","apiVersion":"v1"}]}',
  );
});

test("sorts keys at every depth, and nothing else", () => {
  expect(JSON.stringify(sortedKeys({ b: [{ d: 1, c: [2, 1] }], a: null }))).toBe('{"a":null,"b":[{"c":[2,1],"d":1}]}');
});

test("what is in order is shared, and what is not is a copy", () => {
  const sorted = { a: [{ b: 1, c: null }], d: { e: "x" } };
  expect(sortedKeys(sorted)).toBe(sorted);
  const mixed = { d: sorted.d, a: [{ c: null, b: 1 }, sorted] };
  const result = sortedKeys(mixed) as typeof mixed;
  expect(JSON.stringify(result)).toBe('{"a":[{"b":1,"c":null},{"a":[{"b":1,"c":null}],"d":{"e":"x"}}],"d":{"e":"x"}}');
  expect(result.d).toBe(sorted.d);
  expect(result.a[1]).toBe(sorted);
  expect(JSON.stringify(mixed)).toBe('{"d":{"e":"x"},"a":[{"c":null,"b":1},{"a":[{"b":1,"c":null}],"d":{"e":"x"}}]}');
});

test("__proto__ is a key like any other", () => {
  const value = JSON.parse('{"b":1,"__proto__":{"d":1,"c":2}}') as JSONObject;
  expect(JSON.stringify(sortedKeys(value))).toBe('{"__proto__":{"c":2,"d":1},"b":1}');
});
