const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * A namespace or a name as a part of a storage key, which is printable ASCII: everything else is percent-encoded, and the percent sign with it. Names of almost every
 * kind are as they are; only the rule `pathSegment` allows others.
 */
export function keySegment(text: string): string {
  if (/^[!-$&-.0-~]*$/.test(text)) return text;
  return Array.from(encoder.encode(text), (byte) =>
    isPlain(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
}

/** The text of which {@link keySegment} made this. */
export function textOfKeySegment(segment: string): string {
  if (!segment.includes("%")) return segment;
  const bytes: number[] = [];
  for (let index = 0; index < segment.length; index++) {
    const isEscape = segment[index] === "%";
    bytes.push(isEscape ? Number.parseInt(segment.slice(index + 1, index + 3), 16) : segment.charCodeAt(index));
    if (isEscape) index += 2;
  }
  return decoder.decode(new Uint8Array(bytes));
}

const SLASH = 0x2f;
const PERCENT = 0x25;

/** Printable ASCII, but for the slash, which parts segments, and the percent sign. */
function isPlain(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f && byte !== SLASH && byte !== PERCENT;
}
