import { describe, expect, test } from "vitest";
import { KUBERNETES_ENVIRONMENT } from "./kubernetes.ts";
import { compileExpression } from "./program.ts";
import { jsonValue } from "./schema/json-value.ts";
import { showValue } from "./value/show.ts";
import { DYN, INT, showType } from "./value/type.ts";

const environment = KUBERNETES_ENVIRONMENT.extend({ variables: { self: DYN, n: INT } });
const self = jsonValue({ name: "web", replicas: 3, tags: ["a", "b"], nothing: null, big: 9223372036854775807n, labels: { "a.b/c": "y" } });

/** The value or error, and the cost. */
function answer(text: string, costLimit?: number): string {
  const { program, fault } = compileExpression(environment, text, costLimit === undefined ? {} : { costLimit });
  if (program === undefined) return fault;
  const { value, error, cost } = program.evaluate({ self, n: 4 });
  return `${error ?? showValue(value)} @${cost}`;
}

/** As kube-apiserver 1.36 names them. */
test.each([
  ["quantity('1')", "cel.Quantity"],
  ["quantity('1').add(1)", "*cel.Quantity"],
  ["ip('1.2.3.4')", "cel.IP"],
  ["cidr('10.0.0.0/8')", "cel.CIDR"],
  ["url('https://a/b')", "cel.URL"],
  ["semver('1.2.3')", "cel.Semver"],
  ["format.dns1123Label()", "cel.Format"],
  ["optional.of(1)", "*types.Optional"],
])("%s is no key, but a %s", (text, type) => expect(answer(`self[dyn(${text})]`).split(" @")[0]).toBe(`invalid qualifier type: ${type}`));

/** Each with the answer of cel-go in Kubernetes' environment: the value or the error, and what it cost. */
describe("evaluates", () => {
  test.each([
    ["1 + 2 * 3", "7 @2"],
    ["9223372036854775807 + 1", "integer overflow @1"],
    ["-9223372036854775808 - 1", "integer overflow @1"],
    ["self.big - 1", "9223372036854775806 @3"],
    ["7 / -2", "-3 @1"],
    ["-7 % 3", "-1 @1"],
    ["1 / 0", "division by zero @1"],
    ["1 % 0", "modulus by zero @1"],
    ["1u - 2u", "unsigned integer overflow @1"],
    ["dyn(1) == 1.0", "true @1"],
    ["dyn(1) == dyn('a')", "false @1"],
    ["'\u{1f600}' > '\uffee'", "true @1"],
    ["size('\u{1f600}a')", "2 @1"],
    ["self.tags[5]", "index out of bounds: 5 @3"],
    ["self.missing", "no such key: missing @2"],
    ["self.name < 1", "no such overload @3"],
    ["dyn(true) + 1", "no such overload: _+_ @1"],
    ["self.missing || true", "true @2"],
    ["self.missing || false", "no such key: missing @2"],
    ["has(self.labels) && self.labels['a.b/c'] == 'y'", "true @5"],
    ["n > 3 ? self.name : 'none'", "web @3"],
    ["self.tags.all(t, t.size() == 1)", "true @15"],
    ["self.tags.exists(t, t == 'b')", "true @15"],
    ["self.tags.map(t, t + '!')", "[a!, b!] @31"],
    ["[1, 2, 3].filter(x, x > 1)", "[2, 3] @33"],
    ["[1, 2, 2].exists_one(x, x == 2)", "false @12"],
    ["'b' in ['a', 'b']", "true @0"],
    ["'b' in self.tags", "true @3"],
    ["int('42')", "42 @0"],
    ["string(123456789.0)", "1.23456789e+08 @0"],
    ["timestamp('2023-01-02T03:04:05.6Z').getMilliseconds()", "600 @1"],
    ["timestamp('2023-01-01T00:00:00Z').getDayOfYear('America/New_York')", "364 @1"],
    ["string(duration('1h30m'))", "5400s @0"],
    ["self.?missing.orValue('x')", "x @1"],
    ["self.?name.optMap(x, x + '!').value()", "web! @10"],
    ["[1, 2].transformMap(i, v, v * 2)", "{0: 2, 1: 4} @11"],
    ["{'a': 1}.exists(k, v, v == 1)", "true @7"],
    ["'aaaa'.matches('^(a+)+$')", "true @2"],
  ])("%s", (text, want) => {
    expect(answer(text)).toBe(want);
  });
});

test("ends an evaluation that costs more than its limit", () => {
  const long = jsonValue(Array.from({ length: 2000 }, (_, index) => index));
  const { program } = compileExpression(environment, "self.all(x, self.all(y, x + y >= 0))");
  expect(program?.evaluate({ self: long })).toMatchObject({ error: "operation cancelled: actual cost limit exceeded" });
  expect(answer("[1, 2, 3].all(x, x > 0)", 5)).toContain("operation cancelled: actual cost limit exceeded");
});

