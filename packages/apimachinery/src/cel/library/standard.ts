import { type FunctionDeclaration, member, overload } from "../check/declaration.ts";
import type { CelLibrary } from "../environment.ts";
import { STANDARD_MACROS } from "../syntax/macro.ts";
import { CelError, noSuchOverload } from "../value/error.ts";
import { BOOL, BYTES, DOUBLE, DURATION, INT, listType, mapType, NULL, STRING, TIMESTAMP, TYPE, typeParameter, UINT } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";
import { CONVERSIONS } from "./conversions.ts";
import { OPERATORS } from "./operators.ts";
import { compiledFor, compilePattern, testPattern } from "./pattern.ts";
import { TIME_PARTS } from "./time.ts";

/** A method of texts with one text as its argument. */
const textTest = (name: string, id: string, test: (text: string, part: string) => boolean): FunctionDeclaration => ({
  name,
  overloads: [
    member(id, [STRING, STRING], BOOL, (text, part) => {
      if (typeof text !== "string") return noSuchOverload(text);
      return typeof part === "string" ? test(text, part) : noSuchOverload(part);
    }),
  ],
  checksItself: true,
});

function matches(text: CelValue, pattern: CelValue): CelValue {
  if (typeof text !== "string") return new CelError("no such overload: matches");
  if (typeof pattern !== "string") return noSuchOverload(pattern);
  const compiled = compilePattern(pattern);
  return compiled instanceof CelError ? compiled : testPattern(compiled, text);
}

const TEXTS: readonly FunctionDeclaration[] = [
  textTest("contains", "contains_string", (text, part) => text.includes(part)),
  textTest("endsWith", "ends_with_string", (text, part) => text.endsWith(part)),
  textTest("startsWith", "starts_with_string", (text, part) => text.startsWith(part)),
  {
    name: "matches",
    overloads: [overload("matches", [STRING, STRING], BOOL), member("matches_string", [STRING, STRING], BOOL)],
    implementation: matches,
    compile: compiledFor(1, (pattern) => (text) => (typeof text === "string" ? testPattern(pattern, text) : noSuchOverload(text))),
  },
];

const NOT_STRICTLY_FALSE: FunctionDeclaration = { name: "@not_strictly_false", overloads: [overload("not_strictly_false", [BOOL], BOOL)] };

/** What every expression may use. Source: cel-go common/stdlib/standard.go. */
export const STANDARD_LIBRARY: CelLibrary = {
  name: "stdlib",
  functions: [...OPERATORS, ...CONVERSIONS, ...TEXTS, ...TIME_PARTS, NOT_STRICTLY_FALSE],
  macros: STANDARD_MACROS,
  types: [
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    listType(typeParameter("A")),
    mapType(typeParameter("A"), typeParameter("B")),
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
  ],
};
