import type { CelEnvironment } from "../environment.ts";
import {
  type Call,
  type Comprehension,
  type CreateList,
  type CreateMap,
  type CreateStruct,
  type Expression,
  qualifiedName,
  type Select,
  type StructField,
} from "../syntax/expression.ts";
import { type Fault, NO_LOCATION } from "../syntax/source.ts";
import { BoundError, type TreePositions } from "../syntax/tree-builder.ts";
import { BOOL, type CelType, DYN, ERROR, INT, listType, mapType, optionalType, showType, typeParameter } from "../value/type.ts";
import { typeOf } from "../value/type-of.ts";
import type { FunctionDeclaration, Overload } from "./declaration.ts";
import { instantiate, isDyn, isDynOrError, isOptional, mostGeneral, Substitutions } from "./unify.ts";

/** What the checker found out. */
export interface Checked {
  /** With qualified names replaced by identifiers. */
  readonly expression: Expression;
  /** By the ids of nodes; without type parameters. */
  readonly types: ReadonlyMap<number, CelType>;
  /** The overloads that a call may come to, by its id. */
  readonly overloads: ReadonlyMap<number, readonly Overload[]>;
  /** The variables and types that identifiers name. */
  readonly names: ReadonlySet<string>;
  readonly faults: readonly Fault[];
}

/**
 * Finds the types of an expression, and its faults in cel-go's words.
 *
 * Source: cel-go checker/checker.go.
 */
export function checkExpression(environment: CelEnvironment, expression: Expression, positions: TreePositions): Checked {
  const checker = new Checker(environment, positions);
  try {
    const checked = checker.check(expression);
    return { expression: checked, ...checker.result() };
  } catch (error) {
    if (!(error instanceof BoundError)) throw error;
    return { ...NOTHING, expression, faults: [{ location: NO_LOCATION, message: error.message }] };
  }
}

const NOTHING: Omit<Checked, "expression" | "faults"> = { types: new Map(), overloads: new Map(), names: new Set() };

/** Maps of maps of the same variable, written over and over, have types that are twice as large each time. */
const MAX_TYPE_SIZE = 10_000;

interface Scope {
  readonly variables: ReadonlyMap<string, CelType>;
  readonly outer: Scope | undefined;
}

class Checker {
  readonly #environment: CelEnvironment;
  readonly #positions: TreePositions;
  readonly #types = new Map<number, CelType>();
  readonly #overloads = new Map<number, readonly Overload[]>();
  readonly #names = new Set<string>();
  readonly #faults: Fault[] = [];
  readonly #substitutions = new Substitutions();
  #scope: Scope | undefined;
  #freeParameters = 0;

  constructor(environment: CelEnvironment, positions: TreePositions) {
    this.#environment = environment;
    this.#positions = positions;
  }

  result(): Omit<Checked, "expression"> {
    const known = new Map<CelType, CelType>();
    for (const [id, type] of this.#types) this.#setType(id, this.#substitutions.resolve(type, true, known));
    return { types: this.#types, overloads: this.#overloads, names: this.#names, faults: this.#faults };
  }

  /** @returns the node, or what replaces it. */
  check(expression: Expression): Expression {
    switch (expression.kind) {
      case "literal":
        this.#setType(expression.id, typeOf(expression.value));
        return expression;
      case "identifier":
        return this.#checkIdentifier(expression.id, expression.name);
      case "select":
        return this.#checkSelect(expression);
      case "call":
        this.#checkCall(expression);
        return expression;
      case "list":
        this.#checkList(expression);
        return expression;
      case "map":
        this.#checkMap(expression);
        return expression;
      case "struct":
        this.#checkStruct(expression);
        return expression;
      case "comprehension":
        this.#checkComprehension(expression);
        return expression;
      case "missing":
        return expression;
      default:
        return expression satisfies never;
    }
  }

  #checkIdentifier(id: number, name: string): Expression {
    const found = this.#lookUp(name);
    if (found !== undefined) return this.#resolved(id, found);
    this.#setType(id, ERROR);
    this.#fault(id, `undeclared reference to '${name}' (in container '')`);
    return { kind: "identifier", id, name };
  }

  #resolved(id: number, { name, type }: NamedType): Expression {
    this.#setType(id, type);
    this.#names.add(name);
    return { kind: "identifier", id, name };
  }

