/**
 * What an expression comes to when it cannot be evaluated. It is a value: `||`, `&&` and the macros over them may still come to a result.
 * The messages are cel-go's.
 */
export class CelError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

export const NO_SUCH_OVERLOAD = new CelError("no such overload");
export const INT_OVERFLOW = new CelError("integer overflow");
export const UINT_OVERFLOW = new CelError("unsigned integer overflow");
export const TIMESTAMP_OVERFLOW = new CelError("timestamp overflow");
export const DIVISION_BY_ZERO = new CelError("division by zero");
export const MODULUS_BY_ZERO = new CelError("modulus by zero");
export const NAN_NOT_ORDERED = new CelError("NaN values cannot be ordered");

/** The value itself when it is an error, else that there is no such overload. Source: cel-go types.MaybeNoSuchOverloadErr. */
export function noSuchOverload(value: unknown): CelError {
  return value instanceof CelError ? value : NO_SUCH_OVERLOAD;
}
