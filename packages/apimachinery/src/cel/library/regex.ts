import type { RE2JS } from "re2js";
import { type FunctionDeclaration, member } from "../check/declaration.ts";
import type { CelLibrary } from "../environment.ts";
import { CelError, noSuchOverload } from "../value/error.ts";
import { ArrayList } from "../value/list.ts";
import { type CelInt, isInt } from "../value/number.ts";
import { INT, listType, STRING } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";
import { work } from "../value/work.ts";
import { compiledFor, compilePattern, matcherOf } from "./pattern.ts";

function find(pattern: RE2JS, text: string): string {
  const matcher = matcherOf(pattern, text);
  return matcher.find() ? (matcher.group() ?? "") : "";
}

/** @param limit negative for all. */
function findAll(pattern: RE2JS, text: string, limit: CelInt): CelValue {
  const found: string[] = [];
  const matcher = matcherOf(pattern, text);
  let end = -1;
  while ((limit < 0 || found.length < limit) && matcher.find()) {
    // As in Go, an empty match does not stand right behind another match.
    if (matcher.start() === matcher.end() && matcher.start() === end) continue;
    end = matcher.end();
    // To find the next one may mean to read all of the rest.
    work(2 * (text.length - end));
    found.push(matcher.group() ?? "");
  }
  return new ArrayList(found);
}

const illegal = (error: CelError): CelError => new CelError(`Illegal regex: ${error.message}`);

const FUNCTIONS: readonly FunctionDeclaration[] = [
  {
    name: "find",
    overloads: [
      member("string_find_string", [STRING, STRING], STRING, (text: string, pattern: string) => {
        const compiled = compilePattern(pattern);
        return compiled instanceof CelError ? illegal(compiled) : find(compiled, text);
      }),
    ],
    compile: compiledFor(1, (pattern) => (text) => (typeof text === "string" ? find(pattern, text) : noSuchOverload(text))),
  },
  {
    name: "findAll",
    overloads: [
      member("string_find_all_string", [STRING, STRING], listType(STRING), (text: string, pattern: string) => findAllDynamic(text, pattern, -1)),
      member("string_find_all_string_int", [STRING, STRING, INT], listType(STRING), findAllDynamic),
    ],
    compile: compiledFor(1, (pattern) => (text, _pattern, limit = -1) => {
      if (typeof text !== "string") return noSuchOverload(text);
      return isInt(limit) ? findAll(pattern, text, limit) : noSuchOverload(limit);
    }),
  },
];

function findAllDynamic(text: string, pattern: string, limit: CelInt): CelValue {
  const compiled = compilePattern(pattern);
  return compiled instanceof CelError ? illegal(compiled) : findAll(compiled, text, limit);
}

/** What patterns find. Source: k8s.io/apiserver/pkg/cel/library/regex.go. */
export const REGEX_LIBRARY: CelLibrary = { name: "kubernetes.regex", functions: FUNCTIONS };
