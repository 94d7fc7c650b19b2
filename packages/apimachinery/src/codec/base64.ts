const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const CHUNK_BYTES = 3 * 4096;

/** Bytes as base64 with padding, the form of `[]byte` in Kubernetes' JSON. Source: RFC 4648 section 4. */
export function encodeBase64(bytes: Uint8Array): string {
  const chunks: string[] = [];
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) chunks.push(encodeChunk(bytes.subarray(start, start + CHUNK_BYTES)));
  return chunks.join("");
}

function encodeChunk(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const second = bytes[at + 1];
    const third = bytes[at + 2];
    const bits = ((bytes[at] ?? 0) << 16) | ((second ?? 0) << 8) | (third ?? 0);
    text += ALPHABET[bits >> 18];
    text += ALPHABET[(bits >> 12) & 63];
    text += second === undefined ? "=" : ALPHABET[(bits >> 6) & 63];
    text += third === undefined ? "=" : ALPHABET[bits & 63];
  }
  return text;
}

const isNewline = (character: string | undefined): boolean => character === "\n" || character === "\r";

/**
 * Where Go's decoder stops at base64 that it does not take: at a character that is none of the alphabet, at what follows the padding, at the end where padding is missing, or at the
 * beginning of the last four characters where they are too few. Line ends are passed over.
 *
 * @returns undefined where the text is base64 with padding. Source: encoding/base64, decodeQuantum.
 */
export function illegalBase64At(text: string): number | undefined {
  for (let at = 0; at < text.length; ) {
    let place = 0;
    for (; place < 4; at++) {
      const character = text[at];
      if (character === undefined) return place === 0 ? undefined : at - place;
      if (isNewline(character)) continue;
      if (!ALPHABET.includes(character)) break;
      place++;
    }
    if (place === 4) continue;
    return text[at] === "=" && place > 1 ? illegalPaddingAt(text, at + 1, place) : at;
  }
  return undefined;
}

/** @param from behind the first `=`. @param place how many characters of the last four stand before it. */
function illegalPaddingAt(text: string, from: number, place: number): number | undefined {
  let at = from;
  const passNewlines = () => {
    while (isNewline(text[at])) at++;
  };
  if (place === 2) {
    passNewlines();
    if (at === text.length) return at;
    if (text[at] !== "=") return at - 1;
    at++;
  }
  passNewlines();
  return at < text.length ? at : undefined;
}
