// Faults of syntax, in the words of ANTLR as cel-go gives them on: each is what Go answers (test/differential/cel has many more).
import { describe, expect, test } from "vitest";
import { parseExpression } from "./parser.ts";

const START = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const START_OF_INDEX = START.replace("'!',", "'!', '?',");

describe("the first fault of an expression", () => {
  test.each([
    { text: "", want: `1:0: Syntax error: mismatched input '<EOF>' expecting ${START}` },
    { text: "a.", want: "1:3: Syntax error: no viable alternative at input '.'" },
    { text: "a. ==b", want: "1:4: Syntax error: no viable alternative at input '. =='" },
    { text: "a.null", want: "1:3: Syntax error: mismatched input 'null' expecting IDENTIFIER" },
    { text: "a. null", want: "1:4: Syntax error: no viable alternative at input '. null'" },
    { text: "a.? 2.0 b", want: "1:5: Syntax error: extraneous input '2.0' expecting {IDENTIFIER, ESC_IDENTIFIER}" },
    { text: "a[", want: `1:3: Syntax error: mismatched input '<EOF>' expecting ${START_OF_INDEX}` },
    { text: "a = 1", want: "1:3: Syntax error: token recognition error at: '= '" },
    { text: "a => b", want: "1:3: Syntax error: token recognition error at: '=>'" },
    { text: "a é b", want: "1:3: Syntax error: token recognition error at: 'é'" },
    { text: "`a[", want: "1:1: Syntax error: token recognition error at: '`a['" },
    { text: String.raw`'\x4'`, want: String.raw`1:1: Syntax error: token recognition error at: ''\x4''` },
    { text: String.raw`'a\q'`, want: String.raw`1:1: Syntax error: token recognition error at: ''a\q'` },
    { text: "'a\nb", want: "1:1: Syntax error: token recognition error at: ''a\n'" },
    { text: "!", want: `1:2: Syntax error: extraneous input '<EOF>' expecting ${START}` },
    { text: "-", want: "1:2: Syntax error: no viable alternative at input '-'" },
    { text: "- !a", want: "1:3: Syntax error: no viable alternative at input '- !'" },
    { text: "f(a ] b)", want: "1:5: Syntax error: mismatched input ']' expecting ')'" },
    { text: "[(a ]", want: "1:5: Syntax error: missing ')' at ']'" },
    { text: "(a", want: "1:3: Syntax error: missing ')' at '<EOF>'" },
    { text: "a ? 1 (c) : d", want: "1:7: Syntax error: missing ':' at '('" },
    { text: "a ? (b ? c : d", want: "1:15: Syntax error: mismatched input '<EOF>' expecting ')'" },
    { text: "[3, , 2]", want: "1:5: Syntax error: mismatched input ',' expecting ']'" },
  ])("$text", ({ text, want }) => {
    const { source, faults } = parseExpression(text, new Map());
    expect(source.display(faults).split("\n | ")[0]).toBe(`ERROR: <input>:${want}`);
  });

  test("what is missing is told once, until a token fits again", () => {
    const { faults } = parseExpression("[(a ] + b c", new Map());
    expect(faults.map(({ message }) => message)).toEqual(["Syntax error: missing ')' at ']'", "Syntax error: extraneous input 'c' expecting <EOF>"]);
  });
});
