import { type FunctionDeclaration, member, overload } from "../check/declaration.ts";
import type { CelLibrary } from "../environment.ts";
import { CelError, noSuchOverload } from "../value/error.ts";
import { CelDouble, type CelInt, intFromBigInt } from "../value/number.ts";
import { CelOpaque } from "../value/opaque.ts";
import { BOOL, type CelType, DOUBLE, INT, STRING, structType } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";
import {
  addQuantities,
  approximateFloat,
  compareQuantities,
  formatQuantity,
  integerOf,
  negated,
  parseQuantity,
  type QuantityAmount,
  QuantityError,
} from "./quantity-value.ts";

const QUANTITY = structType("kubernetes.Quantity");

class QuantityValue extends CelOpaque {
  readonly amount: QuantityAmount;
  /** Whether it was computed. Kubernetes cannot compare anything with such a value on the right side. */
  readonly isComputed: boolean;

  constructor(amount: QuantityAmount, isComputed: boolean) {
    super();
    this.amount = amount;
    this.isComputed = isComputed;
  }

  get type(): CelType {
    return QUANTITY;
  }

  override get goType(): string {
    return this.isComputed ? "*cel.Quantity" : "cel.Quantity";
  }

  equals(other: CelValue): CelValue {
    if (!(other instanceof QuantityValue) || other.isComputed) return noSuchOverload(other);
    return compareQuantities(this.amount, other.amount) === 0;
  }

  toString(): string {
    return formatQuantity(this.amount);
  }
}

function quantity(text: string): CelValue {
  try {
    return new QuantityValue(parseQuantity(text), false);
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
    return new CelError(error.message);
  }
}

function asInteger({ amount }: QuantityValue): CelValue {
  const value = integerOf(amount);
  return value === undefined ? new CelError("cannot convert value to integer") : intFromBigInt(value);
}

const ofInt = (value: CelInt): QuantityAmount => ({ value: BigInt(value), scale: 0, isDecimal: false, format: "DecimalExponent", text: undefined });

const sum = ({ amount }: QuantityValue, other: QuantityAmount): CelValue => new QuantityValue(addQuantities(amount, other), true);

const comparison = (name: string, id: string, holds: (order: number) => CelValue, result: CelType = BOOL): FunctionDeclaration => ({
  name,
  overloads: [
    member(id, [QUANTITY, QUANTITY], result, (left: QuantityValue, right: QuantityValue) => holds(compareQuantities(left.amount, right.amount))),
  ],
});

/** Amounts as `100m` and `1.5Gi`. Source: k8s.io/apiserver/pkg/cel/library/quantity.go. */
export const QUANTITY_LIBRARY: CelLibrary = {
  name: "kubernetes.quantity",
  functions: [
    { name: "quantity", overloads: [overload("string_to_quantity", [STRING], QUANTITY, quantity)] },
    { name: "isQuantity", overloads: [overload("is_quantity_string", [STRING], BOOL, (text: string) => !(quantity(text) instanceof CelError))] },
    {
      name: "sign",
      overloads: [overload("quantity_sign", [QUANTITY], INT, ({ amount }: QuantityValue) => (amount.value > 0n ? 1 : amount.value < 0n ? -1 : 0))],
    },
    comparison("isGreaterThan", "quantity_is_greater_than", (order) => order > 0),
    comparison("isLessThan", "quantity_is_less_than", (order) => order < 0),
    comparison("compareTo", "quantity_compare_to", (order) => order, INT),
    {
      name: "asApproximateFloat",
      overloads: [member("quantity_get_float", [QUANTITY], DOUBLE, ({ amount }: QuantityValue) => new CelDouble(approximateFloat(amount)))],
    },
    { name: "asInteger", overloads: [member("quantity_get_int", [QUANTITY], INT, asInteger)] },
    {
      name: "isInteger",
      overloads: [member("quantity_is_integer", [QUANTITY], BOOL, ({ amount }: QuantityValue) => integerOf(amount) !== undefined)],
    },
    {
      name: "add",
      overloads: [
        member("quantity_add", [QUANTITY, QUANTITY], QUANTITY, (left: QuantityValue, { amount }: QuantityValue) => sum(left, amount)),
        member("quantity_add_int", [QUANTITY, INT], QUANTITY, (left: QuantityValue, right: CelInt) => sum(left, ofInt(right))),
      ],
    },
    {
      name: "sub",
      overloads: [
        member("quantity_sub", [QUANTITY, QUANTITY], QUANTITY, (left: QuantityValue, { amount }: QuantityValue) => sum(left, negated(amount))),
        member("quantity_sub_int", [QUANTITY, INT], QUANTITY, (left: QuantityValue, right: CelInt) => sum(left, negated(ofInt(right)))),
      ],
    },
  ],
};
