// What is a number of which kind, as Go tells int64 from float64. Internal to schema/.

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** Half a unit beyond the largest float32: from here on rounding gives infinity. */
const FLOAT32_LIMIT = 3.4028235677973366e38;

/**
 * Whether Go would have decoded this number as an int64: a `bigint` of 64 bits, or a whole `number` that is exact. A whole number beyond 2^53 that is
 * a `number` was written with a fraction or an exponent, which makes it a float64.
 */
export function isInt64(value: number | bigint): boolean {
  return typeof value === "bigint" ? value >= INT64_MIN && value <= INT64_MAX : Number.isSafeInteger(value);
}

/**
 * Whether a float64 passes for a whole number: up to a relative error of 1e-9, within ±(2^53 − 1).
 *
 * Source: github.com/go-openapi/swag, IsFloat64AJSONInteger.
 */
export function isNearlyWhole(value: number): boolean {
  if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return false;
  const whole = Math.trunc(value);
  if (whole === value) return true;
  // Go compares with the unsigned conversion: a negative fraction is never near.
  if (value < 1) return false;
  return (value - whole) / (value + whole) < 1e-9;
}

/** Whether a number is in the range of a format, once its type is right. Source: kube-openapi validation/validate, IsValueValidAgainstRange. */
export function isInRange(value: number | bigint, type: string | undefined, format: string): boolean {
  if (type === "integer") {
    if (!isInt64(typeof value === "number" ? asWritten(value) : value)) return false;
    return format !== "int32" || (value >= -2147483648 && value <= 2147483647);
  }
  return format !== "float" || Math.abs(Number(value)) < FLOAT32_LIMIT;
}

/** What Go reads of a float64 that it wrote out, with the fewest digits: beyond 2^53 the others are zeros. A number that it cannot read as whole stays what it is. */
function asWritten(value: number): number | bigint {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(String(value)) : value;
}

/** Whether a number is a multiple of a factor: exactly for whole numbers, up to a relative error of 1e-9 else. */
export function isMultipleOf(value: number | bigint, factor: number): boolean {
  if (typeof value === "bigint" && isInt64(value) && Number.isSafeInteger(factor)) return factor !== 0 && value % BigInt(factor) === 0n;
  const number = Number(value);
  if (Number.isSafeInteger(number) && Number.isSafeInteger(factor)) return number % factor === 0;
  return isNearlyWhole(Math.abs(factor < 1 ? (1 / factor) * number : number / factor));
}

/** Whether a number is within the bounds of a schema. A `bigint` is compared exactly. */
export const exceedsMaximum = (value: number | bigint, maximum: number, exclusive: boolean): boolean =>
  exclusive ? value >= maximum : value > maximum;
export const exceedsMinimum = (value: number | bigint, minimum: number, exclusive: boolean): boolean =>
  exclusive ? value <= minimum : value < minimum;

/** Whether a text has more characters (code points) than this. Counts only where the number of UTF-16 units leaves it open. */
export function isLongerThan(text: string, max: number): boolean {
  return text.length > max && (text.length > 2 * max || countCodePoints(text) > max);
}

/** Whether a text has fewer characters (code points) than this. */
export function isShorterThan(text: string, min: number): boolean {
  return text.length < min || (text.length < 2 * min && countCodePoints(text) < min);
}

function countCodePoints(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length - 1; index++) {
    if ((text.charCodeAt(index) & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00) {
      count--;
      index++;
    }
  }
  return count;
}
