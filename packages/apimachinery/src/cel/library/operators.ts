import { type FunctionDeclaration, member, type Overload, overload } from "../check/declaration.ts";
import { compare } from "../value/equality.ts";
import { CelError, DIVISION_BY_ZERO, MODULUS_BY_ZERO, noSuchOverload } from "../value/error.ts";
import { CelList } from "../value/list.ts";
import { CelMap } from "../value/map.ts";
import {
  addInts,
  CelDouble,
  type CelInt,
  CelUint,
  checkedUint,
  divideInts,
  isInt,
  moduloInts,
  multiplyInts,
  negateInt,
  subtractInts,
} from "../value/number.ts";
import { codePointCount } from "../value/text.ts";
import { addToTimestamp, CelDuration, CelTimestamp, checkedDuration, timestampDifference } from "../value/time.ts";
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, INT, listType, mapType, STRING, TIMESTAMP, typeParameter, UINT } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";

const A = typeParameter("A");
const B = typeParameter("B");
const LIST_A = listType(A);
const MAP_AB = mapType(A, B);

/** Texts, timestamps and durations have methods: cel-go then says no more than that there is no overload. */
const hasMethods = (value: CelValue): boolean => typeof value === "string" || value instanceof CelTimestamp || value instanceof CelDuration;

/** The sentence for an operand that has no such operator. */
const noOperator = (name: string, value: CelValue): CelError =>
  hasMethods(value) ? noSuchOverload(value) : new CelError(`no such overload: ${name}`);

function add(left: CelValue, right: CelValue): CelValue {
  if (isInt(left)) return isInt(right) ? addInts(left, right) : noSuchOverload(right);
  if (typeof left === "string") return typeof right === "string" ? left + right : noSuchOverload(right);
  if (left instanceof CelList) return left.add(right);
  if (left instanceof CelDouble) return right instanceof CelDouble ? new CelDouble(left.value + right.value) : noSuchOverload(right);
  if (left instanceof CelUint) return right instanceof CelUint ? checkedUint(left.value + right.value) : noSuchOverload(right);
  if (left instanceof Uint8Array) return right instanceof Uint8Array ? Uint8Array.from([...left, ...right]) : noSuchOverload(right);
  if (left instanceof CelDuration) return addToDuration(left, right);
  if (left instanceof CelTimestamp) return right instanceof CelDuration ? addToTimestamp(left, right.nanoseconds) : noSuchOverload(right);
  return noOperator("_+_", left);
}

function addToDuration({ nanoseconds }: CelDuration, right: CelValue): CelValue {
  if (right instanceof CelDuration) return checkedDuration(nanoseconds + right.nanoseconds);
  return right instanceof CelTimestamp ? addToTimestamp(right, nanoseconds) : noSuchOverload(right);
}

function subtract(left: CelValue, right: CelValue): CelValue {
  if (isInt(left)) return isInt(right) ? subtractInts(left, right) : noSuchOverload(right);
  if (left instanceof CelDouble) return right instanceof CelDouble ? new CelDouble(left.value - right.value) : noSuchOverload(right);
  if (left instanceof CelUint) return right instanceof CelUint ? checkedUint(left.value - right.value) : noSuchOverload(right);
  if (left instanceof CelDuration)
    return right instanceof CelDuration ? checkedDuration(left.nanoseconds - right.nanoseconds) : noSuchOverload(right);
  if (left instanceof CelTimestamp) {
    if (right instanceof CelTimestamp) return timestampDifference(left, right);
    return right instanceof CelDuration ? addToTimestamp(left, -right.nanoseconds) : noSuchOverload(right);
  }
  return noOperator("_-_", left);
}

interface Arithmetic {
  readonly name: string;
  readonly ints: (left: CelInt, right: CelInt) => CelInt | CelError;
  readonly uints: (left: bigint, right: bigint) => CelUint | CelError;
  readonly doubles: ((left: number, right: number) => number) | undefined;
}

