import type { Random } from "./random.ts";

/** Changes bytes without knowing what they mean. */
export type BytesMutator = (bytes: Uint8Array, random: Random) => Uint8Array;

const MAX_REPEATS = 2000;
/** Bytes that begin, end or break something in one of the forms. */
const TELLING = [
  0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x25, 0x2d, 0x2f, 0x3a, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xc3, 0xed, 0xef, 0xf4, 0xff,
];

const someBytes = (random: Random, length: number) =>
  Uint8Array.from({ length }, () => (random.chance(0.5) ? random.pick(TELLING) : random.below(256)));

export const BYTES_MUTATORS: Readonly<Record<string, BytesMutator>> = {
  "flip a bit": (bytes, random) => {
    if (bytes.length === 0) return bytes;
    const changed = Uint8Array.from(bytes);
    const at = random.below(bytes.length);
    changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
    return changed;
  },
  "set bytes": (bytes, random) => {
    const changed = Uint8Array.from(bytes);
    if (bytes.length > 0) changed.set(someBytes(random, 1 + random.below(Math.min(4, bytes.length))).subarray(0, 1), random.below(bytes.length));
    return changed;
  },
  "insert bytes": (bytes, random) => {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), someBytes(random, 1 + random.below(8)), bytes.subarray(at)]);
  },
  "cut the end": (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  "cut a piece": (bytes, random) => {
    const from = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + random.below(40))]);
  },
  "repeat a piece": (bytes, random) => {
    const from = random.below(bytes.length + 1);
    const to = Math.min(bytes.length, from + random.below(60));
    const piece = bytes.subarray(from, to);
    const count = random.chance(0.9) ? 1 + random.below(4) : random.below(MAX_REPEATS);
    return Buffer.concat([bytes.subarray(0, to), ...Array.from({ length: count }, () => piece), bytes.subarray(to)]);
  },
  "nothing at all": () => new Uint8Array(0),
};
