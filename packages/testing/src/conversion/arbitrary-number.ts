import type { JSONValue, Schema } from "@annex/apimachinery";
import fc from "fast-check";

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** The least whole number above 0 that a `number` does not hold. */
const BEYOND_NUMBER = 2n ** 53n + 1n;

/** Also beyond what a `number` holds exactly, where the schema has such. */
export function integerArbitrary(schema: Schema): fc.Arbitrary<JSONValue> {
  const { format, minimum, maximum, multipleOf = 1 } = schema;
  const small = format === "int32" ? multiples(schema, -(2 ** 31), 2 ** 31 - 1) : multiples(schema, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (format === "int32" || multipleOf !== 1) return fc.oneof(...small);
  // Bounds are numbers themselves.
  const above = maximum === undefined ? [fc.bigInt({ min: BEYOND_NUMBER, max: INT64_MAX })] : [];
  const below = minimum === undefined ? [fc.bigInt({ min: INT64_MIN, max: -BEYOND_NUMBER })] : [];
  return fc.oneof(...small.map((arbitrary) => ({ weight: 3, arbitrary })), ...above, ...below);
}

/** How near to 0 and how far from it numbers are that a schema does not bound. Much nearer a float64 has fewer digits, and halving what is doubled loses some. */
const SMALLEST = 1e-30;
const LARGEST = 1e30;

/** Whole numbers and others, large and tiny. */
export function numberArbitrary(schema: Schema): fc.Arbitrary<number> {
  const { minimum = -LARGEST, maximum = LARGEST, multipleOf } = schema;
  if (multipleOf !== undefined) return fc.oneof(...multiples(schema, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER));
  const parts = [
    ...multiples(schema, -1_000, 1_000),
    ...doubles(Math.max(minimum, SMALLEST), maximum),
    ...doubles(minimum, Math.min(maximum, -SMALLEST)),
  ];
  if (parts.length > 0) return fc.oneof({ withCrossShrink: true }, ...parts);
  return fc.double({ min: schema.minimum ?? -Number.MAX_VALUE, max: schema.maximum ?? Number.MAX_VALUE, noNaN: true });
}

/**
 * Of what a schema says, within the bounds of it and of the caller's; none where nothing lies within. One in four is 0 or a bound: there conversions go wrong
 * first. Bounds that are excluded are left to whoever validates.
 */
function multiples({ minimum, maximum, multipleOf = 1 }: Schema, least: number, most: number): fc.Arbitrary<number>[] {
  const factor = Math.max(multipleOf, 1);
  const min = Math.ceil(Math.max(least / factor, (minimum ?? least) / multipleOf));
  const max = Math.floor(Math.min(most / factor, (maximum ?? most) / multipleOf));
  if (min > max) return [];
  const edges = [...(min <= 0 && max >= 0 ? [0] : []), min, max];
  const counts = fc.oneof({ weight: 1, arbitrary: fc.constantFrom(...edges) }, { weight: 3, arbitrary: fc.integer({ min, max }) });
  // No zero has a sign in JSON.
  return [counts.map((count) => count * multipleOf || 0)];
}

const doubles = (min: number, max: number): fc.Arbitrary<number>[] => (min <= max ? [fc.double({ min, max, noNaN: true })] : []);
