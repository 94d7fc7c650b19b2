import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JSONValue } from "../meta/index.ts";
import { compileJSONPath } from "./jsonpath.ts";

const object: JSONValue = {
  metadata: { annotations: { "a.b/c": "dotted", a: { "b/c": "nested" } } },
  spec: {
    s: "text",
    nul: null,
    o: { z: "zed", a: 1 },
    a: ["x", "y", "z"],
    aa: [["p"], []],
    e: [],
    strings: ["a", "b"],
    quoted: [{ type: 'a")b', v: 1 }],
    several: [{ l: [1, 2], n: 1 }],
    lists: [[1], [2]],
    big: [{ n: 9007199254740993n, v: "big" }],
    conditions: [
      { type: "a)b", status: "False", n: 1, nul: null, f: 1.5, l: [] },
      { type: "Ready", status: "True", n: 2, extra: { x: "q" }, ok: true, l: [1] },
      { type: "negative", n: -1, l: [3] },
    ],
    nested: [{ in: [] }, { in: [{ k: 1, v: "vv" }] }],
  },
};

// The first element is what kube-apiserver 1.36 showed in a string column for the same path and value; none where it showed null.
test.each<{ path: string; want: readonly JSONValue[] }>([
  { path: ".spec.s", want: ["text"] },
  { path: ".spec.s ", want: ["text"] },
  { path: "$.spec.s", want: ["text"] },
  { path: ".spec.s$", want: ["text"] },
  { path: ".spec.nul", want: [null] },
  { path: ".spec.nul.x", want: [] },
  { path: ".spec.nul[0]", want: [] },
  { path: ".spec.absent.x", want: [] },
  { path: ".spec.a.x", want: [] },
  { path: ".", want: [] },
  { path: ".spec.s.", want: [] },
  { path: ".spec['o'].z", want: ["zed"] },
  { path: ".spec['o.z']", want: ["zed"] },
  { path: ".spec.o.*", want: [1, "zed"] },
  { path: ".spec.s.*", want: [] },
  { path: ".metadata.annotations['a.b/c']", want: ["nested"] },
  { path: ".metadata.annotations['a\\.b/c']", want: ["dotted"] },
  { path: ".metadata.annotations.a\\.b/c", want: ["dotted"] },
  { path: ".spec.a[0]", want: ["x"] },
  { path: ".spec.a[-1]", want: ["z"] },
  { path: ".spec.a[3]", want: [] },
  { path: ".spec.a[-4]", want: [] },
  { path: ".spec.a[*]", want: ["x", "y", "z"] },
  { path: ".spec.a[1:]", want: ["y", "z"] },
  { path: ".spec.a[-1:]", want: ["z"] },
  { path: ".spec.a[:2]", want: ["x", "y"] },
  { path: ".spec.a[:-1]", want: ["x", "y"] },
  { path: ".spec.a[::2]", want: ["x", "z"] },
  { path: ".spec.a[0:0]", want: [] },
  { path: ".spec.a[2:1]", want: [] },
  { path: ".spec.a[0:9]", want: [] },
  { path: ".spec.e[0]", want: [] },
  { path: ".spec.e[*]", want: [] },
  { path: ".spec.aa[*][0]", want: [] },
  { path: ".spec.aa[0][0]", want: ["p"] },
  { path: ".spec.o[0]", want: [] },
  { path: ".spec.s[0]", want: [] },
  { path: '.spec.conditions[?(@.type=="Ready")].status', want: ["True"] },
  { path: ".spec.conditions[?(@.type=='Nope')].status", want: [] },
  { path: ".spec.conditions[?(@.type=='a)b')].n", want: [1] },
  { path: '.spec.conditions[?(@.type=="a)b" )].n', want: [1] },
  { path: '.spec.conditions[?( @.type == "Ready" )].status', want: ["True"] },
  { path: '.spec.conditions[?(@.type=="Re\\u0061dy")].status', want: ["True"] },
  { path: '.spec.conditions[?(@.type<"S")].type', want: ["Ready"] },
  { path: ".spec.conditions[?(@.n>1)].type", want: ["Ready"] },
  { path: ".spec.conditions[?(@.n>=2)].type", want: ["Ready"] },
  { path: ".spec.conditions[?(2<=@.n)].type", want: ["Ready"] },
  { path: ".spec.conditions[?(@.n<1)].type", want: ["negative"] },
  { path: ".spec.conditions[?(@.n<=-1)].type", want: ["negative"] },
  { path: ".spec.conditions[?(@.n!=1)].type", want: ["Ready", "negative"] },
  { path: ".spec.conditions[?(@.f==1.5)].type", want: ["a)b"] },
  { path: ".spec.conditions[?(@.ok==true)].type", want: ["Ready"] },
  { path: ".spec.conditions[?(@.ok!=true)].type", want: [] },
  { path: ".spec.conditions[?(@.ok>false)].type", want: [] },
  { path: '.spec.conditions[?(@.n=="x")].type', want: [] },
  { path: '.spec.conditions[?(@.nul=="x")].type', want: [] },
  { path: '.spec.conditions[?(@.missing=="x")].type', want: [] },
  { path: ".spec.conditions[?(@.type==@.type)].n", want: [1, 2, -1] },
  { path: ".spec.conditions[?(@.extra)].type", want: ["Ready"] },
  { path: ".spec.conditions[?(@)].n", want: [1, 2, -1] },
  { path: ".spec.conditions[*].extra.x", want: ["q"] },
  { path: ".spec.conditions[?(@.l[0]==1)].n", want: [] },
  { path: '.spec.strings[?(@=="b")]', want: ["b"] },
  { path: '.spec.quoted[?(@.type=="a\\")b")].v', want: [1] },
  { path: ".spec.several[?(@.l[*]==1)].n", want: [] },
  { path: ".spec.several[?(@.n==@.l[*])].n", want: [] },
  { path: ".spec.lists[?(@[0]==2)]", want: [[2]] },
  { path: ".spec.o[?(@.z)]", want: [] },
  { path: ".spec.nested[*].in[?(@.k==1)].v", want: ["vv"] },
  // Kubernetes ends at the first empty array, and takes no notice of whether a number that is not there is missing.
  { path: ".spec.nested[*].in[*].v", want: ["vv"] },
  { path: ".spec.conditions[?(@.l[0])].n", want: [2, -1] },
  { path: ".spec.conditions[?(@.n==1.0)].type", want: ["a)b"] },
  { path: ".spec.big[?(@.n>9007199254740992)].v", want: ["big"] },
])("$path leads to $want", ({ path, want }) => expect(compileJSONPath(path)(object)).toEqual(want));

