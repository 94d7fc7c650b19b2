import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeYAML } from "./yaml.ts";
import { encodeYAML } from "./yaml-encode.ts";

const yaml = (value: Parameters<typeof encodeYAML>[0]) => new TextDecoder().decode(encodeYAML(value));

/** Strings, and how kube-apiserver 1.36 writes them as the value of a ConfigMap's data. */
const STRINGS: readonly (readonly [string, string])[] = [
  ["", '""'],
  ["yes", '"yes"'],
  ["No", '"No"'],
  ["on", '"on"'],
  ["OFF", '"OFF"'],
  ["y", '"y"'],
  ["n", '"n"'],
  ["true", '"true"'],
  ["null", '"null"'],
  ["~", '"~"'],
  ["0777", '"0777"'],
  ["0o7", '"0o7"'],
  ["0x1F", '"0x1F"'],
  ["1_000", '"1_000"'],
  ["1e3", '"1e3"'],
  ["1.5", '"1.5"'],
  [".5", '".5"'],
  ["5.", '"5."'],
  [".inf", '".inf"'],
  [".nan", '".nan"'],
  ["2001-01-01", '"2001-01-01"'],
  ["2001-1-1T0:0:0Z", '"2001-1-1T0:0:0Z"'],
  ["1:30", '"1:30"'],
  ["190:20:30.15", '"190:20:30.15"'],
  ["=", "="],
  ["- a", "'- a'"],
  ["-", "'-'"],
  ["-a", "-a"],
  ["?", "'?'"],
  ["? a", "'? a'"],
  [":", "':'"],
  ["a:", "'a:'"],
  ["a: b", "'a: b'"],
  ["a:b", "a:b"],
  ["a #b", "'a #b'"],
  ["a#b", "a#b"],
  ["#a", "'#a'"],
  ["@a", "'@a'"],
  ["`a`", "'`a`'"],
  ["%a", "'%a'"],
  ["&a", "'&a'"],
  ["*a", "'*a'"],
  ["!a", "'!a'"],
  ["|", "'|'"],
  ["> a", "'> a'"],
  ["'a'", "'''a'''"],
  ["it's", "it's"],
  ['"q"', "'\"q\"'"],
  ['a"b', 'a"b'],
  ["a\\b", "a\\b"],
  ["[a]", "'[a]'"],
  ["{a}", "'{a}'"],
  ["a,b", "a,b"],
  ["a ", "'a '"],
  ["  a", "'  a'"],
  ["a\n", "|\n  a"],
  ["a\nb", "|-\n  a\n  b"],
  ["a\n\nb\n\n", "|+\n  a\n\n  b\n"],
  ["\na", "|2-\n\n  a"],
  [" a\nb", "|2-\n   a\n  b"],
  ["a \nb", '"a \\nb"'],
  ["a\tb", '"a\\tb"'],
  ["\t", '"\\t"'],
  ["\n", "|2+\n"],
  ["\u00e9", "\u00e9"],
  ["\u65e5\u672c", "\u65e5\u672c"],
  ["😀", '"\\U0001F600"'],
  ["\u00a0", "\u00a0"],
  ["\ufeff", '"\\uFEFF"'],
  ["\u0000", '"\\0"'],
  ["\r\n", '"\\r\\n"'],
  ["---", "'---'"],
  ["--- a", "'--- a'"],
  ["...", "'...'"],
  ["0b101", '"0b101"'],
  ["+12", '"+12"'],
  ["-0", '"-0"'],
  ["08", '"08"'],
  ["1,000", "1,000"],
  [
    "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
    "'unable to parse requirement: found ''b'', expected: in, notin, =, ==, !=, gt,\n  lt'",
  ],
];

/** Long strings, and where kube-apiserver folds them: at the first single space beyond column 80. */
const FOLDED: readonly (readonly [string, string])[] = [
  [
    "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
    "'unable to parse requirement: found ''b'', expected: in, notin, =, ==, !=, gt,\n  lt'",
  ],
  [
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y z",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y\n  z",
  ],
  [
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y z",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y\n  z",
  ],
  [
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y z",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n  y z",
  ],
  [
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y z",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n  y z",
  ],
  [
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: y z",
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: y\n  z'",
  ],
  [
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: y z",
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx:\n  y z'",
  ],
  [
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: y z",
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx:\n  y z'",
  ],
  [
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: y z",
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx:\n  y z'",
  ],
  [
    "\txxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y  z",
    '"\\txxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y\n  \\ z"',
  ],
  [
    "\txxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y  z",
    '"\\txxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n  y  z"',
  ],
  [
    "\txxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y  z",
    '"\\txxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n  y  z"',
  ],
  [
    "\txxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y  z",
    '"\\txxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n  y  z"',
  ],
  [
    "ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé y",
    "ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé y",
  ],
  [
    "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé y",
    "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé\n  y",
  ],
  [
    "a\nword word word word word word word word word word word word word word word word word word word word word word word word word word word word word word end",
    "|-\n  a\n  word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word end",
  ],
  [
    "word  word  word  word  word  word  word  word  word  word  word  word  word  word  word  word  word  word  word  word  end",
    "word  word  word  word  word  word  word  word  word  word  word  word  word  word  word  word  word  word  word  word  end",
  ],
  [
    "word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word end",
    "word word word word word word word word word word word word word word word word\n  word word word word word word word word word word word word word word word word\n  word word word word word word word word end",
  ],
];

