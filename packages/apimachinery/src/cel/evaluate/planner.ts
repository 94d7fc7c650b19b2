import type { Checked } from "../check/checker.ts";
import type { FunctionDeclaration, Implementation, Overload } from "../check/declaration.ts";
import { OVERLOAD_COSTS } from "../cost/actual.ts";
import { LIST_COST, MAP_COST, STRUCT_COST } from "../cost/unit.ts";
import type { CelEnvironment, FieldReader } from "../environment.ts";
import type { Call, Comprehension, CreateList, CreateMap, CreateStruct, Expression, Select } from "../syntax/expression.ts";
import { equals } from "../value/equality.ts";
import { CelError, noSuchOverload } from "../value/error.ts";
import { ArrayList, CelList } from "../value/list.ts";
import { EntryMap } from "../value/map.ts";
import { CelOptional } from "../value/optional.ts";
import { showValue } from "../value/show.ts";
import { type CelType, DYN } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";
import { type Attribute, asKey, attributeStep, type Qualifier, qualified, resolver } from "./attribute.ts";
import { bindFunction, type CallCost, callStep } from "./call.ts";
import { accumulatorStep, foldStep } from "./fold.ts";
import { Frame, type Step } from "./frame.ts";
import { setMembership } from "./set-membership.ts";

/** A program that cannot be made: a constant that cannot be converted, a pattern that cannot be read. */
export class PlanError extends Error {
  override readonly name = "PlanError";
}

/** An expression that is ready to be evaluated. */
export interface Plan {
  readonly step: Step;
  /** How many variables its comprehensions have at most. */
  readonly slotCount: number;
}

/**
 * Makes a checked expression ready, folding constants as cel-go does with OptOptimize: what is folded costs nothing.
 *
 * @throws {PlanError}
 *
 * Source: cel-go interpreter/planner.go, interpreter/decorators.go.
 */
export function planExpression(environment: CelEnvironment, checked: Checked): Plan {
  const planner = new Planner(environment, checked);
  const { step } = planner.plan(checked.expression, undefined);
  return { step, slotCount: planner.slotCount };
}

/** A part of an expression that has been made ready. */
interface Part {
  readonly step: Step;
  /** Fields and indexes are added to an attribute. */
  readonly attribute?: Attribute;
  /** The value of a constant. */
  readonly constant?: CelValue;
}

/** The variables of comprehensions that are visible. */
interface Scope {
  readonly name: string;
  readonly read: Step;
  readonly outer: Scope | undefined;
}

const CONVERSIONS: ReadonlySet<string> = new Set(["bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"]);

const constantPart = (constant: CelValue): Part => ({ step: () => constant, constant });

class Planner {
  readonly #environment: CelEnvironment;
  readonly #checked: Checked;
  #depth = 0;
  slotCount = 0;

  constructor(environment: CelEnvironment, checked: Checked) {
    this.#environment = environment;
    this.#checked = checked;
  }

