// The property test that authors call on their kinds' conversions. Needs no test runner: it throws.
export type { FieldValues } from "./arbitrary-value.ts";
export { type ConversionTestOptions, type KnownLoss, testConversion } from "./test-conversion.ts";
