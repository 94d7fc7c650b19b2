// Bytes to values and back: JSON, YAML, the protobuf that clients send for built-in kinds, watch frames, and which of them a request speaks.
// No schema and no kind is known here beyond the protobuf tables. The apiserver's endpoints and stores import it.
export { encodeBase64, illegalBase64At } from "./base64.ts";
export * from "./content-type.ts";
export { type DecodedJSON, decodeJSON, decodeStrictJSON, encodeJSON, encodeJSONText, encodePrettyJSON, strictFaults } from "./json.ts";
export { JSONSyntaxError, MAX_JSON_DEPTH } from "./json-parser.ts";
export * from "./negotiation.ts";
export { type DecodedProtobuf, type DefaultType, decodeProtobuf, isProtobuf } from "./protobuf.ts";
export { encodeWatchFrame, type WatchEventType } from "./watch-frame.ts";
export { type DecodedYAML, decodeYAML, formatYAMLDuplicates } from "./yaml.ts";
export { encodeYAML } from "./yaml-encode.ts";
export { YAMLSyntaxError } from "./yaml-error.ts";
