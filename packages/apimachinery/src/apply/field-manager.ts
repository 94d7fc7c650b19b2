/** In bytes of UTF-8. Source: meta/v1 validation, FieldManagerMaxLength. */
const MAX_BYTES = 128;

/** What Go's unicode.IsPrint lets through: letters, marks, numbers, punctuation, symbols, and of all spaces the plain one. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/**
 * The field manager of a request that names none: its User-Agent up to the first slash, without unprintable characters, cut to 128 bytes between characters.
 *
 * @returns possibly empty, which {@link updateManagedFields} records as `unknown`.
 * Source: apiserver endpoints/handlers, prefixFromUserAgent.
 */
export function managerFromUserAgent(userAgent: string): string {
  const slash = userAgent.indexOf("/");
  let manager = "";
  let bytes = 0;
  for (const character of slash < 0 ? userAgent : userAgent.slice(0, slash)) {
    if (!PRINTABLE.test(character)) continue;
    bytes += utf8Length(character);
    if (bytes > MAX_BYTES) break;
    manager += character;
  }
  return manager;
}

/** Of one character. */
function utf8Length(character: string): number {
  const codePoint = character.codePointAt(0) ?? 0;
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}
