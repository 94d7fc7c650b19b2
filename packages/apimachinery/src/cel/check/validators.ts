import type { CelEnvironment } from "../environment.ts";
import { CLAUSE_TYPES, formatFault } from "../library/format-text.ts";
import { compilePattern } from "../library/pattern.ts";
import { type Call, type CreateList, type CreateMap, type Expression, walk } from "../syntax/expression.ts";
import type { Fault } from "../syntax/source.ts";
import type { TreePositions } from "../syntax/tree-builder.ts";
import { CelError } from "../value/error.ts";
import { type CelType, DYN, ERROR, showType } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";
import type { Checked } from "./checker.ts";

/**
 * Looks at the literals of an expression that has the right types: durations, timestamps and patterns that cannot be read, and lists and maps
 * whose elements are of several types.
 *
 * Source: cel-go cel/validator.go, the four that Kubernetes 1.29 added.
 */
export function validateExpression(environment: CelEnvironment, { expression, types }: Checked, positions: TreePositions): readonly Fault[] {
  const faults: Fault[] = [];
  const fault = (id: number, message: string) => faults.push({ location: positions.location(id), message });
  for (const name of ["duration", "timestamp"]) checkArguments(expression, name, (value) => !converts(environment, name, value), fault);
  checkArguments(expression, "matches", (value) => typeof value === "string" && compilePattern(value) instanceof CelError, fault);
  const mismatch = (id: number, expected: CelType, found: CelType) =>
    fault(id, `expected type '${showType(expected)}' but found '${showType(found)}'`);
  const typeAt = ({ id }: Expression, isOptional: boolean) => (isOptional ? types.get(id)?.parameters[0] : types.get(id)) ?? ERROR;
  const exempt = withinFormats(expression);
  walk(expression, (each) => each.kind === "list" && !exempt.has(each) && checkElements(each, typeAt, mismatch));
  walk(expression, (each) => each.kind === "map" && !exempt.has(each) && checkEntries(each, typeAt, mismatch));
  walk(expression, (each) => each.kind === "call" && checkFormat(each, (found) => types.get(found.id) ?? ERROR, fault));
  return faults;
}

function checkArguments(root: Expression, name: string, isBad: (value: CelValue) => boolean, fault: (id: number, message: string) => void): void {
  walk(root, (call) => {
    if (call.kind !== "call" || call.function !== name) return;
    const [argument] = call.args;
    if (argument?.kind === "literal" && isBad(argument.value)) fault(argument.id, `invalid ${name} argument`);
  });
}

/** Whether the conversion of a name takes a literal. (To the checker, null may stand for what it makes.) */
function converts(environment: CelEnvironment, name: string, value: CelValue): boolean {
  if (value === null) return false;
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "bigint") return true;
  const from = typeof value === "string" ? "string" : "int";
  const overload = environment.functions.get(name)?.overloads.find(({ params: [type = DYN] }) => type.kind === from);
  return !(overload?.call?.(value) instanceof CelError);
}

type TypeAt = (expression: Expression, isOptional: boolean) => CelType;
type Mismatch = (id: number, expected: CelType, found: CelType) => void;

function checkElements({ elements, optionals }: CreateList, typeAt: TypeAt, mismatch: Mismatch): void {
  let expected: CelType | undefined;
  for (const [index, element] of elements.entries()) {
    const type = typeAt(element, optionals.has(index));
    expected ??= type;
    if (expected.isEquivalent(type)) continue;
    mismatch(element.id, expected, type);
    return;
  }
}

function checkEntries({ entries }: CreateMap, typeAt: TypeAt, mismatch: Mismatch): void {
  const [first] = entries;
  if (first === undefined) return;
  const keyType = typeAt(first.key, false);
  const valueType = typeAt(first.value, first.isOptional);
  for (const { key, value, isOptional } of entries.slice(1)) {
    const itsKey = typeAt(key, false);
    const itsValue = typeAt(value, isOptional);
    if (!keyType.isEquivalent(itsKey)) mismatch(key.id, keyType, itsKey);
    if (!valueType.isEquivalent(itsValue)) mismatch(value.id, valueType, itsValue);
  }
}

/** What stands within a call of `format`, whose arguments may be of several types. */
function withinFormats(root: Expression): ReadonlySet<Expression> {
  const within = new Set<Expression>();
  walk(root, (call) => {
    if (call.kind !== "call" || call.function !== "format") return;
    if (call.target !== undefined) walk(call.target, (each) => within.add(each));
    for (const argument of call.args) walk(argument, (each) => within.add(each));
  });
  return within;
}

/** Looks at `"…".format([…])` with a literal text and list. */
function checkFormat(call: Call, typeAt: (expression: Expression) => CelType, fault: (id: number, message: string) => void): void {
  const [list] = call.args;
  const format = call.target;
  if (call.function !== "format" || list?.kind !== "list" || format?.kind !== "literal" || typeof format.value !== "string") return;
  let bad: Expression | undefined;
  const found = formatFault(format.value, list.elements.length, (letter, index) => {
    const clause = CLAUSE_TYPES[letter];
    const element = list.elements[index];
    if (clause === undefined || element === undefined) return undefined;
    bad = letter === "s" ? unfit(element, clause.kinds, typeAt) : isFit(typeAt(element), clause.kinds) ? undefined : element;
    return bad === undefined ? undefined : `${clause.sentence}, was given ${typeAt(bad).name}`;
  });
  if (found !== undefined) fault(found.argument === undefined ? call.id : (bad?.id ?? call.id), found.message);
}

const isFit = ({ kind }: CelType, kinds: ReadonlySet<string>): boolean => kind === "dyn" || kinds.has(kind);

/** The first expression within a literal whose type a clause does not take. */
function unfit(expression: Expression, kinds: ReadonlySet<string>, typeAt: (expression: Expression) => CelType): Expression | undefined {
  if (!isFit(typeAt(expression), kinds)) return expression;
  const inner =
    expression.kind === "list" ? expression.elements : expression.kind === "map" ? expression.entries.flatMap(({ key, value }) => [key, value]) : [];
  for (const each of inner) {
    const found = unfit(each, kinds, typeAt);
    if (found !== undefined) return found;
  }
  return undefined;
}
