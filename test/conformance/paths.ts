// Dotted paths into JSON values (`a.b.0.c`), where `*` is every element or member.
import { isArray, isObject, type JSONValue } from "./json.ts";

/** Every value at a path, in order. */
export function valuesAt(value: JSONValue | undefined, path: string): JSONValue[] {
  let found: JSONValue[] = value === undefined ? [] : [value];
  for (const part of path.split(".")) found = found.flatMap((node) => childrenOf(node, part));
  return found;
}

function childrenOf(node: JSONValue, part: string): readonly JSONValue[] {
  if (part === "*") return isObject(node) ? Object.values(node) : isArray(node) ? node : [];
  const child = childOf(node, part);
  return child === undefined ? [] : [child];
}

/** The member or element of that name, if there is one. */
export function childOf(node: JSONValue | undefined, part: string): JSONValue | undefined {
  if (isObject(node)) return Object.hasOwn(node, part) ? node[part] : undefined;
  return isArray(node) && /^\d+$/.test(part) ? node[Number(part)] : undefined;
}

/**
 * A copy in which every value at a path is what `change` makes of it.
 *
 * @param change undefined takes the value away.
 */
export function changeAt(value: JSONValue, path: string, change: (old: JSONValue) => JSONValue | undefined): JSONValue {
  return changed(value, path.split("."), change) ?? null;
}

function changed(value: JSONValue, parts: readonly string[], change: (old: JSONValue) => JSONValue | undefined): JSONValue | undefined {
  const [part, ...rest] = parts;
  if (part === undefined) return change(value);
  const one = (name: string, child: JSONValue) => (part === "*" || part === name ? changed(child, rest, change) : child);
  if (isArray(value)) return value.map((child, index) => one(String(index), child)).filter((child) => child !== undefined);
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([name, child]) => [name, one(name, child)] as const);
  return Object.fromEntries(members.flatMap(([name, child]) => (child === undefined ? [] : [[name, child]])));
}

/** A copy with a value put at a path, making the objects on the way. In a list, a number one past its end appends. */
export function setAt(value: JSONValue | undefined, path: string, placed: JSONValue): JSONValue {
  const [part = "", ...rest] = path.split(".");
  const inner = (child: JSONValue | undefined) => (rest.length === 0 ? placed : setAt(child, rest.join("."), placed));
  if (isArray(value)) {
    const index = Number(part);
    return [...value.slice(0, index), inner(value[index]), ...value.slice(index + 1)];
  }
  if (value !== undefined && !isObject(value)) throw new Error(`nothing can be set at ${path} of ${JSON.stringify(value)}`);
  return { ...value, [part]: inner(childOf(value, part)) };
}
