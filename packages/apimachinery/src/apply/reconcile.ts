import type { PathElement } from "./field-path.ts";
import { FieldSet } from "./field-set.ts";
import { ATOMIC_TYPE, DEDUCED_TYPE, type MapType, type StructuralType } from "./structural-type.ts";

/** The type of what is one step below; undefined where the type says nothing of it. */
function typeBelow(type: StructuralType, element: PathElement): StructuralType | undefined {
  switch (element.kind) {
    case "field":
      return type.map?.fields.get(element.name)?.type ?? type.map?.element;
    case "key":
      return type.list?.element;
    default:
      return undefined;
  }
}

/**
 * A set to which the objects on the way to its members were added, where the schema names them: sets leave them out, since nobody owns a named object as such.
 *
 * Source: structured-merge-diff Set.EnsureNamedFieldsAreMembers.
 */
export function withNamedFields(set: FieldSet, type: StructuralType | undefined): FieldSet {
  const namedBelow = neighbourly(withNamedFields);
  return set.mapNodes((node) => {
    const { element, isMember, children } = node;
    if (children.isEmpty) return node;
    const isNamed = element.kind === "field" && type?.map?.fields.has(element.name) === true;
    const below = namedBelow(children, type && typeBelow(type, element));
    return below === children && (isMember || !isNamed) ? node : { element, isMember: isMember || isNamed, children: below };
  });
}

/**
 * A set that was written when the schema was another one: what has become atomic since is owned as a whole by whoever owned anything in it.
 *
 * What has become granular stays as it is: who owned the whole owns the field, and nothing below it.
 *
 * Source: structured-merge-diff ReconcileFieldSetWithSchema.
 */
export function reconcileFieldSet(set: FieldSet, type: StructuralType): FieldSet {
  if (!hasParts(type)) return set;
  const reconcile = neighbourly(reconcileFieldSet);
  return set.mapNodes((node) => {
    const { element, isMember, children } = node;
    if (children.isEmpty) return node;
    const below = partType(type, element);
    if (below === undefined || !hasParts(below)) return node;
    if (below.map === undefined ? below.list?.isAtomic : below.map.isAtomic) return { element, isMember: true, children: FieldSet.empty };
    const reconciled = reconcile(children, below);
    return reconciled === children ? node : { element, isMember, children: reconciled };
  });
}

/** A function of a set and its type that remembers its last answer: the elements of a list mostly have one type and share one set. */
function neighbourly<T>(visit: (set: FieldSet, type: T) => FieldSet): (set: FieldSet, type: T) => FieldSet {
  let last: { readonly set: FieldSet; readonly type: T; readonly result: FieldSet } | undefined;
  return (set, type) => {
    if (last?.set !== set || last.type !== type) last = { set, type, result: visit(set, type) };
    return last.result;
  };
}

/** Whether fields or elements of a value may have a type of their own. Of a type that may be several things the first of map, scalar and list counts. */
function hasParts({ map, scalar, list }: StructuralType): boolean {
  return map !== undefined ? !isUntypedMap(map) : scalar === undefined && list !== undefined;
}

/** A map of which nothing is known: what is below it was never atomic. */
function isUntypedMap({ fields, element }: MapType): boolean {
  return fields.size === 0 && element !== undefined && (element === DEDUCED_TYPE || (element !== ATOMIC_TYPE && element.scalar === "untyped"));
}

function partType({ map, list }: StructuralType, element: PathElement): StructuralType | undefined {
  if (map === undefined) return list?.element;
  return (element.kind === "field" ? map.fields.get(element.name)?.type : undefined) ?? map.element;
}
