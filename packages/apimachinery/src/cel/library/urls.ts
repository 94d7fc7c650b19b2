import { type FunctionDeclaration, member, overload } from "../check/declaration.ts";
import type { CelLibrary } from "../environment.ts";
import { CelError, noSuchOverload } from "../value/error.ts";
import { ArrayList } from "../value/list.ts";
import { EntryMap } from "../value/map.ts";
import { CelOpaque } from "../value/opaque.ts";
import { BOOL, type CelType, listType, mapType, STRING, structType } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";
import { workOn } from "../value/work.ts";
import { escapedPath, formatURL, type GoURL, hostname, parseRequestURI, parseURL, port, queryValues, URLError } from "./go-url.ts";

const URL_TYPE = structType("kubernetes.URL");

class URLValue extends CelOpaque {
  readonly url: GoURL;
  readonly #length: number;

  constructor(url: GoURL, length: number) {
    super();
    this.url = url;
    this.#length = length;
  }

  override get goType(): string {
    return "cel.URL";
  }

  override get weight(): number {
    return this.#length * 8; // most functions write or decode it again
  }

  get type(): CelType {
    return URL_TYPE;
  }

  equals(other: CelValue): CelValue {
    workOn(this);
    return other instanceof URLValue ? this.toString() === other.toString() : noSuchOverload(other);
  }

  toString(): string {
    return formatURL(this.url);
  }
}

/** Only absolute URLs and absolute paths are taken; then a fragment is split off. */
function url(text: string): CelValue {
  try {
    parseRequestURI(text);
    return new URLValue(parseURL(text), text.length);
  } catch (error) {
    if (!(error instanceof URLError)) throw error;
    return new CelError(`URL parse error during conversion from string: ${error.message}`);
  }
}

function isURL(text: string): boolean {
  try {
    parseRequestURI(text);
    return true;
  } catch (error) {
    if (!(error instanceof URLError)) throw error;
    return false;
  }
}

function query(parts: GoURL): CelValue {
  const map = new EntryMap();
  for (const [key, values] of queryValues(parts)) map.set(key, new ArrayList(values));
  return map;
}

const part = (name: string, id: string, read: (url: GoURL) => CelValue, type: CelType = STRING): FunctionDeclaration => ({
  name,
  overloads: [member(id, [URL_TYPE], type, ({ url }: URLValue) => read(url))],
});

/** URLs. Source: k8s.io/apiserver/pkg/cel/library/urls.go. */
export const URL_LIBRARY: CelLibrary = {
  name: "kubernetes.urls",
  functions: [
    { name: "url", overloads: [overload("string_to_url", [STRING], URL_TYPE, url)] },
    { name: "isURL", overloads: [overload("is_url_string", [STRING], BOOL, isURL)] },
    part("getScheme", "url_get_scheme", ({ scheme }) => scheme),
    part("getHost", "url_get_host", ({ host }) => host),
    part("getHostname", "url_get_hostname", hostname),
    part("getPort", "url_get_port", port),
    part("getEscapedPath", "url_get_escaped_path", escapedPath),
    part("getQuery", "url_get_query", query, mapType(STRING, listType(STRING))),
  ],
};
