import { type APIError, badRequest } from "../meta/index.ts";

const strictUTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How a field lies on the wire. */
export type WireType = "varint" | "fixed64" | "bytes" | "fixed32";

const WIRE_TYPES: readonly (WireType | undefined)[] = ["varint", "fixed64", "bytes", undefined, undefined, "fixed32"];

/** The 400 of bytes that are no protobuf message. */
export function malformed(why: string): APIError {
  return badRequest(`proto: ${why}`);
}

/**
 * Reads the fields of one protobuf message. Nothing is copied: byte fields are views of the message.
 *
 * Groups, which protobuf has given up and Kubernetes never used, are refused.
 *
 * @throws {APIError} BadRequest, from every method, when the message ends early or holds what no encoder writes.
 * Source: the protobuf encoding guide (protobuf.dev).
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next field's number and the form of what follows. */
  tag(): { readonly field: number; readonly wireType: WireType } {
    const tag = this.uint64();
    const field = Number(tag >> 3n);
    const wireType = WIRE_TYPES[Number(tag & 7n)];
    if (wireType === undefined) throw malformed(`illegal wireType ${tag & 7n}`);
    if (field < 1 || field > 0x1fffffff) throw malformed(`illegal tag ${field} (wire type ${tag & 7n})`);
    return { field, wireType };
  }

  /** A varint of at most ten bytes, as an unsigned number of 64 bits. */
  uint64(): bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed("integer overflow");
  }

  /** A varint as a signed number of 64 bits: bigint where a number would lose digits. */
  int64(): number | bigint {
    const value = BigInt.asIntN(64, this.uint64());
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  bool(): boolean {
    return this.uint64() !== 0n;
  }

  bytes(): Uint8Array {
    const length = this.uint64();
    const left = BigInt(this.#bytes.length - this.#at);
    if (length > left) throw malformed("unexpected EOF");
    const start = this.#at;
    this.#at += Number(length);
    return this.#bytes.subarray(start, this.#at);
  }

  string(): string {
    const bytes = this.bytes();
    try {
      return strictUTF8.decode(bytes);
    } catch {
      throw malformed("string field contains invalid UTF-8");
    }
  }

  /** Passes over a field that this version of the message does not know. */
  skip(wireType: WireType): void {
    if (wireType === "varint") this.uint64();
    else if (wireType === "bytes") this.bytes();
    else {
      this.#at += wireType === "fixed64" ? 8 : 4;
      if (this.#at > this.#bytes.length) throw malformed("unexpected EOF");
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw malformed("unexpected EOF");
    this.#at++;
    return byte;
  }
}
