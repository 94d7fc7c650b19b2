import { decodeFields, encodeFields, varint, type WireField } from "./protobuf-writer.ts";
import type { Random } from "./random.ts";

const MAGIC_LENGTH = 4;
const NUMBERS = [1, 2, 3, 4, 5, 15, 16, 19_000, 536_870_911];
const VARINTS = [0n, 1n, 127n, 128n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];

type FieldMutator = (field: WireField, random: Random) => Uint8Array;

const valueBytes = (value: bigint | Uint8Array) => (typeof value === "bigint" ? varint(value) : Buffer.concat([varint(BigInt(value.length)), value]));
const tag = (number: number, wireType: number) => varint((BigInt(number) << 3n) | BigInt(wireType));

/** What becomes of one field, as bytes. */
const FIELD_MUTATORS: Readonly<Record<string, FieldMutator>> = {
  "another number": ([, value], random) => encodeFields([[random.pick(NUMBERS), value]]),
  "number zero": ([, value]) => Buffer.concat([tag(0, 2), valueBytes(value)]),
  "another wire type": ([number, value], random) => Buffer.concat([tag(number, random.below(8)), valueBytes(value)]),
  "another length": ([number, value], random) => {
    const content = typeof value === "bigint" ? varint(value) : value;
    return Buffer.concat([tag(number, 2), varint(random.chance(0.3) ? BigInt(content.length + 1) : random.pick(VARINTS)), content]);
  },
  "an endless varint": ([number], random) => Buffer.concat([tag(number, 0), new Uint8Array(random.pick([9, 10, 11, 5000])).fill(0xff)]),
  "a big number": ([number], random) => encodeFields([[number, random.pick(VARINTS)]]),
  "other text": ([number], random) =>
    encodeFields([[number, random.pick([Buffer.of(0xff, 0xfe), Buffer.of(0), Buffer.alloc(0), Buffer.alloc(70_000, "a"), Buffer.from("../..")])]]),
  twice: (field) => encodeFields([field, field]),
  "many times": (field, random) => encodeFields(Array.from({ length: random.pick([20, 3000]) }, () => field)),
  "left out": () => new Uint8Array(0),
  "in itself": ([number, value], random) => {
    let field: WireField = [number, value];
    for (let depth = random.pick([1, 20, 150, 3000]); depth > 0; depth--) field = [number, encodeFields([field])];
    return encodeFields([field]);
  },
};

/** Changes one field somewhere inside, and leaves the lengths around it right. */
function changeField(bytes: Uint8Array, random: Random, mutate: FieldMutator, depth: number): Uint8Array {
  const fields = decodeFields(bytes) ?? [];
  if (fields.length === 0) return bytes;
  const chosen = random.below(fields.length);
  return Buffer.concat(
    fields.map((field, index) => {
      const [number, value] = field;
      if (index !== chosen) return encodeFields([field]);
      const goesDeeper = typeof value !== "bigint" && depth > 0 && value.length > 0 && decodeFields(value) !== undefined && random.chance(0.75);
      return goesDeeper ? encodeFields([[number, changeField(value, random, mutate, depth - 1)]]) : mutate(field, random);
    }),
  );
}

/** Changes protobuf by its wire format; the four bytes in front stay. */
export const PROTOBUF_MUTATORS: Readonly<Record<string, (bytes: Uint8Array, random: Random) => Uint8Array>> = Object.fromEntries(
  Object.entries(FIELD_MUTATORS).map(([name, mutate]) => [
    name,
    (bytes: Uint8Array, random: Random) =>
      Buffer.concat([bytes.subarray(0, MAGIC_LENGTH), changeField(bytes.subarray(MAGIC_LENGTH), random, mutate, 6)]),
  ]),
);