  plan(expression: Expression, scope: Scope | undefined): Part {
    switch (expression.kind) {
      case "literal":
        return constantPart(expression.value);
      case "identifier":
        return this.#planIdentifier(expression.id, expression.name, scope);
      case "select":
        return this.#planSelect(expression, scope);
      case "call":
        return this.#planCall(expression, scope);
      case "list":
        return this.#planList(expression, scope);
      case "map":
        return this.#planMap(expression, scope);
      case "comprehension":
        return { step: this.#planFold(expression, scope) };
      case "struct":
        return { step: this.#planStruct(expression, scope) };
      case "missing":
        throw new PlanError("the expression was not checked");
      default:
        return expression satisfies never;
    }
  }

  #planIdentifier(id: number, name: string, scope: Scope | undefined): Part {
    for (let each = scope; each !== undefined; each = each.outer) if (each.name === name) return attributePart(chain(each.read));
    const type = this.#checked.types.get(id);
    const isVariable = this.#environment.variables.has(name);
    if (!isVariable && type?.kind === "type" && type.parameters[0] !== undefined) {
      if (!this.#environment.isTypeValue(name)) throw new PlanError(`reference to undefined type: ${name}`);
      return constantPart(type.parameters[0]);
    }
    return attributePart(chain(variableStep(name)));
  }

  #planSelect({ operand, field, isTest }: Select, scope: Scope | undefined): Part {
    return qualifiedPart(this.plan(operand, scope), { key: field, isOptional: false, isTest, read: this.#fieldReader(operand) });
  }

  /** How a field of an operand is read; undefined where its value alone tells. */
  #fieldReader({ id }: Expression): FieldReader | undefined {
    const type = this.#checked.types.get(id);
    return type?.kind === "struct" ? this.#environment.constructibleType(type.name)?.readField : undefined;
  }

  #planCall(call: Call, scope: Scope | undefined): Part {
    const operands = call.target === undefined ? call.args : [call.target, ...call.args];
    const parts = operands.map((operand) => this.plan(operand, scope));
    const steps = parts.map(({ step }) => step);
    const overloads = this.#checked.overloads.get(call.id) ?? [];
    const [first, second, third] = parts;
    switch (call.function) {
      case "_&&_":
        return { step: logicStep(steps, false) };
      case "_||_":
        return { step: logicStep(steps, true) };
      case "_?_:_":
        if (first !== undefined && second !== undefined && third !== undefined) return conditionalPart(first, second, third);
        break;
      case "@not_strictly_false":
        if (first !== undefined) return { step: notStrictlyFalseStep(first.step) };
        break;
      case "_==_":
        return { step: this.#callStep("_==_", "equals", equals, steps) };
      case "_!=_":
        return { step: this.#callStep("_!=_", "not_equals", (left, right) => equals(left, right) !== true, steps) };
      case "_[_]":
      case "_?._":
      case "_[?_]":
        if (first !== undefined && second !== undefined) return qualifiedPart(first, indexQualifier(second, call.function !== "_[_]"));
        break;
    }
    const [left, right] = steps;
    if (left !== undefined && right !== undefined && steps.length === 2 && isOptionalOr(call.function, overloads)) {
      return { step: orStep(left, right, call.function === "orValue") };
    }
    const types = operands.map((operand) => this.#checked.types.get(operand.id) ?? DYN);
    return this.#planFunction(call.function, overloads, parts, types);
  }

  #planFunction(name: string, overloads: readonly Overload[], parts: readonly Part[], types: readonly CelType[]): Part {
    const declaration = this.#environment.functions.get(name);
    if (declaration === undefined) throw new PlanError(`no such overload: ${name}`);
    const steps = parts.map(({ step }) => step);
    const [first, second] = parts;
    const id = overloads.length === 1 ? (overloads[0]?.id ?? "") : "";
    if (id === "in_list" && first !== undefined && second?.constant instanceof CelList) {
      const isMember = setMembership(second.constant);
      if (isMember !== undefined) return second.constant.size === 0 ? constantPart(false) : { step: isMember(first.step) };
    }
    const compiled = compiledFunction(declaration, parts);
    const bound =
      compiled === undefined
        ? bindFunction(declaration, overloads, this.#environment.hasUntrustedTypes ? undefined : types, parts.length)
        : { call: compiled, stopsAtError: true };
    const step = callStep(bound, steps, this.#cost(name, id));
    if (!CONVERSIONS.has(name) || parts.length !== 1 || first?.constant === undefined) return { step };
    const value = step(new Frame({}, 0, Number.POSITIVE_INFINITY));
    if (value instanceof CelError) throw new PlanError(value.message);
    return constantPart(value);
  }

  #callStep(name: string, overloadId: string, call: (left: CelValue, right: CelValue) => CelValue, steps: readonly Step[]): Step {
    const compareTwo = (left: CelValue = null, right: CelValue = null) => call(left, right);
    return callStep({ call: compareTwo, stopsAtError: false }, steps, this.#cost(name, overloadId));
  }

  /** What a call costs; empty for 1. */
  #cost(name: string, overloadId: string): CallCost {
    const known = OVERLOAD_COSTS.get(overloadId);
    const cost = this.#environment.cost?.get(name);
    if (cost === undefined || (cost.isOfOverload === true && overloadId === "")) return { ofArguments: known };
    const { actual, actualOfResult } = cost;
    if (actualOfResult !== undefined) return { ofResult: actualOfResult };
    return { ofArguments: actual === undefined ? known : (args) => actual(args, overloadId) ?? known?.(args) ?? 1 };
  }

  #planList({ elements, optionals }: CreateList, scope: Scope | undefined): Part {
    const parts = elements.map((element) => this.plan(element, scope));
    const steps = parts.map(({ step }) => step);
    const build: Step = (frame) => {
      const values: CelValue[] = [];
      for (let index = 0; index < steps.length; index++) {
        const value = steps[index]?.(frame) ?? null;
        if (value instanceof CelError) return value;
        if (!optionals.has(index)) values.push(value);
        else if (!(value instanceof CelOptional))
          return new CelError(`cannot initialize optional list element from non-optional value ${showValue(value)}`);
        else if (value.value !== undefined) values.push(value.value);
      }
      return new ArrayList(values);
    };
    return constructed(build, parts, LIST_COST);
  }

  #planMap({ entries }: CreateMap, scope: Scope | undefined): Part {
    const parts = entries.map(({ key, value }) => [this.plan(key, scope), this.plan(value, scope)] as const);
    const build: Step = (frame) => {
      const map = new EntryMap();
      for (let index = 0; index < parts.length; index++) {
        const [keyPart, valuePart] = parts[index] ?? [];
        const key = keyPart?.step(frame) ?? null;
        if (key instanceof CelError) return key;
        const value = valuePart?.step(frame) ?? null;
        if (value instanceof CelError) return value;
        const fault = setEntry(map, key, value, entries[index]?.isOptional === true);
        if (fault !== undefined) return fault;
      }
      return map;
    };
    return constructed(build, parts.flat(), MAP_COST);
  }

  #planStruct({ typeName, fields }: CreateStruct, scope: Scope | undefined): Step {
    const make = this.#environment.constructibleType(typeName)?.make ?? (() => new CelError(`unknown type '${typeName}'`));
    const parts = fields.map(({ name, value, isOptional }) => ({ name, isOptional, step: this.plan(value, scope).step }));
    return (frame) => {
      const given = fieldValues(frame, parts);
      const made = given instanceof CelError ? given : make(given);
      frame.charge(STRUCT_COST);
      return made;
    };
  }

  #planFold(fold: Comprehension, scope: Scope | undefined): Step {
    const range = this.plan(fold.range, scope).step;
    const init = this.plan(fold.accuInit, scope).step;
    const start = this.#depth;
    const accuSlot = this.#newSlot();
    const iterSlot = this.#newSlot();
    const iterSlot2 = fold.iterVar2 === undefined ? undefined : this.#newSlot();
    const accuScope: Scope = { name: fold.accuVar, read: accumulatorStep(accuSlot, init), outer: scope };
    let loopScope: Scope = { name: fold.iterVar, read: slotStep(iterSlot), outer: accuScope };
    if (fold.iterVar2 !== undefined && iterSlot2 !== undefined) loopScope = { name: fold.iterVar2, read: slotStep(iterSlot2), outer: loopScope };
    const condition = this.plan(fold.condition, loopScope).step;
    const step = this.plan(fold.step, loopScope).step;
    const result = this.plan(fold.result, accuScope).step;
    this.#depth = start;
    return foldStep({ range, accuSlot, iterSlot, iterSlot2, condition, step, result });
  }

