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

/** @internal A step of a set: the field itself is in the set (`isMember`), or fields below it are, or both; never neither. */
export interface FieldNode {
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

  /** @internal Sorted by `comparePathElements`, each element once. For the walks of this folder. */
  readonly nodes: readonly FieldNode[];

  private constructor(nodes: readonly FieldNode[]) {
    this.nodes = nodes;
  }

  /** The set of these paths. A string is a field's name: `FieldSet.of(["status"], ["metadata", "labels"])`. */
  static of(...paths: readonly (readonly (string | PathElement)[])[]): FieldSet {
    return FieldSet.fromNodes(paths.flatMap((path) => nodeOf(path.map((step) => (typeof step === "string" ? fieldElement(step) : step))) ?? []));
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

  /** @internal Takes nodes in any order; equal elements are joined. For those who gather sets. */
  static fromNodes(nodes: FieldNode[], join: (earlier: FieldNode, later: FieldNode) => FieldNode = joinAll): FieldSet {
    if (nodes.length === 0) return FieldSet.empty;
    if (isSorted(nodes)) return new FieldSet(nodes);
    return new FieldSet(
      joinEqual(
        nodes.sort((a, b) => comparePathElements(a.element, b.element)),
        join,
      ),
    );
  }

  /** FieldsV1 in canonical order. The inverse of {@link fromFieldsV1}. */
  toFieldsV1(): JSONObject {
    return this.writeFields(false);
  }

  /** @internal */
  writeFields(includeSelf: boolean): JSONObject {
    // No key can be mistaken for a property of Object's: each has a prefix.
    const fields: Record<string, JSONValue> = {};
    if (includeSelf) fields["."] = NO_FIELDS;
    let previous: FieldNode | undefined;
    let below = NO_FIELDS;
    for (const node of this.nodes) {
      // Elements of a list mostly have the same fields, and share what is written of them.
      if (previous?.children !== node.children || previous.isMember !== node.isMember) below = writeBelow(node);
      previous = node;
      fields[formatPathElement(node.element)] = below;
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
    if (this === other) return true;
    if (this.nodes.length !== other.nodes.length) return false;
    let left: FieldSet | undefined;
    let right: FieldSet | undefined;
    for (let index = 0; index < this.nodes.length; index++) {
      const [mine, its] = [this.nodes[index], other.nodes[index]];
      if (mine === its || mine === undefined || its === undefined) continue;
      if (mine.isMember !== its.isMember || comparePathElements(mine.element, its.element) !== 0) return false;
      // What is below the elements of a list is mostly the same two sets again.
      if (mine.children === left && its.children === right) continue;
      [left, right] = [mine.children, its.children];
      if (!left.equals(right)) return false;
    }
    return true;
  }

  /** What is in either. */
  union(other: FieldSet): FieldSet {
    return this.combine(other, UNION);
  }

  /** What is in both. */
  intersection(other: FieldSet): FieldSet {
    return this.combine(other, INTERSECTION);
  }

  /** What is in this set and not in the other. Removing a parent leaves its children, and the other way round. */
  difference(other: FieldSet): FieldSet {
    return this.combine(other, DIFFERENCE);
  }

  /** What is in this set and neither in the other nor below a member of the other. */
  recursiveDifference(other: FieldSet): FieldSet {
    return this.combine(other, RECURSIVE_DIFFERENCE);
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

  /** @internal The node of one element, if the set has it or anything below it. */
  node(element: PathElement): FieldNode | undefined {
    return find(this.nodes, element);
  }

  /**
   * @internal The set with each node made anew: one that is left with neither membership nor children goes. `visit` gives back the node itself where nothing
   * changes.
   */
  mapNodes(visit: (node: FieldNode) => FieldNode): FieldSet {
    let isSame = true;
    const nodes: FieldNode[] = [];
    for (const node of this.nodes) {
      const made = visit(node);
      if (made !== node) isSame = false;
      if (made.isMember || !made.children.isEmpty) nodes.push(made);
    }
    if (isSame) return this;
    return nodes.length === 0 ? FieldSet.empty : new FieldSet(nodes);
  }

  /** Every member's path in canonical order, the members of one level before all that is below them: the order in which Kubernetes lists conflicts. */
  *paths(): IterableIterator<FieldPath> {
    for (const { element, isMember } of this.nodes) if (isMember) yield [element];
    for (const { element, children } of this.nodes) for (const path of children.paths()) yield [element, ...path];
  }

  /** @internal */
  combine(other: FieldSet, operation: Operation): FieldSet {
    if (this === other) return operation.isMember(true, true) ? this : FieldSet.empty;
    if (this.isEmpty) return operation.keepsRight ? other : this;
    if (other.isEmpty) return operation.keepsLeft ? this : other;
    return this.zip(other, operation);
  }

  /** Walks both sets in order. */
  private zip(other: FieldSet, operation: Operation): FieldSet {
    const nodes: FieldNode[] = [];
    const joiner = new Joiner(operation);
    let isSame = true;
    let i = 0;
    let j = 0;
    while (i < this.nodes.length || j < other.nodes.length) {
      const left = this.nodes[i];
      const right = other.nodes[j];
      const order = left === undefined ? 1 : right === undefined ? -1 : comparePathElements(left.element, right.element);
      const node = joiner.join(order <= 0 ? left : undefined, order >= 0 ? right : undefined);
      if (node !== (order <= 0 ? left : undefined)) isSame = false;
      if (node !== undefined) nodes.push(node);
      if (order <= 0) i++;
      if (order >= 0) j++;
    }
    if (isSame) return this;
    return nodes.length === 0 ? FieldSet.empty : new FieldSet(nodes);
  }
}

/** What stays of two sets. */
interface Operation {
  /** Whether what only the one or the other has stays. */
  readonly keepsLeft: boolean;
  readonly keepsRight: boolean;
  /** Whether a field is a member of the result. */
  readonly isMember: (isLeft: boolean, isRight: boolean) => boolean;
  /** Whether a member of the right goes with all that is below it. */
  readonly isRecursive: boolean;
}

const UNION: Operation = { keepsLeft: true, keepsRight: true, isMember: (left, right) => left || right, isRecursive: false };
const INTERSECTION: Operation = { keepsLeft: false, keepsRight: false, isMember: (left, right) => left && right, isRecursive: false };
const DIFFERENCE: Operation = { keepsLeft: true, keepsRight: false, isMember: (left, right) => left && !right, isRecursive: false };
const RECURSIVE_DIFFERENCE: Operation = { ...DIFFERENCE, isRecursive: true };

/** Joins the nodes of two sets in turn. Below the elements of a list there are mostly the same two sets again, which are joined once. */
class Joiner {
  private readonly operation: Operation;
  private left = FieldSet.empty;
  private right = FieldSet.empty;
  private below = FieldSet.empty;

  constructor(operation: Operation) {
    this.operation = operation;
  }

  /** @param left and `right` of one element; at most one is missing. */
  join(left: FieldNode | undefined, right: FieldNode | undefined): FieldNode | undefined {
    const { keepsLeft, keepsRight, isMember, isRecursive } = this.operation;
    if (left === undefined) return keepsRight ? right : undefined;
    if (right === undefined) return keepsLeft ? left : undefined;
    if (isRecursive && right.isMember) return undefined;
    return nodeFrom(left, isMember(left.isMember, right.isMember), this.joinBelow(left.children, right.children));
  }

  private joinBelow(left: FieldSet, right: FieldSet): FieldSet {
    if (left !== this.left || right !== this.right) {
      this.below = left.combine(right, this.operation);
      this.left = left;
      this.right = right;
    }
    return this.below;
  }
}

/** The one node of a set with one path; none of the empty path. */
function nodeOf([element, ...rest]: FieldPath): FieldNode | undefined {
  if (element === undefined) return undefined;
  const below = nodeOf(rest);
  return { element, isMember: below === undefined, children: below === undefined ? FieldSet.empty : FieldSet.fromNodes([below]) };
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

function joinEqual(sorted: readonly FieldNode[], join: (earlier: FieldNode, later: FieldNode) => FieldNode): FieldNode[] {
  const out: FieldNode[] = [];
  for (const node of sorted) {
    const last = out.at(-1);
    if (last !== undefined && comparePathElements(last.element, node.element) === 0) out[out.length - 1] = join(last, node);
    else out.push(node);
  }
  return out;
}

function joinAll(earlier: FieldNode, later: FieldNode): FieldNode {
  return { element: earlier.element, isMember: earlier.isMember || later.isMember, children: earlier.children.union(later.children) };
}

/** Of one element that is spelt in two ways (`v:1`, `v:1.0`), what is below the later one counts. Source: structured-merge-diff Set.FromJSON. */
function joinRead(earlier: FieldNode, later: FieldNode): FieldNode {
  const children = later.children.isEmpty ? earlier.children : later.children;
  return { element: earlier.element, isMember: earlier.isMember || later.isMember, children };
}

const NO_FIELDS: JSONObject = Object.freeze({});

/** What is within a field. */
interface Below {
  readonly isMember: boolean;
  readonly children: FieldSet;
}

const LEAF: Below = { isMember: true, children: FieldSet.empty };

function readFields(fields: JSONValue | undefined, depth: number): Below {
  if (fields === null) return LEAF;
  if (!isJSONObject(fields)) throw new MalformedFieldsError("fieldsV1 must hold objects only");
  if (depth > MAX_DEPTH) throw new MalformedFieldsError(`fieldsV1 is deeper than ${MAX_DEPTH}`);
  const nodes: FieldNode[] = [];
  const siblings = new SiblingReader(depth + 1);
  let isMember = false;
  // By far faster than `in`, of objects with many keys.
  for (const key of Object.keys(fields)) {
    if (key === ".") {
      isMember = true;
      continue;
    }
    const element = parsePathElement(key);
    if (element === undefined) continue;
    const below = siblings.read(fields[key]);
    nodes.push({ element, isMember: below.isMember, children: below.children });
  }
  return nodes.length === 0 ? LEAF : { isMember, children: FieldSet.fromNodes(nodes, joinRead) };
}

/** Reads what is below one field after the other. The elements of a list mostly have the same fields as the one before, and share its set. */
class SiblingReader {
  private readonly depth: number;
  private names: readonly string[] = [];
  private previous = LEAF;

  constructor(depth: number) {
    this.depth = depth;
  }

  read(fields: JSONValue | undefined): Below {
    if (!isJSONObject(fields)) return readFields(fields, this.depth);
    if (this.depth <= MAX_DEPTH && this.hasNames(fields)) return this.previous;
    const below = readFields(fields, this.depth);
    if (holdsLeavesOnly(fields)) {
      this.names = Object.keys(fields);
      this.previous = below;
    }
    return below;
  }

  /** Whether these are the fields of the one before, with nothing below them. */
  private hasNames(fields: JSONObject): boolean {
    let index = 0;
    for (const name in fields) if (name !== this.names[index++] || !isEmptyObject(fields[name])) return false;
    return index === this.names.length;
  }
}

function holdsLeavesOnly(fields: JSONObject): boolean {
  for (const name in fields) if (!isEmptyObject(fields[name])) return false;
  return true;
}

function isEmptyObject(value: JSONValue | undefined): boolean {
  if (!isJSONObject(value)) return false;
  for (const _ in value) return false;
  return true;
}

function isSorted(nodes: readonly FieldNode[]): boolean {
  for (let index = 1; index < nodes.length; index++) {
    const [previous, node] = [nodes[index - 1], nodes[index]];
    if (previous !== undefined && node !== undefined && comparePathElements(previous.element, node.element) >= 0) return false;
  }
  return true;
}

function writeBelow({ isMember, children }: FieldNode): JSONObject {
  return children.isEmpty ? NO_FIELDS : children.writeFields(isMember);
}
