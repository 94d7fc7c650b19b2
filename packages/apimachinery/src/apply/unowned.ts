import { isJSONObject, type JSONArray, type JSONObject, type JSONValue } from "../meta/index.ts";
import type { PathElement } from "./field-path.ts";
import { type FieldNode, FieldSet } from "./field-set.ts";
import { nodesOfItems } from "./remove.ts";
import type { ListType, MapType, StructuralType } from "./structural-type.ts";
import { formOf, kindOf } from "./typed.ts";

/** What is known of the fields below some place. */
export interface Ownership {
  /** What an applier named the time before, and does not name now. */
  readonly letGo: FieldSet;
  /** All that it named the time before. */
  readonly before: FieldSet;
  /** What anybody owns now. */
  readonly owned: FieldSet;
}

/**
 * What an applier named the time before that goes with what nobody owns now: the fields themselves, and what they are in. Only where it let go of something
 * is looked at. It still owns all else that it named, and whatever that is in.
 *
 * @param value without empty lists (see {@link holdsEmptyList}): what is left of it is then in a set wherever there is anything left.
 */
export function unownedFields(value: JSONValue, type: StructuralType, ownership: Ownership): FieldSet {
  return fieldsBelow(value, type, ownership, false);
}

/** @param wasNamed whether the applier named something that all of this is in. */
function fieldsBelow(value: JSONValue, type: StructuralType, ownership: Ownership, wasNamed: boolean): FieldSet {
  const form = formOf(type, kindOf(value));
  if (form === "map" && type.map?.isAtomic === false && isJSONObject(value)) return fieldsOfMap(value, type.map, ownership, wasNamed);
  if (form === "list" && type.list?.isAtomic === false && Array.isArray(value)) return fieldsOfList(value, type.list, ownership, wasNamed);
  return FieldSet.empty;
}

function fieldsOfMap(value: JSONObject, type: MapType, ownership: Ownership, wasNamed: boolean): FieldSet {
  const nodes: FieldNode[] = [];
  for (const { element } of ownership.letGo.nodes) {
    if (element.kind !== "field" || !Object.hasOwn(value, element.name)) continue;
    const child = value[element.name];
    const field = type.fields.get(element.name);
    const childType = field?.type ?? type.element;
    if (child === undefined || childType === undefined) continue;
    const node = fieldOrBelow({ element, value: child, type: childType, isNamed: field !== undefined }, ownership, wasNamed);
    if (node !== undefined) nodes.push(node);
  }
  return FieldSet.fromNodes(nodes);
}

function fieldsOfList(list: JSONArray, type: ListType, ownership: Ownership, wasNamed: boolean): FieldSet {
  const nodes: FieldNode[] = [];
  for (const [index, { element }] of nodesOfItems(list, ownership.letGo, type)) {
    const node = fieldOrBelow({ element, value: list[index] ?? null, type: type.element, isNamed: false }, ownership, wasNamed);
    if (node !== undefined) nodes.push(node);
  }
  return FieldSet.fromNodes(nodes);
}

interface Part {
  readonly element: PathElement;
  readonly value: JSONValue;
  readonly type: StructuralType;
  /** Whether the schema names it: who owns something in it then owns it, too. */
  readonly isNamed: boolean;
}

function fieldOrBelow({ element, value, type, isNamed }: Part, { letGo, before, owned }: Ownership, isWithinNamed: boolean): FieldNode | undefined {
  const isIn = (node: FieldNode | undefined) => node !== undefined && (node.isMember || (isNamed && !node.children.isEmpty));
  const named = isIn(before.node(element));
  const goes = (isWithinNamed || named) && !isIn(owned.node(element));
  if (goes && named) return { element, isMember: true, children: FieldSet.empty };
  const below: Ownership = { letGo: letGo.below(element), before: before.below(element), owned: goes ? FieldSet.empty : owned.below(element) };
  const children = fieldsBelow(value, type, below, isWithinNamed || named);
  return children.isEmpty ? undefined : { element, isMember: false, children };
}

/** Whether a list that is not owned as a whole is empty, somewhere in a value. */
export function holdsEmptyList(value: JSONValue, type: StructuralType): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (isJSONObject(value)) return type.map?.isAtomic === false && mapHoldsEmptyList(value, type.map);
  if (type.list?.isAtomic !== false) return false;
  const { element } = type.list;
  return value.length === 0 || value.some((item) => holdsEmptyList(item, element));
}

function mapHoldsEmptyList(value: JSONObject, type: MapType): boolean {
  for (const name of Object.keys(value)) {
    const child = value[name];
    if (typeof child !== "object" || child === null) continue;
    const childType = type.fields.get(name)?.type ?? type.element;
    if (childType !== undefined && holdsEmptyList(child, childType)) return true;
  }
  return false;
}