  #checkSelect(select: Select): Expression {
    const name = qualifiedName(select);
    const found = name === undefined ? undefined : this.#lookUp(name);
    if (found !== undefined) return this.#resolved(select.id, found);
    select.operand = this.check(select.operand);
    const type = this.#fieldType(select.id, select.operand, select.field, false);
    this.#setType(select.id, select.isTest ? BOOL : this.#current(type));
    return select;
  }

  #checkOptionalSelect(call: Call): void {
    const [operand, field] = call.args;
    if (operand === undefined || field?.kind !== "literal" || typeof field.value !== "string") return;
    call.args[0] = this.check(operand);
    const type = this.#fieldType(call.id, call.args[0], field.value, true);
    this.#setType(call.id, this.#current(type));
    this.#overloads.set(call.id, [SELECT_OPTIONAL_FIELD]);
  }

  /** The type of a field of an operand that has been checked. */
  #fieldType(id: number, operand: Expression, field: string, isOptionalAccess: boolean): CelType {
    const operandType = this.#current(this.#typeOf(operand));
    const target = unwrapOptional(operandType);
    let result = ERROR;
    switch (target.kind) {
      case "map":
        result = target.parameters[1] ?? DYN;
        break;
      case "struct":
        result = this.#structFieldType(id, target.name, field) ?? ERROR;
        break;
      case "typeParam":
        // The parameter becomes dyn, so that nothing later makes a wrong type of it.
        this.#assign(DYN, target);
        result = DYN;
        break;
      default:
        if (!isDynOrError(target)) this.#fault(id, `type '${showType(target)}' does not support field selection`);
        result = DYN;
    }
    return target !== operandType || isOptionalAccess ? optionalType(result) : result;
  }

  #checkCall(call: Call): void {
    if (call.function === "_?._") {
      this.#checkOptionalSelect(call);
      return;
    }
    call.args.forEach((argument, index) => {
      call.args[index] = this.check(argument);
    });
    const prefix = call.target === undefined ? undefined : qualifiedName(call.target);
    const qualified = `${prefix}.${call.function}`;
    if (prefix !== undefined && this.#environment.functions.has(withoutDot(qualified))) {
      call.target = undefined;
      this.#checkFunction(call, qualified);
      return;
    }
    if (call.target !== undefined) call.target = this.check(call.target);
    this.#checkFunction(call, call.function);
  }

  #checkFunction(call: Call, name: string): void {
    const declaration = this.#environment.functions.get(withoutDot(name));
    if (declaration === undefined) {
      this.#setType(call.id, ERROR);
      this.#fault(call.id, `undeclared reference to '${name}' (in container '')`);
      return;
    }
    call.function = declaration.name;
    this.#setType(call.id, this.#resolveOverloads(call, declaration) ?? ERROR);
  }

  /** The type of a call; undefined, with a fault told, when no overload fits. Source: cel-go checker.resolveOverload. */
  #resolveOverloads(call: Call, declaration: FunctionDeclaration): CelType | undefined {
    const isMember = call.target !== undefined;
    const operands = call.target === undefined ? call.args : [call.target, ...call.args];
    const types = operands.map((operand) => this.#typeOf(operand));
    if (declaration.name === "_&&_" || declaration.name === "_||_") return this.#checkLogic(call, declaration, types);
    const matching: Overload[] = [];
    let result: CelType | undefined;
    for (const overload of declaration.overloads) {
      if (overload.isMember !== isMember) continue;
      const fresh = this.#fresh(overload);
      if (!this.#substitutions.assign(types, fresh.params)) continue;
      matching.push(overload);
      const type = this.#current(fresh.result);
      if (result === undefined) result = type;
      else if (!isDyn(result) && !type.isExactly(result)) result = DYN;
    }
    if (result === undefined) {
      const shown = types.map((type) => showType(this.#substitutions.resolve(type, true)));
      const signature = isMember ? `${shown[0]}.(${shown.slice(1).join(", ")})` : `(${shown.join(", ")})`;
      this.#fault(call.id, `found no matching overload for '${declaration.name}' applied to '${signature}'`);
      return undefined;
    }
    this.#overloads.set(call.id, matching);
    return result;
  }

  #checkLogic(call: Call, { overloads }: FunctionDeclaration, types: readonly CelType[]): CelType | undefined {
    let isBool = true;
    types.forEach((type, index) => {
      if (this.#assign(type, BOOL)) return;
      isBool = false;
      this.#fault(call.args[index]?.id ?? 0, `expected type '${showType(BOOL)}' but found '${showType(type)}'`);
    });
    if (isBool) this.#overloads.set(call.id, overloads);
    return isBool ? BOOL : undefined;
  }

  /** An overload with type parameters of its own. */
  #fresh({ params, result }: Overload): Pick<Overload, "params" | "result"> {
    const own = new Map<string, CelType>();
    for (const type of [...params, result]) this.#collect(type, own);
    if (own.size === 0) return { params, result };
    return { params: params.map((type) => instantiate(type, own)), result: instantiate(result, own) };
  }

  #collect(type: CelType, own: Map<string, CelType>): void {
    if (type.kind === "typeParam" && !own.has(type.name)) own.set(type.name, this.#newParameter());
    for (const parameter of type.parameters) this.#collect(parameter, own);
  }

  #checkList(list: CreateList): void {
    let joined: CelType | undefined;
    list.elements.forEach((element, index) => {
      const checked = this.check(element);
      list.elements[index] = checked;
      const type = this.#typeOf(checked);
      joined = this.#join(joined, list.optionals.has(index) ? this.#unwrapped(checked.id, type) : type);
    });
    this.#setType(list.id, listType(joined ?? this.#newParameter()));
  }

  #checkMap(map: CreateMap): void {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const entry of map.entries) {
      entry.key = this.check(entry.key);
      key = this.#join(key, this.#typeOf(entry.key));
      entry.value = this.check(entry.value);
      const type = this.#typeOf(entry.value);
      value = this.#join(value, entry.isOptional ? this.#unwrapped(entry.value.id, type) : type);
    }
    this.#setType(map.id, mapType(key ?? this.#newParameter(), value ?? this.#newParameter()));
  }

  #checkStruct(struct: CreateStruct): void {
    const found = this.#lookUp(struct.typeName);
    if (found === undefined) {
      this.#fault(struct.id, `undeclared reference to '${struct.typeName}' (in container '')`);
      this.#setType(struct.id, ERROR);
      return;
    }
    struct.typeName = found.name;
    const type = this.#madeType(struct.id, found.type);
    this.#setType(struct.id, type);
    for (const field of struct.fields) this.#checkStructField(type.kind === "struct" ? type.name : found.name, field);
  }

  /** The type of the objects that a name of a type makes. */
  #madeType(id: number, named: CelType): CelType {
    if (named.kind === "error") return ERROR;
    const made = named.kind === "type" ? (named.parameters[0] ?? DYN) : undefined;
    if (made === undefined) this.#fault(id, `'${named.name}' is not a type`);
    else if (MESSAGE_KINDS.has(made.kind)) return made;
    else this.#fault(id, `'${made.name}' is not a message type`);
    return ERROR;
  }

  #checkStructField(struct: string, field: StructField): void {
    field.value = this.check(field.value);
    const declared = this.#structFieldType(field.id, struct, field.name) ?? ERROR;
    const found = this.#typeOf(field.value);
    const type = field.isOptional ? this.#unwrapped(field.value.id, found) : found;
    if (this.#assign(declared, type)) return;
    this.#fault(field.id, `expected type of field '${field.name}' is '${showType(declared)}' but provided type is '${showType(type)}'`);
  }

  /** The type of a field of an object type; undefined, with a fault told, when there is none. */
  #structFieldType(id: number, struct: string, field: string): CelType | undefined {
    const declared = this.#environment.fieldType(struct, field);
    if (!this.#environment.hasFields(struct)) this.#fault(id, `unexpected failed resolution of '${struct}'`);
    else if (declared === undefined) this.#fault(id, `undefined field '${field}'`);
    return declared;
  }

  #checkComprehension(fold: Comprehension): void {
    fold.range = this.check(fold.range);
    fold.accuInit = this.check(fold.accuInit);
    const range = this.#current(this.#typeOf(fold.range));
    const accumulator = this.#typeOf(fold.accuInit);
    const outer = this.#scope;
    const result: Scope = { variables: new Map([[fold.accuVar, accumulator]]), outer };
    this.#scope = { variables: this.#iterationVariables(fold, range), outer: result };
    fold.condition = this.check(fold.condition);
    this.#assertType(fold.condition, BOOL);
    fold.step = this.check(fold.step);
    this.#assertType(fold.step, accumulator);
    this.#scope = result;
    fold.result = this.check(fold.result);
    this.#scope = outer;
    this.#setType(fold.id, this.#current(this.#typeOf(fold.result)));
  }

  #iterationVariables({ range: { id }, iterVar, iterVar2 }: Comprehension, range: CelType): ReadonlyMap<string, CelType> {
    const [first, second] = this.#iterated(id, range);
    if (iterVar2 === undefined) return new Map([[iterVar, range.kind === "list" ? second : first]]);
    return new Map([
      [iterVar, first],
      [iterVar2, second],
    ]);
  }

  /** The types of index or key, and of element or value. */
  #iterated(id: number, range: CelType): readonly [CelType, CelType] {
    switch (range.kind) {
      case "list":
        return [INT, range.parameters[0] ?? DYN];
      case "map":
        return [range.parameters[0] ?? DYN, range.parameters[1] ?? DYN];
      case "dyn":
      case "error":
      case "typeParam":
        this.#assign(DYN, range);
        return [DYN, DYN];
      default:
        this.#fault(id, `expression of type '${showType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`);
        return [ERROR, ERROR];
    }
  }

  /** The type that the elements of a literal have in common; dyn if there is none, which a validator refuses where it has to. */
  #join(previous: CelType | undefined, next: CelType): CelType {
    if (previous === undefined) return next;
    return this.#assign(previous, next) ? mostGeneral(previous, next) : DYN;
  }

  #unwrapped(id: number, type: CelType): CelType {
    if (!isOptional(type) && !isDyn(type)) this.#fault(id, `expected type '${showType(optionalType(type))}' but found '${showType(type)}'`);
    return unwrapOptional(type);
  }

  #assertType(expression: Expression, type: CelType): void {
    const found = this.#typeOf(expression);
    if (!this.#assign(type, found)) this.#fault(expression.id, `expected type '${showType(type)}' but found '${showType(found)}'`);
  }

  #assign(from: CelType, to: CelType): boolean {
    return this.#substitutions.assign([from], [to]);
  }

  #lookUp(written: string): NamedType | undefined {
    const name = withoutDot(written);
    for (let scope = this.#scope; scope !== undefined; scope = scope.outer) {
      const type = scope.variables.get(name);
      if (type !== undefined) return { name, type };
    }
    const type = this.#environment.variables.get(name) ?? this.#environment.typeNamed(name);
    return type === undefined ? undefined : { name, type };
  }

  #newParameter(): CelType {
    return typeParameter(`_var${this.#freeParameters++}`);
  }

  #current(type: CelType): CelType {
    return this.#substitutions.resolve(type, false);
  }

  #typeOf(expression: Expression): CelType {
    return this.#types.get(expression.id) ?? ERROR;
  }

  #setType(id: number, type: CelType): void {
    if (type.size > MAX_TYPE_SIZE) throw new BoundError(`expression has a type of more than ${MAX_TYPE_SIZE} types`);
    this.#types.set(id, type);
  }

  #fault(id: number, message: string): void {
    this.#faults.push({ location: this.#positions.location(id), message });
  }
}

/** Of types whose objects may be made, as far as the checker tells. Source: cel-go checker isWellKnownType. */
const MESSAGE_KINDS: ReadonlySet<string> = new Set(["struct", "duration", "timestamp", "null", "dyn"]);

interface NamedType {
  readonly name: string;
  readonly type: CelType;
}

const SELECT_OPTIONAL_FIELD: Overload = { id: "select_optional_field", isMember: false, params: [], result: DYN, call: undefined };

const withoutDot = (name: string): string => (name.startsWith(".") ? name.slice(1) : name);

const unwrapOptional = (type: CelType): CelType => (isOptional(type) ? (type.parameters[0] ?? DYN) : type);
