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
