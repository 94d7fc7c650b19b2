import { isJSONObject, type JSONObject, type JSONValue } from "../meta/index.ts";
import {
  comparePathElements,
  type FieldPath,
  fieldElement,
  formatPathElement,
  MalformedFieldsError,
  type PathElement,
  parsePathElement,
} from "./field-path.ts";

/** Deeper FieldsV1 is malformed, and a deeper value fits no schema: the walks below are recursive. */
export const MAX_DEPTH = 1000;

/** A step of a set: the field itself is in the set (`isMember`), or fields below it are, or both; never neither. */
interface FieldNode {
  readonly element: PathElement;
  readonly isMember: boolean;
  readonly children: FieldSet;
}

/**
 * An immutable set of fields of an object: what a manager owns, what a write changed. That a parent is in the set says nothing about its children, and
 * the other way round. Every operation is linear in the size of its operands and gives back `this` where nothing changed.
 *
 * Source: structured-merge-diff fieldpath.Set; KEP-555, FieldsV1.
 */
export class FieldSet {
  static readonly empty = new FieldSet([]);

  /** Sorted by `comparePathElements`, each element once. */
  private readonly nodes: readonly FieldNode[];

  private constructor(nodes: readonly FieldNode[]) {
    this.nodes = nodes;
  }

  /** The set of these paths. A string is a field's name: `FieldSet.of(["status"], ["metadata", "labels"])`. */
  static of(...paths: readonly (readonly (string | PathElement)[])[]): FieldSet {
    const builder = new FieldSetBuilder();
    for (const path of paths) builder.insert(path.map((step) => (typeof step === "string" ? fieldElement(step) : step)));
    return builder.build();
  }

  /**
   * Reads FieldsV1: an object whose keys are path elements and whose values are the fields below; `.` says that the parent itself is in the set, and so
   * does an empty object. Elements of an unknown type are left out.
   *
   * @throws {MalformedFieldsError} at a key that is no path element, at a value that is neither an object nor null, or deeper than {@link MAX_DEPTH}.
   */
  static fromFieldsV1(fields: JSONObject): FieldSet {
    return readFields(fields, 0).children;
  }

  /** @internal Takes nodes in any order; equal elements are joined. For {@link FieldSetBuilder} and the reader only. */
  static fromNodes(nodes: FieldNode[]): FieldSet {
    if (nodes.length === 0) return FieldSet.empty;
    const isSorted = nodes.every((node, index) => {
      const previous = nodes[index - 1];
      return previous === undefined || comparePathElements(previous.element, node.element) < 0;
    });
    return new FieldSet(isSorted ? nodes : joinEqual(nodes.sort((a, b) => comparePathElements(a.element, b.element))));
  }

  /** FieldsV1 in canonical order. The inverse of {@link fromFieldsV1}. */
  toFieldsV1(): JSONObject {
    return this.writeFields(false);
  }

  private writeFields(includeSelf: boolean): JSONObject {
    // No key can be mistaken for a property of Object's: each has a prefix.
    const fields: Record<string, JSONValue> = {};
    if (includeSelf) fields["."] = NO_FIELDS;
    for (const { element, isMember, children } of this.nodes) {
      fields[formatPathElement(element)] = children.isEmpty ? NO_FIELDS : children.writeFields(isMember);
    }
    return fields;
  }

  get isEmpty(): boolean {
    return this.nodes.length === 0;
  }

  /** The number of members, parents and leaves alike. */
  get size(): number {
    let size = 0;
    for (const { isMember, children } of this.nodes) size += (isMember ? 1 : 0) + children.size;
    return size;
  }

  /** Whether the field at this path is itself a member. The empty path is not: nobody owns the object as a whole. */
  has(path: FieldPath): boolean {
    let set: FieldSet = this;
    let isMember = false;
    for (const element of path) {
      const node = find(set.nodes, element);
      if (node === undefined) return false;
      isMember = node.isMember;
      set = node.children;
    }
    return isMember;
  }

  equals(other: FieldSet): boolean {
    return (
      this === other ||
      (this.nodes.length === other.nodes.length &&
        this.nodes.every((node, index) => {
          const its = other.nodes[index];
          return (
            its !== undefined &&
            node.isMember === its.isMember &&
            comparePathElements(node.element, its.element) === 0 &&
            node.children.equals(its.children)
          );
        }))
    );
  }

  /** What is in either. */
  union(other: FieldSet): FieldSet {
    if (other.isEmpty || this === other) return this;
    if (this.isEmpty) return other;
    return this.zip(other, (left, right) => {
      if (left === undefined) return right;
      return right === undefined ? left : nodeFrom(left, left.isMember || right.isMember, left.children.union(right.children));
    });
  }

  /** What is in both. */
  intersection(other: FieldSet): FieldSet {
    if (this.isEmpty || other.isEmpty) return FieldSet.empty;
    return this.zip(other, (left, right) =>
      left === undefined || right === undefined
        ? undefined
        : nodeFrom(left, left.isMember && right.isMember, left.children.intersection(right.children)),
    );
  }

  /** What is in this set and not in the other. Removing a parent leaves its children, and the other way round. */
  difference(other: FieldSet): FieldSet {
    if (this.isEmpty || other.isEmpty) return this;
    return this.zip(other, (left, right) =>
      left === undefined || right === undefined ? left : nodeFrom(left, left.isMember && !right.isMember, left.children.difference(right.children)),
    );
  }

