import type { KubernetesObject } from "@annex/apimachinery";

/** A core v1 Secret as it is read: `data` in base64. */
export interface SecretObject extends KubernetesObject {
  readonly type?: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
}

const encoder = new TextEncoder();

/** How many bytes one call takes as arguments: engines bound their number. */
const CHUNK_BYTES = 8 * 1024;

/** Text as a value of a Secret's `data`: base64 of its UTF-8. */
export function encodeData(text: string): string {
  const bytes = encoder.encode(text);
  let binary = "";
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) binary += String.fromCharCode(...bytes.subarray(start, start + CHUNK_BYTES));
  return btoa(binary);
}

/** The text of a value of a Secret's `data`; undefined when it is missing, or is no base64 of UTF-8. */
export function decodeData(data: SecretObject["data"], key: string): string | undefined {
  const value = data?.[key];
  if (value === undefined) return undefined;
  try {
    return strictDecoder.decode(bytesOf(atob(value)));
  } catch {
    return undefined;
  }
}

const strictDecoder = new TextDecoder("utf-8", { fatal: true });

/** Each character's code as a byte. A loop: `Uint8Array.from` calls a function for each, which for a megabyte takes a quarter of a second. */
function bytesOf(binary: string): Uint8Array {
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
