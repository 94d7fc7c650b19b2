import { unescapeFieldName } from "../schema/escape.ts";
import { CelError, noSuchOverload } from "../value/error.ts";
import { showValue } from "../value/show.ts";
import { CelStruct } from "../value/struct.ts";
import type { CelType } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";
import type { AdmissionExpression } from "./compiler.ts";
import { VARIABLES } from "./variable-types.ts";

/** Ends an evaluation whose variables have cost more than is left. */
export class BudgetExceeded extends Error {
  override readonly name = "BudgetExceeded";
}

/**
 * The variables of a policy as expressions see them, each evaluated when it is first asked for.
 *
 * Source: k8s.io/apiserver/pkg/cel/lazy/lazy.go; composition.go variableAccessor.
 */
export class LazyVariables extends CelStruct {
  readonly #expressions: ReadonlyMap<string, AdmissionExpression>;
  readonly #bindings: () => Readonly<Record<string, CelValue>>;
  readonly #values = new Map<string, CelValue>();
  /** What is left for variables and for the expressions that ask for them. */
  budget: number;

  /** @param bindings the variables of the expressions: these among them. */
  constructor(expressions: ReadonlyMap<string, AdmissionExpression>, bindings: () => Readonly<Record<string, CelValue>>, budget: number) {
    super();
    this.budget = budget;
    this.#expressions = expressions;
    this.#bindings = bindings;
  }

  get type(): CelType {
    return VARIABLES;
  }

  override get costSize(): number {
    return this.#expressions.size;
  }

  /** @throws {BudgetExceeded} {DecisionPending} */
  find(key: CelValue): CelValue | undefined {
    if (typeof key !== "string") return noSuchOverload(key);
    const name = unescapeFieldName(key);
    const expression = name === undefined ? undefined : this.#expressions.get(name);
    if (name === undefined || expression === undefined) return undefined;
    let value = this.#values.get(name);
    if (value === undefined) {
      value = this.#evaluate(name, expression);
      this.#values.set(name, value);
    }
    return value;
  }

  /** @throws {BudgetExceeded} {DecisionPending} */
  get(key: CelValue): CelValue {
    const found = this.find(key);
    return found === undefined ? new CelError(`no such key: ${showValue(key)}`) : found;
  }

  equals(other: CelValue): CelValue {
    return other instanceof LazyVariables ? other === this : noSuchOverload(other);
  }

  toString(): string {
    return this.type.name;
  }

  #evaluate(name: string, { compilation: { program, fault } }: AdmissionExpression): CelValue {
    const failed = (how: string, why: string) => new CelError(`composited variable "${name}" fails to ${how}: ${why}`);
    if (program === undefined) return failed("compile", fault);
    const { cost, value, error } = program.evaluate(this.#bindings());
    this.spend(cost);
    return error === undefined ? value : failed("evaluate", error);
  }

  /** @throws {BudgetExceeded} */
  spend(cost: number): void {
    this.budget -= cost;
    if (this.budget < 0) throw new BudgetExceeded();
  }
}