test.each([
  { path: "", error: "it must begin with '.'" },
  { path: "spec", error: "it must begin with '.'" },
  { path: "{.spec}", error: "it must begin with '.'" },
  { path: ".spec..z", error: "recursive descent ('..') is not supported" },
  { path: ".spec.a[0,1]", error: "a union ('[0,1]') is not supported" },
  { path: '.spec["x"]', error: "'[\"x\"]' is neither an index, nor a slice, nor a key in single quotes" },
  { path: ".spec.a[ 0 ]", error: "'[ 0 ]' is neither" },
  { path: ".spec.a[0", error: "'[' without ']'" },
  { path: ".spec.a[-]", error: "'-' is not an index" },
  { path: ".spec.a[99999999999999999999]", error: "is not an index" },
  { path: ".spec.a[::0]", error: "the step of a slice must be greater than 0" },
  { path: ".spec\\", error: "a backslash at the end" },
  { path: ".spec['x\\']", error: "a backslash at the end" },
  { path: ".spec x", error: 'unexpected "x" at position 6' },
  { path: ".spec}", error: 'unexpected "}" at position 5' },
  { path: ".spec\n.x", error: 'unexpected "\\n" at position 5' },
  { path: ".spec.l[?(@.x)", error: "')' of a filter without ']'" },
  { path: ".spec.l[?(@.x", error: "'[?(' without ')]'" },
  { path: '.spec.l[?(@.x=="a)]', error: "'[?(' without ')]'" },
  { path: ".spec.l[?(@.n=~1)]", error: "'=' is not an operator" },
  { path: ".spec.l[?(@.n===1)]", error: "'===' is not an operator" },
  { path: ".spec.l[?(@.n==Ready)]", error: "'Ready' in a filter is neither" },
  { path: ".spec.l[?(1)]", error: "must begin with '@'" },
  { path: '.spec.l[?(@.n=="\\x41")]', error: "the escape '\\x' is not supported" },
])("refuses $path", ({ path, error }) => {
  expect(() => compileJSONPath(path)).toThrow(TypeError);
  expect(() => compileJSONPath(path)).toThrow(error);
});

describe("for any object", () => {
  const key = fc.string({ minLength: 1, unit: fc.constantFrom("a", "é", ".", "/", "-", "[", "]", " ", "$", "{", "😀", "_") });

  test("a key whose characters are escaped is found", () => {
    fc.assert(
      fc.property(key, (name) => {
        const path = `.${[...name].map((char) => `\\${char}`).join("")}`;
        expect(compileJSONPath(path)({ [name]: 1 })).toEqual([1]);
      }),
    );
  });

  test("any text compiles or is refused with a TypeError, and what compiles can be asked of any value", () => {
    const text = fc.array(fc.constantFrom(".", "a", "[", "]", "?(", ")", "@", "0", "-1", ":", "*", "'", '"', "==", "<", "\\", " ", ","), {
      maxLength: 14,
    });
    fc.assert(
      fc.property(text, fc.jsonValue(), (parts, value) => {
        let query: ReturnType<typeof compileJSONPath>;
        try {
          query = compileJSONPath(`.${parts.join("")}`);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        // fast-check's JSON values are JSON values.
        expect(Array.isArray(query(value as JSONValue))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each(["__proto__", "constructor", "toString"])("what every object inherits is no field: %s", (name) => {
    expect(compileJSONPath(`.${name}`)({})).toEqual([]);
  });
});
