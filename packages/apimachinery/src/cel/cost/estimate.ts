import type { Checked } from "../check/checker.ts";
import type { Overload } from "../check/declaration.ts";
import type { Call, Comprehension, CreateList, CreateMap, Expression, Select } from "../syntax/expression.ts";
import { ACCUMULATOR } from "../syntax/expression.ts";
import { codePointCount } from "../value/text.ts";
import { type CelType, DYN, ERROR } from "../value/type.ts";
import { CostPath } from "./cost-path.ts";
import type { CallEstimate, CostModel, CostNode, SizeEstimator } from "./model.ts";
import { OVERLOAD_ESTIMATES } from "./overload-estimate.ts";
import { add, fixed, MAX_UINT64, multiply, ONE, type Range, UNKNOWN_SIZE, union, ZERO } from "./range.ts";
import { LIST_COST, MAP_COST, STRUCT_COST } from "./unit.ts";

/**
 * What evaluating an expression may cost at the least and at the most, in cel-go's units.
 *
 * @param sizeOf the sizes of what variables lead to.
 *
 * Source: cel-go checker/cost.go, with has() costing nothing as Kubernetes has it.
 */
export function estimateCost(checked: Checked, model: CostModel | undefined, sizeOf: SizeEstimator): Range {
  return new Estimator(checked, model, sizeOf).cost(checked.expression);
}

/** The sizes of the keys or indexes and of the values of a list or map. */
interface EntrySizes {
  readonly isList: boolean;
  readonly key: Range;
  readonly value: Range;
}

/** A variable that a comprehension binds. */
interface LocalVariable {
  readonly path: CostPath;
  readonly size: Range | undefined;
  readonly entries: EntrySizes | undefined;
}

class Estimator {
  readonly #checked: Checked;
  readonly #model: CostModel | undefined;
  readonly #estimateSize: SizeEstimator;
  readonly #paths = new Map<number, CostPath>();
  readonly #sizes = new Map<number, Range>();
  readonly #entrySizes = new Map<number, EntrySizes>();
  readonly #locals = new Map<string, LocalVariable[]>();

  constructor(checked: Checked, model: CostModel | undefined, estimateSize: SizeEstimator) {
    this.#checked = checked;
    this.#model = model;
    this.#estimateSize = estimateSize;
  }

  cost(expression: Expression): Range {
    switch (expression.kind) {
      case "identifier":
        this.#paths.set(expression.id, this.#local(expression.name)?.path ?? CostPath.of(expression.name));
        return ONE;
      case "select":
        return this.#select(expression);
      case "call":
        return this.#call(expression);
      case "list":
        return this.#list(expression);
      case "map":
        return this.#map(expression);
      case "struct":
        return expression.fields.reduce((cost, { value }) => add(cost, this.cost(value)), fixed(BigInt(STRUCT_COST)));
      case "comprehension":
        return isBinding(expression) ? this.#binding(expression) : this.#comprehension(expression);
      default:
        return ZERO;
    }
  }