  #newSlot(): number {
    const slot = this.#depth++;
    this.slotCount = Math.max(this.slotCount, this.#depth);
    return slot;
  }
}

const chain = (root: Step): Attribute => ({ kind: "chain", root, qualifiers: [] });

const attributePart = (attribute: Attribute): Part => ({ step: attributeStep(attribute), attribute });

/** A part with one more access; what is no attribute becomes the beginning of one. */
function qualifiedPart(part: Part, qualifier: Qualifier): Part {
  return attributePart(qualified(part.attribute ?? chain(part.step), qualifier));
}

/**
 * An index that is no constant. Of an attribute, cel-go counts its accesses and not the attribute, and the other way round of anything else.
 */
function indexQualifier({ step, attribute, constant }: Part, isOptional: boolean): Qualifier {
  if (constant !== undefined) {
    const key = asKey(constant);
    if (key instanceof CelError) throw new PlanError(key.message);
    return { key, isOptional, isTest: false };
  }
  return { key: attribute === undefined ? step : resolver(attribute), isOptional, isTest: false };
}

function conditionalPart({ step: condition }: Part, yes: Part, no: Part): Part {
  const branch = ({ attribute, step }: Part) => attribute ?? chain(step);
  return attributePart({ kind: "conditional", condition, yes: branch(yes), no: branch(no) });
}