/** An operator on numbers of one type. */
function arithmetic({ name, ints, uints, doubles }: Arithmetic): (left: CelValue, right: CelValue) => CelValue {
  return (left, right) => {
    if (isInt(left)) return isInt(right) ? ints(left, right) : noSuchOverload(right);
    if (left instanceof CelUint) return right instanceof CelUint ? uints(left.value, right.value) : noSuchOverload(right);
    if (!(left instanceof CelDouble) || doubles === undefined) return noOperator(name, left);
    return right instanceof CelDouble ? new CelDouble(doubles(left.value, right.value)) : noSuchOverload(right);
  };
}

const multiply = arithmetic({
  name: "_*_",
  ints: multiplyInts,
  uints: (left, right) => checkedUint(left * right),
  doubles: (left, right) => left * right,
});

const divide = arithmetic({
  name: "_/_",
  ints: divideInts,
  uints: (left, right) => (right === 0n ? DIVISION_BY_ZERO : new CelUint(left / right)),
  doubles: (left, right) => left / right,
});

const modulo = arithmetic({
  name: "_%_",
  ints: moduloInts,
  uints: (left, right) => (right === 0n ? MODULUS_BY_ZERO : new CelUint(left % right)),
  doubles: undefined,
});

function negate(value: CelValue): CelValue {
  if (isInt(value)) return negateInt(value);
  if (value instanceof CelDouble) return new CelDouble(-value.value);
  if (value instanceof CelDuration) return checkedDuration(-value.nanoseconds);
  return typeof value === "boolean" ? noSuchOverload(value) : noOperator("-_", value);
}

/** Whether values of a type have an order at all. */
function isOrdered(value: CelValue): boolean {
  if (typeof value === "number" || typeof value === "string" || typeof value === "boolean" || typeof value === "bigint") return true;
  return (
    value instanceof CelDouble ||
    value instanceof CelUint ||
    value instanceof Uint8Array ||
    value instanceof CelTimestamp ||
    value instanceof CelDuration
  );
}

/** `<` and its like. */
function ordering(name: string, holds: (order: number) => boolean): (left: CelValue, right: CelValue) => CelValue {
  return (left, right) => {
    if (typeof left === "number" && typeof right === "number") return holds(left - right);
    if (!isOrdered(left)) return noOperator(name, left);
    const order = compare(left, right);
    return order instanceof CelError ? order : holds(order);
  };
}

/** By the name that cel-go gives it in its overloads. */
type NamedType = readonly [string, CelType];
const INTS: NamedType = ["int64", INT];
const UINTS: NamedType = ["uint64", UINT];
const DOUBLES: NamedType = ["double", DOUBLE];
/** The types whose values have an order among themselves. */
const ORDERED: readonly NamedType[] = [
  ["bool", BOOL],
  INTS,
  UINTS,
  DOUBLES,
  ["string", STRING],
  ["bytes", BYTES],
  ["timestamp", TIMESTAMP],
  ["duration", DURATION],
];

/** In cel-go's order: of an operand whose type is open the first one that fits decides. */
function orderedOverloads(prefix: string): readonly Overload[] {
  const others = new Map([
    [INTS, [DOUBLES, UINTS]],
    [UINTS, [DOUBLES, INTS]],
    [DOUBLES, [INTS, UINTS]],
  ]);
  return ORDERED.flatMap((one) => {
    const [name, type] = one;
    const mixed = (others.get(one) ?? []).map(([other, otherType]) => overload(`${prefix}_${name}_${other}`, [type, otherType], BOOL));
    return [overload(`${prefix}_${name}`, [type, type], BOOL), ...mixed];
  });
}

const numeric = (name: string, types: readonly NamedType[] = [DOUBLES, INTS, UINTS]): readonly Overload[] =>
  types.map(([type, of]) => overload(`${name}_${type}`, [of, of], of));

function isContained(element: CelValue, container: CelValue): CelValue {
  if (container instanceof CelList || container instanceof CelMap) return container.contains(element);
  return noSuchOverload(container);
}

