import { type FunctionDeclaration, member, overload } from "../check/declaration.ts";
import type { CelLibrary } from "../environment.ts";
import type { Expression } from "../syntax/expression.ts";
import { argument, identifierOf, type Macro, type MacroBuilder } from "../syntax/macro.ts";
import { CelError } from "../value/error.ts";
import { ArrayList, CelList } from "../value/list.ts";
import { CelMap } from "../value/map.ts";
import { CelDouble, CelUint } from "../value/number.ts";
import { CelOpaque } from "../value/opaque.ts";
import { CelOptional, OPTIONAL_NONE, optionalOf } from "../value/optional.ts";
import { showValue } from "../value/show.ts";
import { CelDuration, CelTimestamp } from "../value/time.ts";
import { BOOL, DYN, INT, listType, mapType, OPTIONAL, optionalType, STRING, typeParameter } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";

const K = typeParameter("K");
const V = typeParameter("V");
const OPTIONAL_V = optionalType(V);
const LIST_V = listType(V);
const MAP_KV = mapType(K, V);

/** Whether a value is the zero of its type. Source: the IsZeroValue methods of cel-go common/types. */
function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === 0 || value === "") return true;
  if (value instanceof CelList || value instanceof CelMap) return value.size === 0;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof CelDouble) return value.value === 0;
  if (value instanceof CelUint) return value.value === 0n;
  if (value instanceof CelDuration) return value.nanoseconds === 0n;
  if (value instanceof CelOpaque) return value.isZero;
  // Go's zero time is that of the year 1.
  return value instanceof CelTimestamp && value.seconds === -62_135_596_800 && value.nanoseconds === 0;
}

function unwrap(list: CelList): CelValue {
  const values: CelValue[] = [];
  for (const element of list.elements()) {
    if (!(element instanceof CelOptional)) return new CelError(`value ${showValue(element)} is not optional`);
    if (element.value !== undefined) values.push(element.value);
  }
  return new ArrayList(values);
}

const FUNCTIONS: readonly FunctionDeclaration[] = [
  { name: "optional.of", overloads: [overload("optional_of", [V], OPTIONAL_V, optionalOf)] },
  {
    name: "optional.ofNonZeroValue",
    overloads: [overload("optional_ofNonZeroValue", [V], OPTIONAL_V, (value) => (isZero(value) ? OPTIONAL_NONE : optionalOf(value)))],
  },
  { name: "optional.none", overloads: [overload("optional_none", [], OPTIONAL_V, () => OPTIONAL_NONE)] },
  {
    name: "value",
    overloads: [
      member("optional_value", [OPTIONAL_V], V, ({ value }: CelOptional) =>
        value === undefined ? new CelError("optional.none() dereference") : value,
      ),
    ],
  },
  { name: "hasValue", overloads: [member("optional_hasValue", [OPTIONAL_V], BOOL, ({ value }: CelOptional) => value !== undefined)] },
  { name: "or", overloads: [member("optional_or_optional", [OPTIONAL_V, OPTIONAL_V], OPTIONAL_V)] },
  { name: "orValue", overloads: [member("optional_orValue_value", [OPTIONAL_V, V], V)] },
  { name: "_?._", overloads: [overload("select_optional_field", [DYN, STRING], OPTIONAL_V)] },
  {
    name: "_[?_]",
    overloads: [
      overload("list_optindex_optional_int", [LIST_V, INT], OPTIONAL_V),
      overload("optional_list_optindex_optional_int", [optionalType(LIST_V), INT], OPTIONAL_V),
      overload("map_optindex_optional_value", [MAP_KV, K], OPTIONAL_V),
      overload("optional_map_optindex_optional_value", [optionalType(MAP_KV), K], OPTIONAL_V),
    ],
  },
  {
    name: "_[_]",
    overloads: [
      overload("optional_list_index_int", [optionalType(LIST_V), INT], OPTIONAL_V),
      overload("optional_map_index_value", [optionalType(MAP_KV), K], OPTIONAL_V),
    ],
  },
  {
    name: "last",
    overloads: [member("list_last", [LIST_V], OPTIONAL_V, (list: CelList) => (list.size === 0 ? OPTIONAL_NONE : optionalOf(list.at(list.size - 1))))],
  },
  {
    name: "first",
    overloads: [member("list_first", [LIST_V], OPTIONAL_V, (list: CelList) => (list.size === 0 ? OPTIONAL_NONE : optionalOf(list.at(0))))],
  },
  { name: "optional.unwrap", overloads: [overload("optional_unwrap", [listType(OPTIONAL_V)], LIST_V, unwrap)] },
  { name: "unwrapOpt", overloads: [member("optional_unwrapOpt", [listType(OPTIONAL_V)], LIST_V, unwrap)] },
];

/** The value of `target` under the name of a variable within `body`, as an unused fold binds it. */
function bound(build: MacroBuilder, name: string, target: Expression, body: Expression): Expression {
  return build.comprehension({
    range: build.list(),
    iterVar: "#unused",
    accuVar: name,
    accuInit: build.memberCall("value", build.copy(target)),
    condition: build.literal(false),
    step: build.identifier(name),
    result: body,
  });
}

function optionalMap(name: "optMap" | "optFlatMap"): Macro {
  return {
    name,
    isReceiver: true,
    argumentCount: 2,
    expand: (build, args, target) => {
      const variable = identifierOf(args[0], `${name}() variable name must be a simple identifier`);
      const hasValue = build.memberCall("hasValue", target);
      const body = bound(build, variable, target, argument(args, 1));
      const result = name === "optMap" ? build.call("optional.of", body) : body;
      return build.call("_?_:_", hasValue, result, build.call("optional.none"));
    },
  };
}

/** Values that may be absent. Source: cel-go cel/library.go OptionalTypes, version 2. */
export const OPTIONAL_LIBRARY: CelLibrary = {
  name: "optional",
  functions: FUNCTIONS,
  macros: [optionalMap("optMap"), optionalMap("optFlatMap")],
  types: [OPTIONAL],
};
