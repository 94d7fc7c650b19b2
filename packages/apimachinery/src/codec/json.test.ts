import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCompactJSON } from "./compact-json.ts";
import { decodeJSON, decodeStrictJSON, encodeJSON, encodeJSONText, encodePrettyJSON, strictFaults } from "./json.ts";
import { JSONParser, JSONSyntaxError, MAX_JSON_DEPTH } from "./json-parser.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

/** Values as they are after decoding: bigint beyond 2^53 only, no negative zero, no half surrogate pairs. */
const jsonValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.string({ unit: "grapheme" }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0) && (Number.isSafeInteger(n) || !Number.isInteger(n))),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string({ unit: "grapheme" }), fc.constant("__proto__")), tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

describe("parseCompactJSON", () => {
  test.each(['{"a":1,"b":[true,null,"x"]}', '{"a":"\\n\\\\"}\n', "[]", '{"__proto__":{"a":1}}', "1.5"])("takes %s", (source) =>
    expect(parseCompactJSON(source)).toEqual(new JSONParser(source).parse()),
  );

  test.each([
    ["a key that stands twice", '{"a":1,"a":1}'],
    ["a blank", '{"a": 1}'],
    ["a blank behind a comma", '{"a":1, "b":2}'],
    ["an integer beyond 2^53", '{"a":9007199254740992}'],
    ["a number beyond a double", '{"a":1e400}'],
    ["a zero with a sign", '{"a":-0}'],
    ["half a surrogate pair", '{"a":"\\ud800"}'],
    ["keys that V8 would sort", '{"a":1,"2":1}'],
    ["what nests deep", nested(501)],
    ["what nests deeper than any stack", nested(200_000)],
    ["no JSON", '{"a":}'],
    ["nothing", ""],
  ])("leaves %s to the parser", (_, source) => expect(parseCompactJSON(source)).toBeUndefined());

  test("reads what the parser reads, or nothing", () => {
    const characters = fc.constantFrom(...'{}[]":,.-+eE01239 \\ntu\n', '"a"', "true", '{"a":', '"a":1');
    const texts = fc.oneof(fc.string({ unit: characters, maxLength: 12 }), jsonValue.map(encodeJSONText));
    fc.assert(
      fc.property(texts, (source) => {
        const value = parseCompactJSON(source);
        if (value === undefined) return;
        const parser = new JSONParser(source);
        expect(value).toEqual(parser.parse());
        expect(parser.duplicates).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("decodeStrictJSON", () => {
  test.each([
    ["5.0", 5],
    ["1e1", 10],
    ["-0", 0],
    ["9007199254740991", 9007199254740991],
    ["9007199254740993", 9007199254740993n],
    ["-9223372036854775808", -9223372036854775808n],
    ["9223372036854775808", 2 ** 63],
    ["1e-400", 0],
    ['"\\u0041\\n\\/\\ud83d\\ude00"', "A\n/😀"],
    ['"\\ud800x"', "\ufffdx"],
    [' \t\r\n{"a" : [ ] }\n', { a: [] }],
  ])("%s", (source, want) => expect(decodeStrictJSON(utf8(source)).value).toEqual(want));

  // The sentences are those of sigs.k8s.io/json for the same texts.
  test.each([
    ["", "unexpected end of JSON input"],
    ['{"kind": ', "unexpected end of JSON input"],
    ['{"a"', "unexpected end of JSON input"],
    ['"a', "unexpected end of JSON input"],
    // Go asks whether a blank could follow.
    ['"\\u00', "invalid character ' ' in \\u hexadecimal character escape"],
    ['"\\', "invalid character ' ' in string escape code"],
    ["nul", "invalid character ' ' in literal null (expecting 'l')"],
    ["[tr", "invalid character ' ' in literal true (expecting 'u')"],
    ["-", "invalid character ' ' in numeric literal"],
    ["1.", "invalid character ' ' after decimal point in numeric literal"],
    ["1e+", "invalid character ' ' in exponent of numeric literal"],
    ['{"a":}', "invalid character '}' looking for beginning of value"],
    ["{a:1}", "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ["[1 2]", "invalid character '2' after array element"],
    ["{} x", "invalid character 'x' after top-level value"],
    ["[1,]", "invalid character ']' looking for beginning of value"],
    ["01", "invalid character '1' after top-level value"],
    ["-x", "invalid character 'x' in numeric literal"],
    ["1.x", "invalid character 'x' after decimal point in numeric literal"],
    ["1e+x", "invalid character 'x' in exponent of numeric literal"],
    ["trve", "invalid character 'v' in literal true (expecting 'u')"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"],
    ["é", "invalid character 'Ã' looking for beginning of value"],
    ["'", "invalid character '\\'' looking for beginning of value"],
    ["\u0001", "invalid character '\\x01' looking for beginning of value"],
    ["\ufeff{}", "invalid character 'ï' looking for beginning of value"],
    ["1e400", "json: cannot unmarshal number 1e400 into a value: out of range"],
    [nested(MAX_JSON_DEPTH + 1), "invalid character '[' exceeded max depth"],
  ])("refuses: %#", (source, message) => expect(() => decodeStrictJSON(utf8(source))).toThrow(new JSONSyntaxError(message)));

  test("refuses what is not UTF-8", () => {
    expect(() => decodeStrictJSON(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(new JSONSyntaxError("invalid UTF-8 in JSON input"));
  });

  test.each([
    ['{"spec":{"reference":1,"reference":2}}', { spec: { reference: 2 } }, ["spec.reference"]],
    ['{"spec":{"list":[{"name":1,"name":2},{}]}}', { spec: { list: [{ name: 2 }, {}] } }, ["spec.list[0].name"]],
    ['[[{"a":1,"a":2}]]', [[{ a: 2 }]], ["[0][0].a"]],
    ['{"a":1,"a":2,"a":3}', { a: 3 }, ["a"]],
    ['{"a":{"x":1},"A":1,"a":{"y":1}}', { a: { y: 1 }, A: 1 }, ["a"]],
    ['{"__proto__":1,"__proto__":2}', JSON.parse('{"__proto__":2}'), ["__proto__"]],
  ])("duplicates of %s", (source, value, duplicates) => expect(decodeStrictJSON(utf8(source))).toEqual({ value, duplicates }));

  test("tells at most 100 duplicates", () => {
    const source = `{${Array.from({ length: 150 }, (_, index) => `"k${index}":1,"k${index}":2`).join()}}`;
    expect(decodeStrictJSON(utf8(source)).duplicates).toHaveLength(100);
  });

  test("__proto__ is an own key and changes no prototype", () => {
    const value = decodeStrictJSON(utf8('{"__proto__":{"polluted":true}}')).value;
    expect(Object.keys(value ?? {})).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test("agrees with JSON.parse wherever that loses nothing", () => {
    fc.assert(
      fc.property(fc.json(), (source) => {
        fc.pre(!/\d{16}|-0/.test(source));
        expect(decodeStrictJSON(utf8(source)).value).toEqual(JSON.parse(source));
      }),
    );
  });
});

describe("encode and decode", () => {
  test("every value comes back", () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        expect(decodeStrictJSON(encodeJSON(value))).toEqual({ value, duplicates: [] });
        expect(decodeJSON(encodeJSON(value))).toEqual(value);
        expect(decodeJSON(encodePrettyJSON(value))).toEqual(value);
      }),
    );
  });

  test("decodeJSON keeps the digits of integers", () => expect(decodeJSON(utf8('{"a":9007199254740993}'))).toEqual({ a: 9007199254740993n }));
  test("decodeJSON says what is wrong as the strict one does", () => {
    expect(() => decodeJSON(utf8("{"))).toThrow(new JSONSyntaxError("unexpected end of JSON input"));
  });

  test("leaves out what is undefined, with and without bigint", () => {
    expect(encodeJSONText({ a: undefined, b: [undefined] })).toBe('{"b":[null]}');
    expect(encodeJSONText({ a: undefined, b: [undefined], c: 1n })).toBe('{"b":[null],"c":1}');
    expect(encodeJSONText(undefined)).toBe("null");
  });

  test.each([{ number: 1 }, { number: 2n ** 53n }])("pretty: two spaces, empty containers closed, no final newline: $number", ({ number }) => {
    const want = `{\n  "a": [\n    ${number},\n    {}\n  ],\n  "b": [],\n  "c": {\n    "d": "<"\n  }\n}`;
    expect(text(encodePrettyJSON({ a: [number, {}], b: [], c: { d: "<", e: undefined } }))).toBe(want);
  });

  test("pretty: what would be little but spaces has none", () => {
    const deep = (width: number, depth: number) => `${'{"[,":'.repeat(depth)}[${Array(width).fill(1).join(",")}]${"}".repeat(depth)}`;
    const spaced = decodeStrictJSON(utf8(deep(1_000, 1_900))).value;
    expect(text(encodePrettyJSON(spaced))).toBe(JSON.stringify(spaced, undefined, 2));
    const bomb = deep(20_000, 1_900);
    expect(text(encodePrettyJSON(decodeStrictJSON(utf8(bomb)).value))).toBe(bomb);
  });

  test("the deepest value that is read can be written", () => {
    const source = nested(MAX_JSON_DEPTH);
    expect(encodeJSONText(decodeStrictJSON(utf8(source)).value)).toBe(source);
  });

  test("a value that contains itself is an error, not an endless loop", () => {
    const circle: unknown[] = [1n];
    circle.push(circle);
    expect(() => encodeJSON(circle)).toThrow(RangeError);
  });
});

describe("strictFaults", () => {
  const faults = (source: string, unknown: readonly string[]) => {
    const bytes = utf8(source);
    return strictFaults(bytes, decodeStrictJSON(bytes).duplicates, unknown).map((fault) => fault.replaceAll('"', ""));
  };

  // Asked of sample-apiserver 0.36.
  test("are told in the order of the text", () => {
    const source =
      '{"metadata":{"bogus":1,"labels":{"a":"1","a":"2"}},"spec":{"reference":"abc","x":{"b":1,"b":1},"reference":"abc","x":1},"z":null}';
    expect(faults(source, ["metadata.bogus", "spec.x", "z"])).toEqual([
      "unknown field metadata.bogus",
      "duplicate field metadata.labels.a",
      "unknown field spec.x",
      "duplicate field spec.reference",
      "unknown field z",
    ]);
  });

  test("are told once, in lists and below keys with dots as well", () => {
    expect(faults('{"l":[{"a":1},{"a":1,"a":2,"a":3}],"k":{"b.c":1,"b.c":2},"u":1}', ["u"])).toEqual([
      "duplicate field l[1].a",
      "duplicate field k.b.c",
      "unknown field u",
    ]);
  });

  test("have the duplicates first where the text is long", () => {
    const source = `{"u":1,"a":1,"a":"${"x".repeat(70_000)}"}`;
    expect(faults(source, ["u"])).toEqual(["duplicate field a", "unknown field u"]);
  });
});