/** How many code points, bytes, elements or entries a value has. */
export function sizeOf(value: CelValue): CelValue {
  if (typeof value === "string") return codePointCount(value);
  if (value instanceof CelList || value instanceof CelMap) return value.size;
  return value instanceof Uint8Array ? value.length : noOperator("size", value);
}

const SIZED: readonly NamedType[] = [
  ["bytes", BYTES],
  ["list", LIST_A],
  ["map", MAP_AB],
  ["string", STRING],
];

/** The operators. `&&`, `||`, `?:`, `==`, `!=` and indexes are evaluated by the planner. Source: cel-go common/stdlib/standard.go. */
export const OPERATORS: readonly FunctionDeclaration[] = [
  { name: "_?_:_", overloads: [overload("conditional", [BOOL, A, A], A)] },
  { name: "_&&_", overloads: [overload("logical_and", [BOOL, BOOL], BOOL)] },
  { name: "_||_", overloads: [overload("logical_or", [BOOL, BOOL], BOOL)] },
  {
    name: "!_",
    overloads: [overload("logical_not", [BOOL], BOOL)],
    implementation: (value) => (typeof value === "boolean" ? !value : noSuchOverload(value)),
  },
  { name: "_==_", overloads: [overload("equals", [A, A], BOOL)] },
  { name: "_!=_", overloads: [overload("not_equals", [A, A], BOOL)] },
  {
    name: "_+_",
    overloads: [
      overload("add_bytes", [BYTES, BYTES], BYTES),
      overload("add_double", [DOUBLE, DOUBLE], DOUBLE),
      overload("add_duration_duration", [DURATION, DURATION], DURATION),
      overload("add_duration_timestamp", [DURATION, TIMESTAMP], TIMESTAMP),
      overload("add_timestamp_duration", [TIMESTAMP, DURATION], TIMESTAMP),
      overload("add_int64", [INT, INT], INT),
      overload("add_list", [LIST_A, LIST_A], LIST_A),
      overload("add_string", [STRING, STRING], STRING),
      overload("add_uint64", [UINT, UINT], UINT),
    ],
    implementation: add,
  },
  {
    name: "_-_",
    overloads: [
      overload("subtract_double", [DOUBLE, DOUBLE], DOUBLE),
      overload("subtract_duration_duration", [DURATION, DURATION], DURATION),
      overload("subtract_int64", [INT, INT], INT),
      overload("subtract_timestamp_duration", [TIMESTAMP, DURATION], TIMESTAMP),
      overload("subtract_timestamp_timestamp", [TIMESTAMP, TIMESTAMP], DURATION),
      overload("subtract_uint64", [UINT, UINT], UINT),
    ],
    implementation: subtract,
  },
  { name: "_*_", overloads: numeric("multiply"), implementation: multiply },
  { name: "_/_", overloads: numeric("divide"), implementation: divide },
  { name: "_%_", overloads: numeric("modulo", [INTS, UINTS]), implementation: modulo },
  { name: "-_", overloads: [overload("negate_double", [DOUBLE], DOUBLE), overload("negate_int64", [INT], INT)], implementation: negate },
  { name: "_<_", overloads: orderedOverloads("less"), implementation: ordering("_<_", (order) => order < 0) },
  { name: "_<=_", overloads: orderedOverloads("less_equals"), implementation: ordering("_<=_", (order) => order <= 0) },
  { name: "_>_", overloads: orderedOverloads("greater"), implementation: ordering("_>_", (order) => order > 0) },
  { name: "_>=_", overloads: orderedOverloads("greater_equals"), implementation: ordering("_>=_", (order) => order >= 0) },
  {
    name: "_[_]",
    overloads: [overload("index_list", [LIST_A, INT], A), overload("index_map", [MAP_AB, A], B)],
  },
  { name: "@in", overloads: [overload("in_list", [A, LIST_A], BOOL), overload("in_map", [A, MAP_AB], BOOL)], implementation: isContained },
  {
    name: "size",
    overloads: SIZED.flatMap(([name, type]) => [overload(`size_${name}`, [type], INT), member(`${name}_size`, [type], INT)]),
    implementation: sizeOf,
  },
];