  /** What is in this set and neither in the other nor below a member of the other. */
  recursiveDifference(other: FieldSet): FieldSet {
    if (this.isEmpty || other.isEmpty) return this;
    return this.zip(other, (left, right) => {
      if (left === undefined || right === undefined) return left;
      return right.isMember ? undefined : nodeFrom(left, left.isMember, left.children.recursiveDifference(right.children));
    });
  }

  /** The members with no member below them. */
  leaves(): FieldSet {
    const nodes = this.nodes.flatMap((node) => nodeFrom(node, node.isMember && node.children.isEmpty, node.children.leaves()) ?? []);
    return nodes.length === 0 ? FieldSet.empty : new FieldSet(nodes);
  }

  /** What the set says of the fields below one element; the element's own membership is left out. */
  below(element: PathElement): FieldSet {
    return find(this.nodes, element)?.children ?? FieldSet.empty;
  }

  /** Every member's path: parents before their children, in canonical order. */
  *paths(): IterableIterator<FieldPath> {
    for (const { element, isMember, children } of this.nodes) {
      if (isMember) yield [element];
      for (const path of children.paths()) yield [element, ...path];
    }
  }

  /** Walks both sets in order; `visit` sees the nodes of one element, of which at most one is missing, and says what stays. */
  private zip(other: FieldSet, visit: (left: FieldNode | undefined, right: FieldNode | undefined) => FieldNode | undefined): FieldSet {
    const nodes: FieldNode[] = [];
    let isSame = true;
    let i = 0;
    let j = 0;
    while (i < this.nodes.length || j < other.nodes.length) {
      const left = this.nodes[i];
      const right = other.nodes[j];
      const order = left === undefined ? 1 : right === undefined ? -1 : comparePathElements(left.element, right.element);
      const node = visit(order <= 0 ? left : undefined, order >= 0 ? right : undefined);
      if (node !== (order <= 0 ? left : undefined)) isSame = false;
      if (node !== undefined) nodes.push(node);
      if (order <= 0) i++;
      if (order >= 0) j++;
    }
    if (isSame) return this;
    return nodes.length === 0 ? FieldSet.empty : new FieldSet(nodes);
  }
}

/** `base` with another membership and other children: itself where nothing changed, nothing where nothing is left. */
function nodeFrom(base: FieldNode, isMember: boolean, children: FieldSet): FieldNode | undefined {
  if (isMember === base.isMember && children === base.children) return base;
  return isMember || !children.isEmpty ? { element: base.element, isMember, children } : undefined;
}

function find(nodes: readonly FieldNode[], element: PathElement): FieldNode | undefined {
  let low = 0;
  let high = nodes.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const node = nodes[middle];
    if (node === undefined) return undefined;
    const order = comparePathElements(node.element, element);
    if (order === 0) return node;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

function joinEqual(sorted: readonly FieldNode[]): FieldNode[] {
  const out: FieldNode[] = [];
  for (const node of sorted) {
    const last = out.at(-1);
    if (last !== undefined && comparePathElements(last.element, node.element) === 0) {
      out[out.length - 1] = { element: last.element, isMember: last.isMember || node.isMember, children: last.children.union(node.children) };
    } else out.push(node);
  }
  return out;
}

const NO_FIELDS: JSONObject = Object.freeze({});

function readFields(fields: JSONValue | undefined, depth: number): { isMember: boolean; children: FieldSet } {
  if (fields === null) return { isMember: true, children: FieldSet.empty };
  if (!isJSONObject(fields)) throw new MalformedFieldsError("fieldsV1 must hold objects only");
  if (depth > MAX_DEPTH) throw new MalformedFieldsError(`fieldsV1 is deeper than ${MAX_DEPTH}`);
  const nodes: FieldNode[] = [];
  let isMember = false;
  for (const key in fields) {
    if (key === ".") {
      isMember = true;
      continue;
    }
    const element = parsePathElement(key);
    if (element !== undefined) nodes.push({ element, ...readFields(fields[key], depth + 1) });
  }
  return { isMember: isMember || nodes.length === 0, children: FieldSet.fromNodes(nodes) };
}

interface MutableNode {
  readonly element: PathElement;
  isMember: boolean;
  children: MutableNode[] | undefined;
}

/** Gathers the paths of a walk into a set. */
export class FieldSetBuilder {
  private roots: MutableNode[] | undefined;

  /** Adds one path. Cheap if the paths come in the order of a walk, with the same element objects for the same step; right in any order. */
  insert(path: FieldPath): void {
    let siblings = this.roots;
    let node: MutableNode | undefined;
    for (const element of path) {
      if (siblings === undefined) {
        siblings = [];
        if (node === undefined) this.roots = siblings;
        else node.children = siblings;
      }
      const last: MutableNode | undefined = siblings.at(-1);
      if (last !== undefined && last.element === element) node = last;
      else {
        node = { element, isMember: false, children: undefined };
        siblings.push(node);
      }
      siblings = node.children;
    }
    if (node !== undefined) node.isMember = true;
  }

  build(): FieldSet {
    return freeze(this.roots);
  }
}

function freeze(nodes: readonly MutableNode[] | undefined): FieldSet {
  if (nodes === undefined) return FieldSet.empty;
  return FieldSet.fromNodes(nodes.map(({ element, isMember, children }) => ({ element, isMember, children: freeze(children) })));
}