/** What cel-go would do for a unit or two, as long as it takes. */
test.each([
  ["self.list.all(x, '%s'.format([self.list]) != '')"],
  ["[self.list] == [self.list.map(x, x)]"],
  ["[self.text].exists(x, self.list.all(y, x.indexOf('b', y) < 0))"],
  ["self.list.all(x, size(self.map) > x)"],
  [`${"[".repeat(60)}self.list${"].map(x, x + x)[0]".repeat(60)}.size() > 1`],
  ["lists.range(100000000).size() > 0"],
  ["[1, 2, 3].all(x, self.text.matches('a{1000}b') || true)"],
  ["self.text.replace('', self.text).size() > 1"],
  ["self.list.map(x, self.text).join() == ''"],
  ["[?dyn(self.list.map(x, self.text))] == []"],
])("ends an evaluation that works more than it costs: %s", (text) => {
  const list = jsonValue({
    list: Array.from({ length: 5000 }, (_, index) => index),
    text: "a".repeat(50_000),
    map: Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`k${index}`, index])),
  });
  const { program } = compileExpression(environment, text, { costLimit: 60_000 });
  expect(program?.evaluate({ self: list })).toMatchObject({ error: "operation cancelled: actual cost limit exceeded" });
});

/** These take time that grows with the square of the text in a reading that goes back and forth. */
test.each([
  ["quantity(self).isInteger()", "9"],
  ["double(self) > 0.0", "9"],
  ["double('0x' + self) > 0.0", "9"],
  ["int(self) > 0", "9"],
  ["duration(self) > duration('1s')", "9"],
  ["self.replace('9', '') == 'x'", "9"],
  ["'0'.matches(self)", "["],
])("reads a long text once: %s", (text, char) => {
  const { program } = compileExpression(environment, text);
  const begin = performance.now();
  program?.evaluate({ self: `${char.repeat(500_000)}x` });
  expect(performance.now() - begin).toBeLessThan(5000);
});

test("an evaluation costs what it worked for, if that is more", () => {
  const { program } = compileExpression(environment, "[self].all(x, x.indexOf('b') < 0)");
  const self = "\u{1f600}".repeat(20_000);
  expect(program?.evaluate({ self })).toMatchObject({ value: true });
  expect(program?.evaluate({ self }).cost).toBeGreaterThan(5000);
});

test.each([
  [`optional.of(1)${".optMap(v, v)".repeat(20)}`, "expression has more than 250000 parts with its macros expanded"],
  [`[{1: 1}]${".map(x, {x: x})".repeat(40)}`, "expression has a type of more than 10000 types"],
  [`${"[".repeat(300)}1${"]".repeat(300)}`, "expression recursion limit exceeded: 250"],
  ["1".repeat(100_001), "expression code point size exceeds limit: size: 100001, limit 100000"],
])("bounds what it compiles: %.30s…", (text, want) => {
  expect(compileExpression(environment, text).fault).toBe(`compilation failed: ERROR: <input>:-1:0: ${want}`);
});

/** Each with the answer of cel-go in Kubernetes' environment. */
test.each([
  ["nope", "compilation failed: ERROR: <input>:1:1: undeclared reference to 'nope' (in container '')\n | nope\n | ^"],
  ["n.x", "compilation failed: ERROR: <input>:1:2: type 'int' does not support field selection\n | n.x\n | .^"],
  ["n + 'a'", "compilation failed: ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n | n + 'a'\n | ..^"],
  ["[1, 'a']", "compilation failed: ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a']\n | ....^"],
  ["n && true", "compilation failed: ERROR: <input>:1:1: expected type 'bool' but found 'int'\n | n && true\n | ^"],
  ["duration('x')", "compilation failed: ERROR: <input>:1:10: invalid duration argument\n | duration('x')\n | .........^"],
  ["'a'.matches('(')", "compilation failed: ERROR: <input>:1:13: invalid matches argument\n | 'a'.matches('(')\n | ............^"],
  ["int('x')", "program instantiation failed: type conversion error from 'string' to 'int'"],
])("refuses %s", (text, want) => {
  expect(answer(text)).toBe(want);
});

test.each([
  ["n + 1", "int"],
  ["[1, 2].map(x, string(x))", "list(string)"],
  ["{'a': [1.0]}", "map(string, list(double))"],
  ["optional.of(n)", "optional_type(int)"],
  ["true ? n : self", "dyn"],
])("finds the type of %s", (text, want) => {
  const { program } = compileExpression(environment, text);
  expect(program === undefined ? "" : showType(program.resultType)).toBe(want);
});
