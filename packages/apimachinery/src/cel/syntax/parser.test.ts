import { expect, test } from "vitest";
import { STANDARD_MACROS } from "./macro.ts";
import { macroKey, parseExpression } from "./parser.ts";

const macros = new Map(STANDARD_MACROS.map((macro) => [macroKey(macro.name, macro.argumentCount, macro.isReceiver), macro]));

const faults = (text: string): string => {
  const { source, faults: found } = parseExpression(text, macros);
  return source.display(found);
};

const START = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** Each with the answer of cel-go 0.26. */
test.each([
  ["1 +", `ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting ${START}\n | 1 +\n | ...^`],
  ["TestAllTypes(){}", "ERROR: <input>:1:15: Syntax error: mismatched input '{' expecting <EOF>\n | TestAllTypes(){}\n | ..............^"],
  ["{a}", "ERROR: <input>:1:3: Syntax error: mismatched input '}' expecting ':'\n | {a}\n | ..^"],
  ["self.true == 1", "ERROR: <input>:1:6: Syntax error: mismatched input 'true' expecting IDENTIFIER\n | self.true == 1\n | .....^"],
  ["(1", "ERROR: <input>:1:3: Syntax error: missing ')' at '<EOF>'\n | (1\n | ..^"],
  ["import", "ERROR: <input>:1:1: reserved identifier: import\n | import\n | ^"],
  ["9223372036854775808", "ERROR: <input>:1:1: invalid int literal\n | 9223372036854775808\n | ^"],
  ["has(self)", "ERROR: <input>:1:5: invalid argument to has() macro\n | has(self)\n | ....^"],
  ["[1].map(1, 2)", "ERROR: <input>:1:9: argument is not an identifier\n | [1].map(1, 2)\n | ........^"],
  ["'é' + 'é' +", `ERROR: <input>:1:12: Syntax error: mismatched input '<EOF>' expecting ${START}\n | 'é' + 'é' +\n | .．.....．...^`],
])("tells what is wrong with %s", (text, want) => {
  expect(faults(text)).toBe(want);
});

test.each([
  ["parentheses", `${"(".repeat(20_000)}1${")".repeat(20_000)}`, "expression recursion limit exceeded: 250"],
  ["lists", `${"[".repeat(20_000)}${"]".repeat(20_000)}`, "expression recursion limit exceeded: 250"],
  ["fields", `a${".b".repeat(20_000)}`, "expression recursion limit exceeded: 250"],
  ["sums", `1${"+1".repeat(20_000)}`, "expression recursion limit exceeded: 250"],
  ["conditionals", `${"true?1:".repeat(10_000)}1`, "expression recursion limit exceeded: 250"],
  ["macros in macros", `[1]${".map(x,[x]".repeat(5_000)}${")".repeat(5_000)}`, "expression recursion limit exceeded: 250"],
  ["fields of sums", `1${`+a${".b".repeat(125)}`.repeat(200)}`, "max recursion depth exceeded"],
  ["length", "1".repeat(100_001), "expression code point size exceeds limit: size: 100001, limit 100000"],
])("refuses a bomb of %s soon", (_name, text, want) => {
  const start = Date.now();
  expect(faults(text)).toBe(`ERROR: <input>:-1:0: ${want}`);
  expect(Date.now() - start).toBeLessThan(2000);
});

test("takes as many terms of a logical operator as fit, and signs without end", () => {
  expect(faults(`true${"&&true".repeat(10_000)}`)).toBe("");
  expect(faults(`${"!".repeat(50_000)}true`)).toBe("");
});
