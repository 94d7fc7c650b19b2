import type { FunctionDeclaration, Implementation, Overload } from "../check/declaration.ts";
import type { ActualCost } from "../cost/actual.ts";
import { CelError } from "../value/error.ts";
import { CelList } from "../value/list.ts";
import { CelMap } from "../value/map.ts";
import type { CelType } from "../value/type.ts";
import { DYN } from "../value/type.ts";
import { typeOf } from "../value/type-of.ts";
import type { CelValue } from "../value/value.ts";
import { workOn } from "../value/work.ts";
import type { Step } from "./frame.ts";

/** What a call comes to. */
export interface BoundFunction {
  readonly call: Implementation;
  /** Whether cel-go evaluates the arguments one after the other up to the first error, and then counts nothing for the call. */
  readonly stopsAtError: boolean;
}

/**
 * The implementation of a call.
 *
 * @param overloads those that the checker left.
 * @param types those that the checker found of the arguments; undefined where the arguments may be of others.
 *
 * Source: cel-go common/decls FunctionDecl.Bindings, interpreter planCall.
 */
export function bindFunction(
  declaration: FunctionDeclaration,
  overloads: readonly Overload[],
  types: readonly CelType[] | undefined,
  argumentCount: number,
): BoundFunction {
  const { implementation, name } = declaration;
  if (implementation !== undefined) return { call: implementation, stopsAtError: argumentCount > 2 };
  const [only] = overloads;
  if (overloads.length === 1 && only?.call !== undefined) {
    const isGuarded = declaration.checksItself !== true && only.params.some((param, index) => needsGuard(param, types?.[index] ?? DYN));
    return { call: isGuarded ? guarded(name, only, only.call) : only.call, stopsAtError: argumentCount > 2 };
  }
  return { call: (...args) => dispatch(declaration, args), stopsAtError: argumentCount > 1 };
}

/** Values of a type without dyn in it are of that type, unless the environment has untrusted types. */
function needsGuard(param: CelType, type: CelType): boolean {
  return param.kind !== "dyn" && param.kind !== "typeParam" && hasDyn(type);
}

const hasDyn = (type: CelType): boolean => type.kind === "dyn" || type.kind === "any" || type.parameters.some(hasDyn);

function guarded(name: string, { params }: Overload, call: Implementation): Implementation {
  return (...args) => (matches(params, args) ? call(...args) : noOverload(name, args));
}

function dispatch({ name, overloads }: FunctionDeclaration, args: CelValue[]): CelValue {
  for (const { params, call } of overloads) if (call !== undefined && matches(params, args)) return call(...args);
  return noOverload(name, args);
}

function noOverload(name: string, args: readonly CelValue[]): CelError {
  const error = args.find((argument) => argument instanceof CelError);
  return error instanceof CelError ? error : new CelError(`no such overload: ${name}(${args.map((argument) => typeOf(argument).name).join(", ")})`);
}

function matches(params: readonly CelType[], args: readonly CelValue[]): boolean {
  return params.length === args.length && params.every((type, index) => isOfType(type, args[index] ?? null));
}

/** Whether a value is of a type, as far as its first element tells. Source: cel-go Type.IsAssignableRuntimeType. */
function isOfType(type: CelType, value: CelValue): boolean {
  if (type.kind === "dyn" || type.kind === "any" || type.kind === "typeParam") return true;
  if (type.name !== typeOf(value).name) return false;
  const [first = DYN, second = DYN] = type.parameters;
  if (value instanceof CelList) return value.size === 0 || isOfType(first, value.at(0));
  if (!(value instanceof CelMap)) return true;
  const [key] = value.keys();
  return key === undefined || (isOfType(first, key) && isOfType(second, value.get(key)));
}

/** What a call costs, told from its arguments or from its result; 1 where neither is known. */
export interface CallCost {
  readonly ofArguments?: ActualCost | undefined;
  readonly ofResult?: (result: CelValue) => number;
}

/** Evaluates the arguments, charges, and calls. */
export function callStep({ call, stopsAtError }: BoundFunction, args: readonly Step[], cost: CallCost): Step {
  const [first, second] = args;
  if (first === undefined || stopsAtError || args.length > 2 || cost.ofResult !== undefined) return anyStep(call, args, cost, stopsAtError);
  const { ofArguments } = cost;
  if (second === undefined) return ofArguments === undefined ? unaryStep(call, first) : pricedUnaryStep(call, first, ofArguments);
  return ofArguments === undefined ? binaryStep(call, first, second) : pricedBinaryStep(call, first, second, ofArguments);
}

function unaryStep(call: Implementation, argument: Step): Step {
  return (frame) => {
    const value = argument(frame);
    frame.charge(1);
    if (value instanceof CelError) return value;
    workOn(value);
    return call(value);
  };
}

function pricedUnaryStep(call: Implementation, argument: Step, cost: ActualCost): Step {
  return (frame) => {
    const value = argument(frame);
    frame.charge(cost([value]));
    return value instanceof CelError ? value : call(value);
  };
}

function binaryStep(call: Implementation, left: Step, right: Step): Step {
  return (frame) => {
    const first = left(frame);
    const second = right(frame);
    frame.charge(1);
    if (first instanceof CelError) return first;
    if (second instanceof CelError) return second;
    workOn(first);
    workOn(second);
    return call(first, second);
  };
}

function pricedBinaryStep(call: Implementation, left: Step, right: Step, cost: ActualCost): Step {
  return (frame) => {
    const first = left(frame);
    const second = right(frame);
    frame.charge(cost([first, second]));
    return first instanceof CelError ? first : second instanceof CelError ? second : call(first, second);
  };
}

/** @param stopsAtError whether nothing is charged when an argument is an error, unless it is the last. */
function anyStep(call: Implementation, args: readonly Step[], { ofArguments, ofResult }: CallCost, stopsAtError: boolean): Step {
  return (frame) => {
    const values: CelValue[] = [];
    let fault: CelError | undefined;
    for (const argument of args) {
      const value = argument(frame);
      values.push(value);
      if (!(value instanceof CelError)) continue;
      fault ??= value;
      if (stopsAtError && values.length < args.length) return value;
    }
    if (ofResult === undefined) frame.charge(ofArguments?.(values) ?? 1);
    if (fault === undefined && ofArguments === undefined) values.forEach(workOn);
    const result = fault ?? call(...values);
    if (ofResult !== undefined) frame.charge(ofResult(result));
    return result;
  };
}