/** A literal of constants is made once, and costs nothing. */
function constructed(build: Step, parts: readonly Part[], cost: number): Part {
  if (parts.every(({ constant }) => constant !== undefined)) {
    const value = build(new Frame({}, 0, Number.POSITIVE_INFINITY));
    return value instanceof CelError ? { step: () => value } : constantPart(value);
  }
  return {
    step: (frame) => {
      const value = build(frame);
      frame.charge(cost);
      return value;
    },
  };
}

interface FieldPart {
  readonly name: string;
  readonly isOptional: boolean;
  readonly step: Step;
}

function fieldValues(frame: Frame, parts: readonly FieldPart[]): ReadonlyMap<string, CelValue> | CelError {
  const given = new Map<string, CelValue>();
  for (const { name, isOptional, step } of parts) {
    const value = step(frame);
    if (value instanceof CelError) return value;
    if (!isOptional) given.set(name, value);
    else if (!(value instanceof CelOptional)) return notOptional(name, value);
    else if (value.value === undefined) given.delete(name);
    else given.set(name, value.value);
  }
  return given;
}

const notOptional = (key: CelValue, value: CelValue): CelError =>
  new CelError(`cannot initialize optional entry '${showValue(key)}' from non-optional value ${showValue(value)}`);

function setEntry(map: EntryMap, key: CelValue, value: CelValue, isOptional: boolean): CelError | undefined {
  if (!isOptional) map.set(key, value);
  else if (!(value instanceof CelOptional)) return notOptional(key, value);
  else if (value.value === undefined) map.delete(key);
  else map.set(key, value.value);
  return undefined;
}

function variableStep(name: string): Step {
  return ({ bindings }) => bindings[name] ?? (bindings[name] === null ? null : new CelError(`no such attribute(s): ${name}`));
}

function slotStep(slot: number): Step {
  return ({ slots }) => slots[slot] ?? null;
}

/** `&&` and `||`: one operand may decide although another is an error. @param decisive the operand that does. */
function logicStep(terms: readonly Step[], decisive: boolean): Step {
  return (frame) => {
    let fault: CelError | undefined;
    for (const term of terms) {
      const value = term(frame);
      if (value === decisive) return decisive;
      if (value !== !decisive) fault ??= noSuchOverload(value);
    }
    return fault ?? !decisive;
  };
}

/** Whether a fold goes on: an error does not end it. */
function notStrictlyFalseStep(condition: Step): Step {
  return (frame) => {
    const value = condition(frame);
    frame.charge(1);
    return value !== false;
  };
}

function isOptionalOr(name: string, overloads: readonly Overload[]): boolean {
  const id = overloads.length === 1 ? overloads[0]?.id : undefined;
  if (name === "or") return id === undefined || id === "optional_or_optional";
  return name === "orValue" && (id === undefined || id === "optional_orValue_value");
}

/** `or`, and `orValue` which takes the value out: the right side is evaluated only when it is needed. */
function orStep(left: Step, right: Step, takesValue: boolean): Step {
  return (frame) => {
    const optional = left(frame);
    if (!(optional instanceof CelOptional)) return optional;
    if (optional.value === undefined) return right(frame);
    return takesValue ? optional.value : optional;
  };
}

/** A function that prepares itself for a constant argument: a pattern is compiled once. */
function compiledFunction(declaration: FunctionDeclaration, parts: readonly Part[]): Implementation | undefined {
  const compiled = declaration.compile?.(parts.map(({ constant }) => constant));
  if (compiled instanceof CelError) throw new PlanError(compiled.message);
  return compiled;
}
