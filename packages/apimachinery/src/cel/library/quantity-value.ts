/** How a quantity is written. */
type QuantityFormat = "BinarySI" | "DecimalSI" | "DecimalExponent";

/**
 * A quantity as k8s.io/apimachinery keeps it: `value * 10^scale`. One that does not fit in 64 bits is kept as a decimal, and then is no integer,
 * whatever its value.
 */
export interface QuantityAmount {
  readonly value: bigint;
  readonly scale: number;
  readonly isDecimal: boolean;
  readonly format: QuantityFormat;
  /** The text that was read, where Kubernetes shows that and not the canonical form. */
  readonly text: string | undefined;
}

/** Why a text is no quantity, in Kubernetes' words. */
export class QuantityError extends Error {
  override readonly name = "QuantityError";
}

const PATTERN = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$";
const WRONG_FORMAT = `quantities must match the regular expression '${PATTERN}'`;

const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

const MAX_INT64 = 2n ** 63n - 1n;
const MAX_DIGITS = 18;
const NANO = -9;
/** The greatest exponent, and the most digits, with which anything is computed: Go has no bound, and computes for minutes. */
const MAX_EXPONENT = 1000;

/**
 * Reads a quantity: `1`, `1.5Gi`, `100m`, `1e3`.
 *
 * @throws {QuantityError}
 *
 * Source: k8s.io/apimachinery/pkg/api/resource ParseQuantity.
 */
export function parseQuantity(text: string): QuantityAmount {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?((?:[eEinumkKMGTP]+[-+]?|[-+])\d*)?$/.exec(text);
  if (text === "" || match === null) throw new QuantityError(WRONG_FORMAT);
  if (text.length > MAX_EXPONENT) throw new QuantityError("unable to parse numeric part of quantity");
  if (text === "0") return { value: 0n, scale: 0, isDecimal: false, format: "DecimalSI", text };
  const [, sign = "", whole = "", fraction = "", suffix = ""] = match;
  const { format, exponent } = interpretSuffix(suffix);
  const digits = whole.replace(/^0+/, "") || "0";
  const isNegative = sign === "-";
  const small = smallAmount(digits, fraction, format, exponent);
  if (small !== undefined) {
    const isShown = isCanonical(digits + fraction, small.scale, format, exponent);
    return { ...small, value: isNegative ? -small.value : small.value, isDecimal: false, format, text: isShown ? text : undefined };
  }
  if (whole === "" && fraction === "") throw new QuantityError("unable to parse numeric part of quantity");
  return largeAmount(BigInt(whole + fraction), fraction.length, isNegative, format, exponent);
}

function interpretSuffix(suffix: string): { readonly format: QuantityFormat; readonly exponent: number } {
  const binary = BINARY[suffix];
  if (binary !== undefined) return { format: "BinarySI", exponent: binary };
  const decimal = DECIMAL[suffix];
  if (decimal !== undefined) return { format: "DecimalSI", exponent: decimal };
  const exponent = /^[eE]([-+]?\d+)$/.exec(suffix)?.[1];
  // Go reads the exponent as 64 bits and keeps 32 of them.
  if (exponent === undefined || exponent.replace(/^[-+]?0*/, "").length > 18) throw new QuantityError("unable to parse quantity's suffix");
  return { format: "DecimalExponent", exponent: Number(BigInt.asIntN(32, BigInt(exponent.replace(/^\+/, "")))) };
}

/** An amount that fits in 64 bits by the look of its digits; undefined when it may not. */
function smallAmount(
  digits: string,
  fraction: string,
  format: QuantityFormat,
  exponent: number,
): Pick<QuantityAmount, "value" | "scale"> | undefined {
  let precision = MAX_DIGITS - digits.length - fraction.length;
  let scale = exponent;
  let mantissa = 1n;
  if (format === "BinarySI") {
    scale = 0;
    if (fraction !== "") return undefined;
    mantissa = 1n << BigInt(exponent);
    precision = 15 - digits.length - Math.trunc(Math.fround((exponent * 3) / 10)) - 1;
  }
  if (precision < 0) return undefined;
  scale -= fraction.length;
  const value = BigInt(digits + fraction) * mantissa;
  return scale < NANO || value > MAX_INT64 ? undefined : { value, scale };
}

/** Whether a text looks canonical enough to be shown as it was written. */
function isCanonical(digits: string, scale: number, format: QuantityFormat, exponent: number): boolean {
  if (format === "BinarySI") return exponent % 10 === 0 && BigInt(digits) % 8n !== 0n;
  return scale % 3 === 0 && !digits.endsWith("000") && !digits.startsWith("0");
}

/** The most that a binary quantity may be. */
const MAX_BINARY = MAX_INT64;

