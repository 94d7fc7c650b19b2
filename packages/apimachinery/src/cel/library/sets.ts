import { type FunctionDeclaration, overload } from "../check/declaration.ts";
import type { CelLibrary } from "../environment.ts";
import type { CelList } from "../value/list.ts";
import { BOOL, listType, typeParameter } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";

const LIST_T = listType(typeParameter("T"));

function contains(list: CelList, part: CelList): CelValue {
  for (let index = 0; index < part.size; index++) {
    const found = list.contains(part.at(index));
    if (found !== true) return found;
  }
  return true;
}

function equivalent(left: CelList, right: CelList): CelValue {
  const found = contains(left, right);
  return found === true ? contains(right, left) : found;
}

function intersects(left: CelList, right: CelList): boolean {
  for (let index = 0; index < left.size; index++) if (right.contains(left.at(index)) === true) return true;
  return false;
}

const set = (name: string, call: (left: CelList, right: CelList) => CelValue): FunctionDeclaration => ({
  name: `sets.${name}`,
  overloads: [overload(`list_sets_${name}_list`, [LIST_T, LIST_T], BOOL, call)],
});

/** Lists as sets. Source: cel-go ext/sets.go. */
export const SET_LIBRARY: CelLibrary = {
  name: "cel.lib.ext.sets",
  functions: [set("contains", contains), set("equivalent", equivalent), set("intersects", intersects)],
};
