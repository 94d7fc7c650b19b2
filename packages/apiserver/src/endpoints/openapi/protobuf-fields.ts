import { encodeJSONText, isJSONObject, type JSONValue } from "@annex/apimachinery";

/** Writes what stands inside of a length-delimited field: a text, or a message's fields. */
export type Content = (value: JSONValue) => Uint8Array;
/** Writes a field, with its number: as often as it occurs, or not at all. */
export type Field = (value: JSONValue) => Uint8Array;

const encoder = new TextEncoder();
const NOTHING = new Uint8Array();
const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;

export const text: Content = (value) => encoder.encode(String(value));

/** A field whose content has a length: a string, or a message. */
export function field(number: number, content: Content): Field {
  const start = tag(number, LENGTH_DELIMITED);
  return (value) => {
    const bytes = content(value);
    return concat([start, varint(bytes.length), bytes]);
  };
}

export const string = (number: number): Field => field(number, text);

export function bool(number: number): Field {
  const start = tag(number, VARINT);
  return (value) => concat([start, varint(value === true ? 1 : 0)]);
}

/** A whole number, not negative and at most 2^53: lengths and counts. */
export function int64(number: number): Field {
  const start = tag(number, VARINT);
  return (value) => concat([start, varint(Number(value))]);
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
  return (value) => (Array.isArray(value) ? concat(value.map(one)) : NOTHING);
}

/** One field for each entry of an object: a message of a name (1) and a value (2). */
export function named(number: number, content: Content): Field {
  const write = namedField(number, content);
  return (value) => concat(entriesOf(value).map(([key, member]) => write(key, member)));
}

function namedField(number: number, content: Content): (name: string, value: JSONValue) => Uint8Array {
  const start = tag(number, LENGTH_DELIMITED);
  const nameField = string(1);
  const valueField = field(2, content);
  return (name, value) => {
    const entry = [nameField(name), valueField(value)];
    return concat([start, varint(totalLength(entry)), ...entry]);
  };
}

/**
 * A message whose fields are the members of a JSON object; a member without a field is left out.
 *
 * @param extensions the number of the field for members whose names begin with `x-`.
 */
export function message(fields: Readonly<Record<string, Field>>, extensions?: number): Content {
  const extension = extensions === undefined ? undefined : namedField(extensions, any);
  return (value) =>
    concat(
      entriesOf(value).map(([key, member]) => {
        if (extension !== undefined && key.startsWith("x-")) return extension(key, member);
        return fields[key]?.(member) ?? NOTHING;
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
  return varint(number * 8 + wireType);
}

/** @param value a whole number, not negative and at most 2^53. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(totalLength(parts));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function totalLength(parts: readonly Uint8Array[]): number {
  return parts.reduce((length, part) => length + part.length, 0);
}
