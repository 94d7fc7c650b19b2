import type { APIRequest } from "../endpoints/http.ts";

/**
 * The values of a header that names somebody, one for each time that it was sent: a comma is a part of the value.
 *
 * @param name in lower case.
 */
export function headerTexts(request: APIRequest, name: string): readonly string[] {
  return valuesOf(request, name).map(decodeHeaderText);
}

function valuesOf(request: APIRequest, name: string): readonly string[] {
  if (request.headerValues !== undefined) return request.headerValues(name);
  const value = request.headers[name];
  return value === undefined ? [] : [value];
}

/** Headers come as bytes, one a character; names are in UTF-8, as everywhere in Kubernetes. */
function decodeHeaderText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) || /[^\0-\xff]/.test(text)
    ? text
    : new TextDecoder().decode(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}

/** A key of extra, as it stands percent-encoded in the name of a header. What is badly encoded stays as it is: nothing that somebody says is passed over in silence. */
export function decodeExtraKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
