/** One value of DER: its tag, what is in it, and all of its bytes. */
export interface DERValue {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * Reads one value. Source: X.690; of its tags only those of one byte, of its lengths those of up to four.
 *
 * @throws {RangeError} for what is cut off, or no DER.
 */
export function readDER(bytes: Uint8Array, at = 0): DERValue {
  const tag = byteAt(bytes, at);
  const first = byteAt(bytes, at + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if ((tag & 0x1f) === 0x1f || first === 0x80 || lengthBytes > 4) throw new RangeError("a value of DER that is not read here");
  let length = first < 0x80 ? first : 0;
  for (let index = 0; index < lengthBytes; index++) length = length * 256 + byteAt(bytes, at + 2 + index);
  const start = at + 2 + lengthBytes;
  const end = start + length;
  if (end > bytes.length) throw new RangeError("a value of DER that is cut off");
  return { tag, content: bytes.subarray(start, end), bytes: bytes.subarray(at, end) };
}

/** The values within a constructed one. @throws {RangeError} as {@link readDER}. */
export function readDERParts({ content }: DERValue): readonly DERValue[] {
  const parts: DERValue[] = [];
  for (let at = 0; at < content.length; ) {
    const part = readDER(content, at);
    parts.push(part);
    at += part.bytes.length;
  }
  return parts;
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new RangeError("a value of DER that is cut off");
  return byte;
}
