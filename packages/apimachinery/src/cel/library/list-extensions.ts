import { type FunctionDeclaration, member, overload } from "../check/declaration.ts";
import type { CelLibrary } from "../environment.ts";
import type { Expression } from "../syntax/expression.ts";
import { argument, collectParts, type Macro, MacroError, variableName } from "../syntax/macro.ts";
import { compare, equals } from "../value/equality.ts";
import { CelError } from "../value/error.ts";
import { ArrayList, CelList, EMPTY_LIST } from "../value/list.ts";
import type { CelInt } from "../value/number.ts";
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, INT, listType, STRING, TIMESTAMP, typeParameter, UINT } from "../value/type.ts";
import { typeOf } from "../value/type-of.ts";
import type { CelValue } from "../value/value.ts";
import { CostLimitExceeded, NEW_ELEMENT_STEPS, work } from "../value/work.ts";

const T = typeParameter("T");
const LIST_T = listType(T);

/** Source: cel-go ext/lists.go comparableTypes. */
export const SORTABLE: readonly CelType[] = [INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES];

/** The most elements that a list is made of at once: as many as an evaluation may cost units, each costs one. */
const MAX_MADE = 1_000_000;

function slice(list: CelList, start: CelInt, end: CelInt): CelValue {
  if (start < 0 || end < 0) return new CelError(`cannot slice(${start}, ${end}), negative indexes not supported`);
  if (start > end) return new CelError(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`);
  if (list.size < end) return new CelError(`cannot slice(${start}, ${end}), list is length ${list.size}`);
  work((Number(end) - Number(start)) * NEW_ELEMENT_STEPS);
  const values: CelValue[] = [];
  for (let index = Number(start); index < end; index++) values.push(list.at(index));
  return new ArrayList(values);
}

function flatten(list: CelList, depth: CelInt): CelValue {
  if (depth < 0) return new CelError("level must be non-negative");
  const values: CelValue[] = [];
  collect(list, Number(depth), values);
  return new ArrayList(values);
}

function collect(list: CelList, depth: number, into: CelValue[]): void {
  for (let index = 0; index < list.size; index++) {
    work(NEW_ELEMENT_STEPS);
    const value = list.at(index);
    if (value instanceof CelList && depth > 0) collect(value, depth - 1, into);
    else into.push(value);
  }
}

/** The elements in the order of their keys. */
function sortByKeys(list: CelList, keys: CelList): CelValue {
  if (list.size !== keys.size) {
    return new CelError(
      `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${list.size} and ${keys.size} elements respectively`,
    );
  }
  if (list.size === 0) return list;
  const order = keys.elements();
  const [first = null] = order;
  if (compare(first, first) instanceof CelError) return new CelError("list elements must be comparable");
  if (order.some((key) => typeOf(key) !== typeOf(first))) return new CelError("list elements must have the same type");
  const indexes = Array.from(order, (_key, index) => index);
  indexes.sort((left, right) => {
    const result = compare(order[left] ?? null, order[right] ?? null);
    return result instanceof CelError ? 0 : result;
  });
  return new ArrayList(indexes.map((index) => list.at(index)));
}

function range(count: CelInt): CelValue {
  if (count <= 0) return EMPTY_LIST;
  if (count > MAX_MADE) throw new CostLimitExceeded();
  work(Number(count) * NEW_ELEMENT_STEPS);
  return new ArrayList(Array.from({ length: Number(count) }, (_, index) => index));
}

function distinct(list: CelList): CelValue {
  // One of a schema that is a set or a map stays one. Source: cel-go ext/lists.go, distinctList.
  if (list.size === 0) return list;
  const values: CelValue[] = [];
  const scalars = new Set<CelValue>();
  for (const value of list.elements()) {
    if (typeof value === "string") {
      if (scalars.has(value)) continue;
      scalars.add(value);
    } else if (values.some((other) => equals(value, other) === true)) continue;
    values.push(value);
  }
  return new ArrayList(values);
}

const FUNCTIONS: readonly FunctionDeclaration[] = [
  { name: "slice", overloads: [member("list_slice", [LIST_T, INT, INT], LIST_T, slice)] },
  {
    name: "flatten",
    overloads: [
      member("list_flatten", [listType(LIST_T)], LIST_T, (list: CelList) => flatten(list, 1)),
      member("list_flatten_int", [listType(DYN), INT], listType(DYN), flatten),
    ],
  },
  {
    name: "sort",
    overloads: SORTABLE.map((type) => member(`list_${type.name}_sort`, [listType(type)], listType(type))),
    implementation: (list) => (list instanceof CelList ? sortByKeys(list, list) : new CelError("no such overload: sort")),
  },
  {
    name: "@sortByAssociatedKeys",
    overloads: SORTABLE.map((type) => member(`list_${type.name}_sortByAssociatedKeys`, [LIST_T, listType(type)], LIST_T)),
    implementation: (list, keys) =>
      list instanceof CelList && keys instanceof CelList ? sortByKeys(list, keys) : new CelError("no such overload: @sortByAssociatedKeys"),
  },
  { name: "lists.range", overloads: [overload("lists_range", [INT], listType(INT), range)] },
  { name: "reverse", overloads: [member("list_reverse", [LIST_T], LIST_T, (list: CelList) => new ArrayList(list.elements().toReversed()))] },
  { name: "distinct", overloads: [member("list_distinct", [LIST_T], LIST_T, distinct)] },
];

const SORT_INPUT = "@__sortBy_input__";
const SORTED_KINDS: ReadonlySet<Expression["kind"]> = new Set(["list", "select", "identifier", "comprehension", "call"]);

/** `list.sortBy(x, key)`: the list is bound to a name, and sorted by the list of its keys. */
const SORT_BY: Macro = {
  name: "sortBy",
  isReceiver: true,
  argumentCount: 2,
  expand: (build, args, target) => {
    const variable = build.identifier(SORT_INPUT);
    if (!SORTED_KINDS.has(target.kind)) {
      throw new MacroError(target.id, "sortBy can only be applied to a list, identifier, comprehension, call or select expression");
    }
    const range = build.copy(variable);
    const iterVar = variableName(args[0], "argument is not an identifier");
    const keys = build.comprehension({ range, iterVar, ...collectParts(build, undefined, argument(args, 1)) });
    const sorted = build.memberCall("@sortByAssociatedKeys", build.copy(variable), keys);
    return build.comprehension({
      range: build.list(),
      iterVar: "#unused",
      accuVar: SORT_INPUT,
      accuInit: target,
      condition: build.literal(false),
      step: variable,
      result: sorted,
    });
  },
};

/** Functions on lists, version 3. Source: cel-go ext/lists.go. */
export const LIST_EXTENSIONS: CelLibrary = { name: "cel.lib.ext.lists", functions: FUNCTIONS, macros: [SORT_BY] };
