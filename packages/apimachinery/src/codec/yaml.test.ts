import { describe, expect, test } from "vitest";
import { decodeYAML, formatYAMLDuplicates } from "./yaml.ts";
import { YAMLSyntaxError } from "./yaml-error.ts";

const decode = (text: string) => decodeYAML(new TextEncoder().encode(text));

// Each row was asked of sigs.k8s.io/yaml 1.6.
describe("decodeYAML", () => {
  test.each([
    ["yes", true],
    ["Off", false],
    ["y", true],
    ["N", false],
    ["tRUE", "tRUE"],
    ["~", null],
    ["", null],
    ["Null", null],
    ["0777", 511],
    ["0o17", 15],
    ["0x1F", 31],
    ["-0x1F", -31],
    ["0b101", 5],
    ["1_000", 1000],
    ["+12", 12],
    ["08", 8],
    ["-0", 0],
    ["1e3", 1000],
    [".5", 0.5],
    ["5.", 5],
    ["1.5e-3", 0.0015],
    ["1e400", "1e400"],
    ["0x", "0x"],
    ["1,000", "1,000"],
    ["1:30", "1:30"],
    ["2001-01-01", "2001-01-01"],
    ["2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"],
    ["<<", "<<"],
    ["9007199254740993", 9007199254740993n],
    ["-9223372036854775808", -9223372036854775808n],
    ["9223372036854775808", 2 ** 63],
    ["18446744073709551616", 2 ** 64],
    ["1e18", 1000000000000000000n],
    ["!!str 5", "5"],
    ["!!int '5'", 5],
    ["!!float 5", 5],
    ["!!bool 'no'", false],
    ["!!null ''", null],
    ["!foo bar", "bar"],
    ["!!str", ""],
    ["'it''s'", "it's"],
    ['"a\\nb\\u00e9"', "a\nbé"],
    ["'yes'", "yes"],
    ["|\n  a\n  b\n", "a\nb\n"],
    [">-\n  a\n  b\n", "a b"],
    ["a b # c", "a b"],
    ["[a, b, ]", ["a", "b"]],
    ["{a: 1, b}", { a: 1, b: null }],
    ["[a: 1]", [{ a: 1 }]],
  ])("k: %s", (text, want) => expect(decode(`k: ${text}\n`)).toEqual({ value: { k: want }, duplicates: [] }));

  test.each([
    ["", null],
    ["# nothing\n", null],
    ["a: 1\n---\nb: 2\n", { a: 1 }],
    ["a: 1\n...\nb: : :\n", { a: 1 }],
    ["%YAML 1.1\n%TAG ! x:\n---\na: 1\n...\n%YAML 1.2\n---\nb: 1\n", { a: 1 }],
    ["\ufeffa: x\r\nb: |\r\n  y\r\n", { a: "x", b: "y\n" }],
    ["yes: 1\nno: 2\n1.5: x\n1e10: z\n0x10: h\n2001-01-01: d\n", { true: 1, false: 2, "1.5": "x", "1e+10": "z", "16": "h", "2001-01-01": "d" }],
    ["a: &x {b: 1}\nc: *x\n", { a: { b: 1 }, c: { b: 1 } }],
    ["a: &x 1\nb: &x 2\nc: *x\n", { a: 1, b: 2, c: 2 }],
    ["a: &x {b: 1, c: 1}\nd:\n  <<: *x\n  e: 2\n", { a: { b: 1, c: 1 }, d: { b: 1, c: 1, e: 2 } }],
    ["a:\n- 1\n- - 2\n", { a: [1, [2]] }],
    ['{"a":"\\/","b":9007199254740993}', { a: "/", b: 9007199254740993n }],
  ])("%j", (text, value) => expect(decode(text)).toEqual({ value, duplicates: [] }));

  test.each([
    ['data:\n  k: "a\n\n  b"\n  z: 1\n', { data: { k: "a\nb", z: 1 } }],
    ["k: 'a\nb'\nz: 1\n", { k: "a b", z: 1 }],
    ['a:\n  - k: "x\n\ty"\n    z: 1\n', { a: [{ k: "x y", z: 1 }] }],
    ["a:\n  b: [x,\n z # c\n]\n  c: {\nd: e\nf\n}\n", { a: { b: ["x", "z"], c: { d: "e f" } } }],
    ["a:\n  b: ['x\ny']\n", { a: { b: ["x y"] } }],
  ])("within quotes and brackets no indentation counts: %j", (text, value) => expect(decode(text)).toEqual({ value, duplicates: [] }));

  test.each([
    ["{k: -}", { k: "-" }],
    ["{k: -, a: [ -,b,-]}", { k: "-", a: ["-", "b", "-"] }],
    ["[&x -, *x, --, -1]", ["-", "-", "--", -1]],
  ])("a dash before a comma or bracket is a text: %j", (text, value) => expect(decode(text)).toEqual({ value, duplicates: [] }));

  test.each([
    ["\ufeffa: \ufeffx\ufeff\n\ufeffb: '\ufeff'\n", { a: "\ufeffx\ufeff", "\ufeffb": "\ufeff" }],
    ["a: |\n  \ufeffx\n# \ufeff", { a: "\ufeffx\n" }],
  ])("U+FEFF within a text stays: %j", (text, value) => expect(decode(text)).toEqual({ value, duplicates: [] }));

  test.each([
    ["{k: a\x85b, l: 'a\x85b'}", { k: "a b", l: "a b" }],
    ["a: 1\x85b: |\x85  x\x85  y\x85# z\x85c:", { a: 1, b: "x\ny\n", c: null }],
    ["a: x\x85\r\n y\r\r z\n", { a: "x\ny\nz" }],
    ['{"k": "a\x85b"}', { k: "a\x85b" }],
  ])("U+0085 is a line break but in JSON: %j", (text, value) => expect(decode(text)).toEqual({ value, duplicates: [] }));

  test("__proto__ is a key like any other", () => {
    expect(Object.keys(decode("__proto__: {a: 1}\n").value ?? {})).toEqual(["__proto__"]);
  });

  test.each([
    ["a: 1\na: 2\n", { a: 2 }, ['line 2: key "a" already set in map']],
    ["a:\n  b: 1\n  b: {c: 1, c: 2}\n", { a: { b: { c: 2 } } }, ['line 3: key "c" already set in map', 'line 3: key "b" already set in map']],
    ["a: &x {b: 1}\nc:\n  <<: *x\n  b: 2\n", { a: { b: 1 }, c: { b: 2 } }, ['line 4: key "b" already set in map']],
    ["c:\n  <<: [{a: 1},{a: 2, b: 3}]\n", { c: { a: 1, b: 3 } }, ['line 2: key "a" already set in map']],
    ['{"a":1,\n"a":2}', { a: 2 }, ['line 2: key "a" already set in map']],
  ])("duplicates of %j", (text, value, duplicates) => expect(decode(text)).toEqual({ value, duplicates }));

  test("duplicates as Kubernetes' strict error has them", () => {
    expect(formatYAMLDuplicates(decode("a: 1\na: 2\nb: 1\nb: 2\n").duplicates)).toBe(
      'yaml: unmarshal errors:\n  line 2: key "a" already set in map\n  line 4: key "b" already set in map',
    );
  });

  test.each([
    ["kind: ConfigMap\n  metadata: a\n", "yaml: line 2: mapping values are not allowed in this context"],
    ["a: b: c", "yaml: mapping values are not allowed in this context"],
    ["a:\n b: c: d\n", "yaml: line 2: mapping values are not allowed in this context"],
    ["a: 'x", "yaml: found unexpected end of stream"],
    ["a: 'x\n---\n'", "yaml: found unexpected end of stream"],
    ["[- a]", "yaml: line 1: block collections are not allowed within flow collections"],
    ['k: 1\na: "x\n', "yaml: line 3: found unexpected end of stream"],
    ['z: 1\na: "\\q"', "yaml: line 2: found unknown escape character"],
    ['z: 1\na: "\\ud800"', "yaml: line 2: found invalid Unicode character escape code"],
    ['a: "\\ud83d\\ude00"', "yaml: found invalid Unicode character escape code"],
    ['z: 1\na: "x\n\n  \\uDFFF"', "yaml: line 4: found invalid Unicode character escape code"],
    ['z: 1\n"\\U0000d800": 1', "yaml: line 2: found invalid Unicode character escape code"],
    ['- {a: b}\n- |\n  "x\n- "\\ud800"', "yaml: line 4: found invalid Unicode character escape code"],
    ['z: 1\na: "\\U00110000"', "yaml: line 2: found invalid Unicode character escape code"],
    ['z: 1\na: "\\uzzzz"', "yaml: line 2: did not find expected hexdecimal number"],
    ["%YAML 1.2\n---\na: 1\n", "yaml: found incompatible YAML document"],
    ["\n\n%FOO 1\n---\na: 1\n", "yaml: line 3: found unknown directive name"],
    ["@x", "yaml: found character that cannot start any token"],
    ["spec:\n\tcolor: red", "yaml: line 2: found character that cannot start any token"],
    ["a: .inf", "json: unsupported value: +Inf"],
    ["a: .nan", "json: unsupported value: NaN"],
    ["~: a", "yaml: unsupported map key: null"],
    ["? {a: 1}\n: b\n", "yaml: invalid map key: a map or a sequence"],
    ["a: *x", "yaml: unknown anchor 'x' referenced"],
    ["a: &x [*x]", "yaml: anchor 'x' value contains itself"],
    ["c:\n  <<: 5\n", "yaml: map merge requires map or sequence of maps as the value"],
    ["a: !!int x", "yaml: cannot decode !!str `x` as a !!int"],
    ["a: !!binary aGk=", "yaml: !!binary is not supported: write the base64 text without the tag"],
    ["a: \u0001", "yaml: control characters are not allowed"],
    ["[".repeat(10_000), "yaml: exceeded max depth of 500"],
    ["- ".repeat(300_000), "yaml: exceeded max depth of 500"],
    ["- a\n".repeat(100_000), "yaml: document has more than 250000 tokens"],
  ])("refuses: %#", (text, message) => expect(() => decode(text)).toThrow(new YAMLSyntaxError(message)));

  test("refuses what is not UTF-8", () => expect(() => decodeYAML(Uint8Array.of(0xff))).toThrow(new YAMLSyntaxError("yaml: invalid UTF-8")));

  test.each([
    [
      "by many nodes",
      `a0: &a0 [${"x,".repeat(9)}]\n${Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}]\n`).join("")}`,
    ],
    ["by much text", `a: &a ${"x".repeat(100_000)}\nb:\n${"- *a\n".repeat(100)}`],
  ])("refuses a document that aliases swell %s", (_how, text) => {
    expect(() => decode(text)).toThrow(new YAMLSyntaxError("yaml: document contains excessive aliasing"));
  });
});
