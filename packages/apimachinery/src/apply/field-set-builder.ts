import type { FieldPath, PathElement } from "./field-path.ts";
import { FieldSet } from "./field-set.ts";

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
