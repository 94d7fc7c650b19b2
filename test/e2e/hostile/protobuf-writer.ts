// Protobuf without messages: what is needed to write valid bodies, and to take any body apart.

/** A field on the wire: a number for a varint, bytes for anything that has a length. */
export type WireField = readonly [number: number, value: bigint | Uint8Array];

const encoder = new TextEncoder();
const MAGIC = encoder.encode("k8s\0");

export function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

export function encodeFields(fields: readonly WireField[]): Uint8Array {
  return Buffer.concat(
    fields.flatMap(([number, value]) =>
      typeof value === "bigint"
        ? [varint(BigInt(number) << 3n), varint(value)]
        : [varint((BigInt(number) << 3n) | 2n), varint(BigInt(value.length)), value],
    ),
  );
}

export const text = (number: number, value: string): WireField => [number, encoder.encode(value)];
export const message = (number: number, ...fields: readonly WireField[]): WireField => [number, encodeFields(fields)];

/** An object as Kubernetes sends it: four bytes, then `runtime.Unknown` around the message. */
export function encodeObject(apiVersion: string, kind: string, ...fields: readonly WireField[]): Uint8Array {
  const unknown = encodeFields([message(1, text(1, apiVersion), text(2, kind)), [2, encodeFields(fields)], text(3, ""), text(4, "")]);
  return Buffer.concat([MAGIC, unknown]);
}

/** Reads fields while they make sense. @returns undefined for bytes that are no message. */
export function decodeFields(bytes: Uint8Array): WireField[] | undefined {
  const fields: WireField[] = [];
  let at = 0;
  const read = (): bigint | undefined => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = read();
    const value = read();
    if (tag === undefined || value === undefined || tag >> 3n === 0n || tag >> 3n > 1000n) return undefined;
    const number = Number(tag >> 3n);
    if ((tag & 7n) === 0n) fields.push([number, value]);
    else if ((tag & 7n) === 2n && value <= BigInt(bytes.length - at)) {
      fields.push([number, bytes.subarray(at, at + Number(value))]);
      at += Number(value);
    } else return undefined;
  }
  return fields;
}
