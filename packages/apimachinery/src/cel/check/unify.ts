import { BoundError } from "../syntax/tree-builder.ts";
import { type CelType, DYN, listType, mapType, opaqueType, typeType } from "../value/type.ts";

export const isDyn = ({ kind }: CelType): boolean => kind === "dyn" || kind === "any";
export const isDynOrError = (type: CelType): boolean => isDyn(type) || type.kind === "error";
export const isOptional = ({ kind, name }: CelType): boolean => kind === "opaque" && name === "optional_type";

/** Of two types that unify, the one that says less. Source: cel-go checker mostGeneral. */
export function mostGeneral(left: CelType, right: CelType): CelType {
  return isEqualOrLessSpecific(left, right) ? left : right;
}

function isEqualOrLessSpecific(left: CelType, right: CelType): boolean {
  if (isDyn(left) || left.kind === "typeParam") return true;
  if (isDyn(right) || right.kind === "typeParam" || left.kind !== right.kind) return false;
  switch (left.kind) {
    case "opaque":
    case "list":
    case "map":
      return (
        left.name === right.name &&
        left.parameters.length === right.parameters.length &&
        left.parameters.every((parameter, index) => isEqualOrLessSpecific(parameter, right.parameters[index] ?? DYN))
      );
    case "type":
      return true;
    default:
      return left.isExactly(right);
  }
}

/** Types of type parameters can be made that take longer to compare than anybody waits. */
const MAX_STEPS = 5_000_000;

/** What type parameters stand for. Source: cel-go checker/types.go internalIsAssignable, checker/mapping.go. */
export class Substitutions {
  readonly #bound = new Map<string, CelType>();
  /** What the attempt under way has bound, with what it was before. */
  #trail: (readonly [parameter: string, before: CelType | undefined])[] = [];
  #steps = 0;

  /** Makes values of the first types stand for ones of the second, if they can; otherwise nothing changes. @throws {BoundError} */
  assign(from: readonly CelType[], to: readonly CelType[]): boolean {
    this.#trail = [];
    if (this.#listAssignable(from, to)) return true;
    for (const [parameter, before] of this.#trail.toReversed()) {
      if (before === undefined) this.#bound.delete(parameter);
      else this.#bound.set(parameter, before);
    }
    return false;
  }

  /** A type with its parameters replaced by what they stand for. @param unboundToDyn replaces those that stand for nothing by dyn. */
  resolve(type: CelType, unboundToDyn: boolean, known = new Map<CelType, CelType>()): CelType {
    if (!type.isOpen) return type;
    const found = known.get(type);
    if (found !== undefined) return found;
    const resolved = this.#resolveOpen(type, unboundToDyn, known);
    known.set(type, resolved);
    return resolved;
  }

  #resolveOpen(type: CelType, unboundToDyn: boolean, known: Map<CelType, CelType>): CelType {
    if (type.kind === "typeParam") {
      const last = this.#lastOf(type);
      if (last.kind !== "typeParam") return this.resolve(last, unboundToDyn, known);
      return unboundToDyn ? DYN : last;
    }
    const parameters = type.parameters.map((parameter) => this.resolve(parameter, unboundToDyn, known));
    return withParameters(type, parameters);
  }

  /** What a parameter stands for in the end, which it is then bound to at once. */
  #lastOf(parameter: CelType): CelType {
    let last = parameter;
    for (let next = this.#bound.get(last.name); next !== undefined; next = last.kind === "typeParam" ? this.#bound.get(last.name) : undefined)
      last = next;
    for (let each = parameter; each.kind === "typeParam" && each !== last; ) {
      const next = this.#bound.get(each.name) ?? last;
      this.#bound.set(each.name, last);
      each = next;
    }
    return last;
  }

  #listAssignable(from: readonly CelType[], to: readonly CelType[]): boolean {
    return from.length === to.length && from.every((type, index) => this.#assignable(type, to[index] ?? DYN));
  }

  #assignable(from: CelType, to: CelType): boolean {
    if (++this.#steps > MAX_STEPS) throw new BoundError("expression has types that take too long to compare");
    if (to.kind === "typeParam") {
      const { isValid, isBound } = this.#bind(from, to);
      if (isValid) return true;
      if (isBound) return false;
    }
    if (from.kind === "typeParam") return this.#bind(to, from).isValid;
    if (isDynOrError(from) || isDynOrError(to)) return true;
    if (from.kind === "null") return isNullable(to);
    if (to.kind === "null") return isNullable(from);
    if (from.kind !== to.kind) return false;
    return from.kind === "type" || (from.name === to.name && this.#listAssignable(from.parameters, to.parameters));
  }

  /** Lets a parameter stand for a type, if it may. */
  #bind(type: CelType, parameter: CelType): { readonly isValid: boolean; readonly isBound: boolean } {
    if (type.isExactly(parameter)) return { isValid: true, isBound: true };
    const bound = this.#bound.get(parameter.name);
    if (bound === undefined) {
      if (!this.#isFree(parameter, type)) return { isValid: false, isBound: false };
      this.#set(parameter, type);
      return { isValid: true, isBound: false };
    }
    if (type.isExactly(bound)) return { isValid: true, isBound: true };
    if (!this.#assignable(type, bound)) return { isValid: false, isBound: true };
    const general = mostGeneral(type, bound);
    if (this.#isFree(parameter, general)) this.#set(parameter, general);
    return { isValid: true, isBound: true };
  }

  #set({ name }: CelType, type: CelType): void {
    this.#trail.push([name, this.#bound.get(name)]);
    this.#bound.set(name, type);
  }

  /** Whether a parameter does not occur within a type, nor in what its parameters stand for. */
  #isFree(parameter: CelType, within: CelType): boolean {
    const seen = new Set<CelType>();
    const pending = [within];
    for (let type = pending.pop(); type !== undefined; type = pending.pop()) {
      if (!type.isOpen || seen.has(type)) continue;
      if (parameter.isExactly(type)) return false;
      seen.add(type);
      this.#steps++;
      const bound = type.kind === "typeParam" ? this.#bound.get(type.name) : undefined;
      pending.push(...type.parameters, ...(bound === undefined ? [] : [bound]));
    }
    return true;
  }
}

function withParameters(type: CelType, parameters: readonly CelType[]): CelType {
  const [first = DYN, second = DYN] = parameters;
  switch (type.kind) {
    case "opaque":
      return opaqueType(type.name, ...parameters);
    case "list":
      return listType(first);
    case "map":
      return mapType(first, second);
    case "type":
      return typeType(first);
    default:
      return type;
  }
}

/** An overload's types with each type parameter replaced. */
export function instantiate(type: CelType, replacements: ReadonlyMap<string, CelType>): CelType {
  if (!type.isOpen) return type;
  if (type.kind === "typeParam") return replacements.get(type.name) ?? type;
  const parameters = type.parameters.map((parameter) => instantiate(parameter, replacements));
  return withParameters(type, parameters);
}

/** What null may stand for. Source: cel-go checker isLegacyNullable. */
function isNullable({ kind }: CelType): boolean {
  return kind === "null" || kind === "opaque" || kind === "struct" || kind === "duration" || kind === "timestamp";
}