describe("encodeYAML", () => {
  test.each(FOLDED)("folds %j", (value, want) => expect(yaml({ k: value })).toBe(`k: ${want}\n`));

  test.each(STRINGS)("%j", (value, want) => expect(yaml({ k: value })).toBe(`k: ${want}\n`));

  // Deliberately not as Go has them: YAML 1.2 readers would take Go's text for other strings, and Go itself the key for a merge.
  test.each([
    [{ k: "a\u2028b" }, 'k: "a\\Lb"\n'],
    [{ "<<": 1 }, '"<<": 1\n'],
  ])("%j is quoted", (value, want) => expect(yaml(value)).toBe(want));

  test.each([
    [
      { a10: 1, a2: 1, a02: 1, A: 1, "": 1, "-": 1, ".": {}, "f:10": 1, "f:9": 1 },
      "\"\": 1\n'-': 1\n.: {}\nA: 1\na2: 1\na02: 1\na10: 1\nf:9: 1\nf:10: 1\n",
    ],
    [{ ["x".repeat(129)]: { a: 1 }, "a\nb": [1, { b: 2 }] }, `? |-\n  a\n  b\n: - 1\n  - b: 2\n? ${"x".repeat(129)}\n: a: 1\n`],
    [
      { a: [], b: {}, c: [[]], d: [{}], e: [[1, 2], [3]], f: [[[1]], { g: [{ h: 1, i: [2] }] }] },
      "a: []\nb: {}\nc:\n- []\nd:\n- {}\ne:\n- - 1\n  - 2\n- - 3\nf:\n- - - 1\n- g:\n  - h: 1\n    i:\n    - 2\n",
    ],
    [{ a: undefined, b: null, c: true }, "b: null\nc: true\n"],
    [{ yes: 1, "1": 2, "a b": 3 }, '"1": 2\na b: 3\n"yes": 1\n'],
    [{ a: "x\n", b: 9007199254740993n }, "a: |\n  x\nb: 9007199254740993\n"],
    [[], "[]\n"],
    ["x", "x\n"],
  ])("structure %#", (value, want) => expect(yaml(value)).toBe(want));

  test.each([
    [1.5, "1.5"],
    [1e6, "1000000"],
    [1234567.5, "1.2345675e+06"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [-2.5e-10, "-2.5e-10"],
    [12345678901234567000, "12345678901234567000"],
    [1e20, "1e+20"],
    [1e21, "1e+21"],
  ])("the number %d", (value, want) => expect(yaml(value)).toBe(`${want}\n`));

  test("every value that is written is read again", () => {
    const text = fc.string({
      unit: fc.oneof(fc.constantFrom(..." \n\t'\":#-?&*![]{}|>%@\\yn0~,x\u2028\u0085\ufeff"), fc.string({ unit: "grapheme", maxLength: 1 })),
    });
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constant(null),
        fc.boolean(),
        fc.integer(),
        text,
        fc.array(tie("value")),
        fc.dictionary(text, tie("value"), { noNullPrototype: true }),
      ),
    }));
    // fast-check types what a recursive arbitrary makes as unknown
    fc.assert(
      fc.property(value, (one) => {
        expect(decodeYAML(encodeYAML(one as Parameters<typeof encodeYAML>[0])).value).toEqual(one);
      }),
    );
  });

  test.each([
    { name: "nests too deep", depth: 1_100, width: 1 },
    { name: "would be little but blanks", depth: 900, width: 20_000 },
  ])("a value that $name is written as JSON", ({ depth, width }) => {
    let value: Parameters<typeof encodeYAML>[0] = Array(width).fill(1);
    for (let level = 0; level < depth; level++) value = { a: value };
    expect(new TextDecoder().decode(encodeYAML(value))).toBe(JSON.stringify(value));
  });

  test("a value that is wide and not deep is not", () => {
    const value = Array.from({ length: 20_000 }, () => ({ metadata: { labels: { a: ["b"] } } }));
    expect(new TextDecoder().decode(encodeYAML(value))).toMatch(/^- metadata:\n {4}labels:\n {6}a:\n {6}- b\n- metadata:/);
  });
});