  #select({ id, operand, field, isTest }: Select): Range {
    const cost = this.cost(operand);
    if (isTest) return cost;
    const { kind } = this.#type(operand);
    this.#paths.set(id, this.#path(operand).append(field));
    return kind === "map" || kind === "struct" || kind === "typeParam" ? add(cost, ONE) : cost;
  }

  #call(call: Call): Range {
    const [only] = call.args;
    if (call.function === "dyn" && only !== undefined) return this.#dyn(call, only);
    const argCosts = call.args.map((argument) => this.cost(argument));
    const args = call.args.map((argument) => this.#node(argument));
    const overloads = this.#checked.overloads.get(call.id) ?? [];
    if (overloads.length === 0) return ZERO;
    const targetCost = call.target === undefined ? ZERO : this.cost(call.target);
    const target = call.target === undefined ? undefined : this.#node(call.target);
    let cost: Range = { min: MAX_UINT64, max: 0n };
    let size: Range | undefined;
    for (const overload of overloads) {
      const estimate = this.#overload(call, overload, target, args, argCosts);
      cost = union(cost, estimate.cost);
      if (estimate.resultSize !== undefined) size = size === undefined ? estimate.resultSize : union(size, estimate.resultSize);
      size = this.#indexed(call, overload, size) ?? this.#size(call);
    }
    if (size !== undefined) this.#sizes.set(call.id, size);
    return add(targetCost, cost);
  }

  /** The size of an element that an index yields, whose path is noted. */
  #indexed(call: Call, { id }: Overload, size: Range | undefined): Range | undefined {
    const [container] = call.args;
    if (container === undefined || (id !== "index_list" && id !== "index_map")) return size;
    this.#paths.set(call.id, this.#path(container).append(id === "index_list" ? "@items" : "@values"));
    return this.#entries(container)?.value;
  }

  #dyn(call: Call, argument: Expression): Range {
    const cost = this.cost(argument);
    this.#copySizes(call, argument);
    return add(ONE, cost);
  }

  #overload(call: Call, { id }: Overload, target: CostNode | undefined, args: readonly CostNode[], argCosts: readonly Range[]): CallEstimate {
    const sum = argCosts.reduce(add, ZERO);
    const sizeOf = (node: CostNode) => node.size ?? this.#estimateSize(node) ?? UNKNOWN_SIZE;
    const ofModel = this.#model?.get(call.function)?.estimate({ overloadId: id, target, args, sizeOf });
    if (ofModel !== undefined) return { ...ofModel, cost: add(ofModel.cost, sum) };
    const [first, second, third] = argCosts;
    if ((id === "logical_or" || id === "logical_and") && first !== undefined && second !== undefined) {
      return { cost: { min: first.min, max: add(first, second).max } };
    }
    if (id === "conditional" && first !== undefined && second !== undefined && third !== undefined) {
      this.#joinEntries(call, call.args[1], call.args[2]);
      return { cost: add(first, union(second, third)), resultSize: this.#sizesOf(args.slice(1)).reduce(union) };
    }
    if ((id === "add_string" || id === "add_bytes" || id === "add_list") && args.length === 2) this.#joinEntries(call, call.args[0], call.args[1]);
    const known = OVERLOAD_ESTIMATES.get(id)?.(target === undefined ? undefined : (target.size ?? UNKNOWN_SIZE), this.#sizesOf(args));
    return { cost: add(known?.cost ?? ONE, sum), resultSize: known?.resultSize };
  }

  #sizesOf(nodes: readonly CostNode[]): readonly Range[] {
    return nodes.map(({ size }) => size ?? UNKNOWN_SIZE);
  }

  #joinEntries(call: Call, left: Expression | undefined, right: Expression | undefined): void {
    const first = left === undefined ? undefined : this.#entries(left);
    const second = right === undefined ? undefined : this.#entries(right);
    if (first === undefined || second === undefined) return;
    this.#entrySizes.set(call.id, { ...first, key: union(first.key, second.key), value: union(first.value, second.value) });
  }

  #list(list: CreateList): Range {
    let cost = fixed(BigInt(LIST_COST));
    let value = nothing(list.elements.length);
    for (const element of list.elements) {
      cost = add(cost, this.cost(element));
      value = union(value, this.#size(element) ?? UNKNOWN_SIZE);
    }
    this.#entrySizes.set(list.id, { isList: true, key: ONE, value });
    return cost;
  }

  #map(map: CreateMap): Range {
    let cost = fixed(BigInt(MAP_COST));
    let key = nothing(map.entries.length);
    let value = key;
    for (const entry of map.entries) {
      cost = add(cost, add(this.cost(entry.key), this.cost(entry.value)));
      key = union(key, this.#size(entry.key) ?? UNKNOWN_SIZE);
      value = union(value, this.#size(entry.value) ?? UNKNOWN_SIZE);
    }
    this.#entrySizes.set(map.id, { isList: false, key, value });
    return cost;
  }

  #comprehension(fold: Comprehension): Range {
    let cost = add(this.cost(fold.range), this.cost(fold.accuInit));
    this.#bind(fold.accuVar, { path: this.#path(fold.accuInit), size: this.#size(fold.accuInit), entries: this.#entries(fold.accuInit) });
    this.#bindIteration(fold);
    const loop = add(this.cost(fold.condition), this.cost(fold.step));
    this.#unbind(fold.iterVar);
    if (fold.iterVar2 !== undefined) this.#unbind(fold.iterVar2);
    cost = add(cost, this.cost(fold.result));
    this.#unbind(fold.accuVar);
    const count = this.#size(fold.range) ?? UNKNOWN_SIZE;
    this.#noteFoldSize(fold, count);
    return add(cost, multiply(count, loop));
  }

  #noteFoldSize({ id, accuInit, step }: Comprehension, count: Range): void {
    if (accuInit.kind === "literal") {
      const size = this.#size(accuInit);
      if (size !== undefined) this.#sizes.set(id, size);
    } else if (accuInit.kind === "list" || accuInit.kind === "map") {
      this.#sizes.set(id, count);
      const entries = this.#entries(step);
      if (entries !== undefined) this.#entrySizes.set(id, entries);
    }
  }

  #bindIteration({ range, iterVar, iterVar2 }: Comprehension): void {
    const entries = this.#entries(range);
    const isList = entries?.isList ?? this.#type(range).kind === "list";
    const bind = (name: string, step: string, size: Range | undefined) =>
      this.#bind(name, { path: this.#path(range).append(step), size, entries: undefined });
    if (iterVar2 === undefined) {
      bind(iterVar, isList ? "@items" : "@keys", isList ? entries?.value : entries?.key);
      return;
    }
    bind(iterVar, isList ? "@indices" : "@keys", entries?.key);
    bind(iterVar2, isList ? "@items" : "@values", entries?.value);
  }

  #binding(fold: Comprehension): Range {
    const cost = add(this.cost(fold.range), this.cost(fold.accuInit));
    this.#bind(fold.accuVar, { path: this.#path(fold.accuInit), size: this.#size(fold.accuInit), entries: this.#entries(fold.accuInit) });
    const result = this.cost(fold.result);
    this.#unbind(fold.accuVar);
    this.#copySizes(fold, fold.result);
    return add(cost, result);
  }

  #copySizes(to: Expression, from: Expression): void {
    const size = this.#size(from);
    if (size !== undefined) this.#sizes.set(to.id, size);
    const entries = this.#entries(from);
    if (entries !== undefined) this.#entrySizes.set(to.id, entries);
  }

  #node(expression: Expression): CostNode {
    const path = this.#path(expression);
    const isAccumulator = path.first === ACCUMULATOR || path.first === "__result__";
    return { path: isAccumulator ? CostPath.EMPTY : path, type: this.#type(expression), expression, size: this.#size(expression) };
  }

  #size(expression: Expression): Range | undefined {
    const known = this.#sizes.get(expression.id) ?? literalSize(expression);
    if (known !== undefined) return known;
    const type = this.#type(expression);
    const estimated = this.#estimateSize({ path: this.#path(expression), type, expression, size: undefined });
    if (estimated !== undefined) {
      this.#sizes.set(expression.id, estimated);
      return estimated;
    }
    if (isScalar(type)) return ONE;
    return expression.kind === "identifier" ? this.#local(expression.name)?.size : undefined;
  }

  #entries(expression: Expression): EntrySizes | undefined {
    const known = this.#entrySizes.get(expression.id);
    return known ?? (expression.kind === "identifier" ? this.#local(expression.name)?.entries : undefined);
  }

  #path(expression: Expression): CostPath {
    const local = expression.kind === "identifier" ? this.#local(expression.name) : undefined;
    return local?.path ?? this.#paths.get(expression.id) ?? CostPath.EMPTY;
  }

  #type(expression: Expression): CelType {
    return this.#checked.types.get(expression.id) ?? ERROR;
  }

  #local(name: string): LocalVariable | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  #bind(name: string, variable: LocalVariable): void {
    const stack = this.#locals.get(name);
    if (stack === undefined) this.#locals.set(name, [variable]);
    else stack.push(variable);
  }

  #unbind(name: string): void {
    this.#locals.get(name)?.pop();
  }
}

/** The range that any other widens; of nothing, unless there is something to come. */
const nothing = (count: number): Range => ({ min: count === 0 ? 0n : MAX_UINT64, max: 0n });

/** A comprehension that only binds a variable, as optMap makes one. */
function isBinding({ range, condition, accuVar }: Comprehension): boolean {
  return (
    range.kind === "list" && range.elements.length === 0 && condition.kind === "literal" && condition.value === false && accuVar !== "__result__"
  );
}

function literalSize(expression: Expression): Range | undefined {
  switch (expression.kind) {
    case "literal":
      if (typeof expression.value === "string") return fixed(BigInt(codePointCount(expression.value)));
      return expression.value instanceof Uint8Array ? fixed(BigInt(expression.value.length)) : ONE;
    case "list":
      return fixed(BigInt(expression.elements.length));
    case "map":
      return fixed(BigInt(expression.entries.length));
    default:
      return undefined;
  }
}

function isScalar({ kind, name, parameters }: CelType): boolean {
  if (kind === "opaque") return name === "optional_type" && isScalar(parameters[0] ?? DYN);
  return kind === "bool" || kind === "double" || kind === "duration" || kind === "int" || kind === "timestamp" || kind === "uint";
}