/** An amount as a decimal, rounded up to nano. @param unscaled the digits. */
function largeAmount(unscaled: bigint, fractionDigits: number, isNegative: boolean, format: QuantityFormat, exponent: number): QuantityAmount {
  let value = unscaled;
  let scale = -fractionDigits;
  if (format === "BinarySI") value <<= BigInt(exponent);
  else scale = Math.max(scale + exponent, -MAX_EXPONENT);
  if (scale > MAX_EXPONENT) throw new QuantityError("unable to parse numeric part of quantity");
  // Rounding brings it to nano also where there is nothing to round.
  if (scale >= NANO && value !== 0n) {
    value *= 10n ** BigInt(scale - NANO);
    scale = NANO;
  } else if (value !== 0n) {
    const divisor = 10n ** BigInt(Math.min(NANO - scale, MAX_EXPONENT));
    value = (value + divisor - 1n) / divisor;
    scale = NANO;
  }
  let shown = format;
  if (format === "BinarySI") {
    if (compareScaled(value, scale, MAX_BINARY, 0) > 0) {
      value = MAX_BINARY;
      scale = 0;
    }
    if (value > 0n && compareScaled(value, scale, 1n, 0) < 0) shown = "DecimalSI";
  }
  return { value: isNegative ? -value : value, scale, isDecimal: true, format: shown, text: undefined };
}

function compareScaled(left: bigint, leftScale: number, right: bigint, rightScale: number): number {
  const scale = Math.min(leftScale, rightScale);
  const first = left * 10n ** BigInt(leftScale - scale);
  const second = right * 10n ** BigInt(rightScale - scale);
  return first < second ? -1 : first > second ? 1 : 0;
}

export const compareQuantities = (left: QuantityAmount, right: QuantityAmount): number =>
  compareScaled(left.value, left.scale, right.value, right.scale);

/** The sum, which has the format of the first one unless that is zero. */
export function addQuantities(left: QuantityAmount, right: QuantityAmount): QuantityAmount {
  const scale = Math.min(left.scale, right.scale);
  const value = left.value * 10n ** BigInt(left.scale - scale) + right.value * 10n ** BigInt(right.scale - scale);
  const format = left.value === 0n ? right.format : left.format;
  const isDecimal = left.isDecimal || right.isDecimal || BigInt.asIntN(64, value) !== value;
  if (left.value === 0n && !isDecimal) return { value: right.value, scale: right.scale, isDecimal, format, text: undefined };
  if (right.value === 0n && !isDecimal) return { value: left.value, scale: left.scale, isDecimal, format, text: undefined };
  return { value, scale, isDecimal, format, text: undefined };
}

export const negated = (amount: QuantityAmount): QuantityAmount => ({ ...amount, value: -amount.value });

/** The value as an int, undefined where Kubernetes has none: for decimals, and where digits are behind the point as it is kept. */
export function integerOf({ value, scale, isDecimal }: QuantityAmount): bigint | undefined {
  if (isDecimal || scale < 0) return undefined;
  if (value === 0n) return 0n;
  if (scale > MAX_DIGITS) return undefined;
  const result = value * 10n ** BigInt(scale);
  return BigInt.asIntN(64, result) === result ? result : undefined;
}

export const approximateFloat = ({ value, scale }: QuantityAmount): number => (scale === 0 ? Number(value) : Number(value) * Number(`1e${scale}`));

const DECIMAL_SUFFIXES = new Map(Object.entries(DECIMAL).map(([suffix, exponent]) => [exponent, suffix]));
const BINARY_SUFFIXES = new Map(Object.entries(BINARY).map(([suffix, exponent]) => [exponent, suffix]));

/** A quantity as Kubernetes writes it. Source: Quantity.String, Quantity.CanonicalizeBytes. */
export function formatQuantity(amount: QuantityAmount): string {
  if (amount.text !== undefined) return amount.text;
  if (amount.value === 0n) return "0";
  const isSmall = compareScaled(amount.value < 0n ? -amount.value : amount.value, amount.scale, 1024n, 0) < 0;
  if (amount.format === "BinarySI" && !isSmall) {
    const whole = wholeValue(amount);
    if (whole !== undefined) return binaryText(whole);
  }
  return decimalText(amount, amount.format === "DecimalExponent");
}

/** The value without a scale; undefined when there is something behind the point. */
function wholeValue({ value, scale }: QuantityAmount): bigint | undefined {
  if (scale >= 0) return value * 10n ** BigInt(scale);
  const divisor = 10n ** BigInt(-scale);
  return value % divisor === 0n ? value / divisor : undefined;
}

function binaryText(value: bigint): string {
  let rest = value;
  let exponent = 0;
  while (rest % 1024n === 0n && rest !== 0n) {
    rest /= 1024n;
    exponent += 10;
  }
  return `${rest}${BINARY_SUFFIXES.get(exponent) ?? ""}`;
}

function decimalText({ value, scale }: QuantityAmount, asExponent: boolean): string {
  let digits = value;
  let exponent = scale;
  while (digits % 10n === 0n && digits !== 0n) {
    digits /= 10n;
    exponent++;
  }
  while (exponent % 3 !== 0) {
    digits *= 10n;
    exponent--;
  }
  const suffix = asExponent ? (exponent === 0 ? "" : `e${exponent}`) : (DECIMAL_SUFFIXES.get(exponent) ?? "");
  return `${digits}${suffix}`;
}
