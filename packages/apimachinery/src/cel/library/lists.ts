import { type FunctionDeclaration, member } from "../check/declaration.ts";
import type { CelLibrary } from "../environment.ts";
import { compare, equals } from "../value/equality.ts";
import { CelError, NO_SUCH_OVERLOAD } from "../value/error.ts";
import type { CelList } from "../value/list.ts";
import { addInts, CelDouble, CelUint, checkedUint, isInt } from "../value/number.ts";
import { CelDuration, checkedDuration } from "../value/time.ts";
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, INT, listType, STRING, TIMESTAMP, typeParameter, UINT } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";

const A = typeParameter("A");

const COMPARABLE: readonly (readonly [string, CelType])[] = [
  ["int", INT],
  ["uint", UINT],
  ["double", DOUBLE],
  ["bool", BOOL],
  ["duration", DURATION],
  ["timestamp", TIMESTAMP],
  ["string", STRING],
  ["bytes", BYTES],
];

const SUMMABLE: readonly (readonly [string, CelType, CelValue])[] = [
  ["int", INT, 0],
  ["uint", UINT, new CelUint(0n)],
  ["double", DOUBLE, new CelDouble(0)],
  ["duration", DURATION, new CelDuration(0n)],
];

/** Whether values of a type have an order; an error is none. */
const isOrdered = (value: CelValue): boolean => !(compare(value, value) instanceof CelError) || value instanceof CelDouble;

function isSorted(list: CelList): CelValue {
  for (let index = 0; index < list.size; index++) {
    const value = list.at(index);
    if (value instanceof CelError) return value;
    if (!isOrdered(value)) return NO_SUCH_OVERLOAD;
    if (index > 0 && compare(list.at(index - 1), value) === 1) return false;
  }
  return true;
}

function sum(list: CelList, zero: CelValue): CelValue {
  let total = zero;
  for (let index = 0; index < list.size; index++) {
    total = add(total, list.at(index));
    if (total instanceof CelError) return total;
  }
  return total;
}

function add(left: CelValue, right: CelValue): CelValue {
  if (right instanceof CelError) return right;
  if (isInt(left) && isInt(right)) return addInts(left, right);
  if (left instanceof CelUint && right instanceof CelUint) return checkedUint(left.value + right.value);
  if (left instanceof CelDouble && right instanceof CelDouble) return new CelDouble(left.value + right.value);
  if (left instanceof CelDuration && right instanceof CelDuration) return checkedDuration(left.nanoseconds + right.nanoseconds);
  return NO_SUCH_OVERLOAD;
}

/** @param givesWay the order in which the first of two values gives way to the second. */
function extreme(name: string, givesWay: number): (list: CelList) => CelValue {
  return (list) => {
    let found: CelValue | undefined;
    for (let index = 0; index < list.size; index++) {
      const value = list.at(index);
      if (value instanceof CelError) return value;
      if (!isOrdered(value)) return NO_SUCH_OVERLOAD;
      if (found === undefined || compare(found, value) === givesWay) found = value;
    }
    return found === undefined ? new CelError(`${name} called on empty list`) : found;
  };
}

function indexOf(list: CelList, value: CelValue): CelValue {
  for (let index = 0; index < list.size; index++) if (equals(list.at(index), value) === true) return index;
  return -1;
}

function lastIndexOf(list: CelList, value: CelValue): CelValue {
  for (let index = list.size - 1; index >= 0; index--) if (equals(list.at(index), value) === true) return index;
  return -1;
}

const ofEach = (name: string, call: (list: CelList) => CelValue): FunctionDeclaration => ({
  name,
  overloads: COMPARABLE.map(([type, of]) => member(`list_${type}_${name}_${type}`, [listType(of)], of, call)),
});

const FUNCTIONS: readonly FunctionDeclaration[] = [
  { name: "isSorted", overloads: COMPARABLE.map(([type, of]) => member(`list_${type}_is_sorted_bool`, [listType(of)], BOOL, isSorted)) },
  {
    name: "sum",
    overloads: SUMMABLE.map(([type, of, zero]) => member(`list_${type}_sum_${type}`, [listType(of)], of, (list: CelList) => sum(list, zero))),
  },
  ofEach("max", extreme("max", -1)),
  ofEach("min", extreme("min", 1)),
  { name: "indexOf", overloads: [member("list_a_index_of_int", [listType(A), A], INT, indexOf)] },
  { name: "lastIndexOf", overloads: [member("list_a_last_index_of_int", [listType(A), A], INT, lastIndexOf)] },
];

/** Kubernetes' functions on lists. Source: k8s.io/apiserver/pkg/cel/library/lists.go. */
export const LIST_LIBRARY: CelLibrary = { name: "kubernetes.lists", functions: FUNCTIONS };
