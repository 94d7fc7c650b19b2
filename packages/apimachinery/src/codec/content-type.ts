import { type APIError, unsupportedMediaType } from "../meta/index.ts";

/** The forms of a request's body, with their media types. */
const BODY_MEDIA_TYPES = {
  json: "application/json",
  yaml: "application/yaml",
  protobuf: "application/vnd.kubernetes.protobuf",
  "json-patch": "application/json-patch+json",
  "merge-patch": "application/merge-patch+json",
  "strategic-merge-patch": "application/strategic-merge-patch+json",
  "apply-patch": "application/apply-patch+yaml",
} as const;

export type BodyFormat = keyof typeof BODY_MEDIA_TYPES;

/** What authors' kinds take as bodies. */
export const OBJECT_FORMATS = ["json", "yaml"] as const satisfies readonly BodyFormat[];
/** What built-in kinds and DeleteOptions take: kubectl and client-go send them as protobuf. */
export const BUILT_IN_FORMATS = ["json", "yaml", "protobuf"] as const satisfies readonly BodyFormat[];

const MEDIA_TYPE = /^[!#$%&'*+\-.^_`|~\w]+\/[!#$%&'*+\-.^_`|~\w]+$/;
const PARAMETER = /\s*;\s*([!#$%&'*+\-.^_`|~\w]+)\s*=\s*(?:[!#$%&'*+\-.^_`|~\w]+|"(?:[^"\\\r\n]|\\.)*")/y;
const END = /[\s;]*$/y;

/**
 * Which of the accepted forms a request's body has. Parameters such as `charset` must be well-formed and mean nothing.
 *
 * @param header Content-Type as sent; absent or empty is the first of `accepted`, unless that is a patch, whose form must be said.
 * @param accepted in the order in which the error names them.
 * @throws {APIError} UnsupportedMediaType naming the accepted media types.
 *
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/negotiation, NegotiateInputSerializerForMediaType, and patch.go.
 */
export function parseContentType<Accepted extends BodyFormat>(header: string | undefined, accepted: readonly Accepted[]): Accepted {
  const first = accepted[0];
  if ((header === undefined || header === "") && first !== undefined && !BODY_MEDIA_TYPES[first].includes("patch")) return first;
  const mediaType = mediaTypeOf(header ?? "");
  const format = accepted.find((one) => BODY_MEDIA_TYPES[one] === mediaType);
  if (format === undefined) throw unsupportedBody(accepted);
  return format;
}

/** The 415 that names what is accepted. */
export function unsupportedBody(accepted: readonly BodyFormat[]): APIError {
  return unsupportedMediaType(accepted.map((format) => BODY_MEDIA_TYPES[format]));
}

/** @returns the media type in lower case; `undefined` when the header is malformed. Source: Go's mime.ParseMediaType. */
function mediaTypeOf(header: string): string | undefined {
  const [head = ""] = header.split(";", 1);
  const mediaType = head.trim().toLowerCase();
  if (!MEDIA_TYPE.test(mediaType)) return undefined;
  const names = new Set<string>();
  let at = head.length;
  for (;;) {
    END.lastIndex = at;
    if (END.test(header)) return mediaType;
    PARAMETER.lastIndex = at;
    const name = PARAMETER.exec(header)?.[1]?.toLowerCase();
    if (name === undefined || names.has(name)) return undefined;
    names.add(name);
    at = PARAMETER.lastIndex;
  }
}
