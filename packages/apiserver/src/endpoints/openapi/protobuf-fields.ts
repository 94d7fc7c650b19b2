import { encodeJSONText, isJSONObject, type JSONValue } from "@annex/apimachinery";

/** Writes what stands inside of a length-delimited field: a text, or a message's fields. */
export type Content = (value: JSONValue) => Uint8Array;
/** Writes a field, with its number: as often as it occurs, or not at all. */
export type Field = (value: JSONValue) => Uint8Array;

const encoder = new TextEncoder();
const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;

export const text: Content = (value) => encoder.encode(String(value));

/** A field whose content has a length: a string, or a message. */
export function field(number: number, content: Content): Field {
  const start = tag(number, LENGTH_DELIMITED);
  return (value) => {
    const bytes = content(value);
    return concat([start, varint(BigInt(bytes.length)), bytes]);
  };
}

export const string = (number: number): Field => field(number, text);

export function bool(number: number): Field {
  const start = tag(number, VARINT);
  return (value) => concat([start, varint(value === true ? 1n : 0n)]);
}

/** A whole number that is not negative. */
export function int64(number: number): Field {
  const start = tag(number, VARINT);
  return (value) => concat([start, varint(BigInt(Number(value)))]);
}

export function double(number: number): Field {
  const start = tag(number, FIXED_64);
  return (value) => {
    const bytes = new DataView(new ArrayBuffer(8));
    bytes.setFloat64(0, Number(value), true);
    return concat([start, new Uint8Array(bytes.buffer)]);
  };
}

/** One field for each element of a list. */
export function each(number: number, content: Content): Field {
  const one = field(number, content);
  return (value) => (Array.isArray(value) ? concat(value.map(one)) : new Uint8Array());
}

/** One field for each entry of an object: a message of a name (1) and a value (2). */
export function named(number: number, content: Content): Field {
  const name = string(1);
  const entry = field(2, content);
  return (value) => concat(entriesOf(value).map(([key, member]) => field(number, () => concat([name(key), entry(member)]))(null)));
}

/**
 * A message whose fields are the members of a JSON object; a member without a field is left out.
 *
 * @param extensions the number of the field for members whose names begin with `x-`.
 */
export function message(fields: Readonly<Record<string, Field>>, extensions?: number): Content {
  const extension = extensions === undefined ? undefined : named(extensions, any);
  return (value) =>
    concat(
      entriesOf(value).map(([key, member]) => {
        const write = key.startsWith("x-") && extension !== undefined ? (inner: JSONValue) => extension({ [key]: inner }) : fields[key];
        return write === undefined ? new Uint8Array() : write(member);
      }),
    );
}

/** A value of any form: its YAML in field 2. JSON is YAML. */
export const any: Content = (value) => string(2)(encodeJSONText(value));

function entriesOf(value: JSONValue): [string, JSONValue][] {
  if (!isJSONObject(value)) return [];
  return Object.entries(value).filter((entry): entry is [string, JSONValue] => entry[1] !== undefined);
}

function tag(number: number, wireType: number): Uint8Array {
  return varint(BigInt(number * 8 + wireType));
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
