import { encodeJSON, encodePrettyJSON, encodeYAML, type JSONValue, type NegotiatedResponse, prefersPretty } from "@annex/apimachinery";
import type { APIRequest } from "../http.ts";
import { sha256 } from "./sha256.ts";

/** What of a request decides which bytes of a document it gets. */
export interface DocumentRequest extends Pick<APIRequest, "query" | "headers"> {
  /** Decoded: percent-encoding undone, as `RequestInfo` has it. */
  readonly path: string;
}

/** A document that does not change while the server runs, in every form it can be asked for. */
export class StaticDocument {
  readonly #json: Uint8Array;
  readonly #pretty: Uint8Array;
  readonly #yaml: Uint8Array;
  /** The entity tag, without its quotes: hexadecimal, in upper case. As in Kubernetes, the forms of one document share it. */
  readonly hash: string;

  constructor(value: JSONValue) {
    this.#json = encodeJSON(value);
    this.#pretty = encodePrettyJSON(value);
    this.#yaml = encodeYAML(value);
    this.hash = documentHash(this.#json);
  }

  bytes({ mediaType, pretty }: NegotiatedResponse, { query, headers }: DocumentRequest): Uint8Array {
    if (mediaType === "application/yaml") return this.#yaml;
    return pretty || prefersPretty(query, headers["user-agent"]) ? this.#pretty : this.#json;
  }
}

/** A name for these bytes, for ETags and the `hash` of OpenAPI URLs: 64 hexadecimal digits in upper case. */
export function documentHash(bytes: Uint8Array): string {
  return Array.from(sha256(bytes), (byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .toUpperCase();
}

/**
 * Whether the client already holds what has this hash.
 *
 * @param ifNoneMatch the header: `*`, or entity tags joined by commas; weak ones count.
 * Source: RFC 9110, 13.1.2.
 */
export function isNotModified(ifNoneMatch: string | undefined, hash: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(",").some((entry) => {
    const tag = entry.trim();
    return tag === "*" || tag === `"${hash}"` || tag === `W/"${hash}"`;
  });
}
