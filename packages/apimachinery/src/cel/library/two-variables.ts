import { type FunctionDeclaration, overload } from "../check/declaration.ts";
import type { CelLibrary } from "../environment.ts";
import type { Expression } from "../syntax/expression.ts";
import { argument, collectParts, identifierOf, type Macro, type MacroBuilder, MacroError, quantifierParts, variableName } from "../syntax/macro.ts";
import { CelError } from "../value/error.ts";
import { type CelMap, insertEntry } from "../value/map.ts";
import { mapType, typeParameter } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";

const K = typeParameter("K");
const V = typeParameter("V");
const MAP_KV = mapType(K, V);

function insertAll(target: CelMap, source: CelMap): CelValue {
  let result: CelValue = target;
  for (const key of source.keys()) {
    result = insertEntry(result as CelMap, key, source.get(key)); // it is a map: an error ends the loop
    if (result instanceof CelError) return result;
  }
  return result;
}

const MAP_INSERT: FunctionDeclaration = {
  name: "cel.@mapInsert",
  overloads: [
    overload("@mapInsert_map_key_value", [MAP_KV, K, V], MAP_KV, insertEntry),
    overload("@mapInsert_map_map", [MAP_KV, MAP_KV], MAP_KV, insertAll),
  ],
};

const SIMPLE_NAME = "argument must be a simple name";

/** The names of both variables, which are the first two arguments. */
function variables(args: readonly Expression[]): { readonly iterVar: string; readonly iterVar2: string } {
  identifierOf(args[0], SIMPLE_NAME);
  if (identifierOf(args[1], SIMPLE_NAME) === identifierOf(args[0], SIMPLE_NAME)) {
    throw new MacroError(args[1]?.id ?? 0, `duplicate variable name: ${identifierOf(args[0], SIMPLE_NAME)}`);
  }
  return { iterVar: variableName(args[0], SIMPLE_NAME), iterVar2: variableName(args[1], SIMPLE_NAME) };
}

function quantifier(name: string, kind: "all" | "exists" | "existsOne"): Macro {
  return {
    name,
    isReceiver: true,
    argumentCount: 3,
    expand: (build, args, range) => build.comprehension({ range, ...variables(args), ...quantifierParts(build, kind, argument(args, 2)) }),
  };
}

type Insert = (build: MacroBuilder, key: string, transform: Expression) => Expression;

/** With three arguments a transformation of everything, with four of what passes the filter that is the third. */
function transformation(name: string, argumentCount: 3 | 4, insert: Insert | undefined): Macro {
  return {
    name,
    isReceiver: true,
    argumentCount,
    expand: (build, args, range) => {
      const names = variables(args);
      const filter = argumentCount === 4 ? argument(args, 2) : undefined;
      const transform = argument(args, argumentCount - 1);
      if (insert === undefined) return build.comprehension({ range, ...names, ...collectParts(build, filter, transform) });
      const inserted = insert(build, names.iterVar, transform);
      const step = filter === undefined ? inserted : build.call("_?_:_", filter, inserted, build.accumulator());
      return build.comprehension({ range, ...names, accuInit: build.emptyMap(), condition: build.literal(true), step, result: build.accumulator() });
    },
  };
}

const insertValue: Insert = (build, key, transform) => build.call("cel.@mapInsert", build.accumulator(), build.identifier(key), transform);
const insertMap: Insert = (build, _key, transform) => build.call("cel.@mapInsert", build.accumulator(), transform);

/** Folds with an index or key beside the element or value. Source: cel-go ext/comprehensions.go. */
export const TWO_VARIABLE_LIBRARY: CelLibrary = {
  name: "cel.lib.ext.comprev2",
  functions: [MAP_INSERT],
  macros: [
    quantifier("all", "all"),
    quantifier("exists", "exists"),
    quantifier("existsOne", "existsOne"),
    quantifier("exists_one", "existsOne"),
    ...([3, 4] as const).flatMap((count) => [
      transformation("transformList", count, undefined),
      transformation("transformMap", count, insertValue),
      transformation("transformMapEntry", count, insertMap),
    ]),
  ],
};
