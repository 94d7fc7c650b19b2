import { badRequest, type JSONObject, type JSONValue, setOwn } from "../meta/index.ts";
import { encodeBase64 } from "./base64.ts";
import { decodeStrictJSON } from "./json.ts";
import { deleteOptions, type ProtobufField, type ProtobufMessage } from "./protobuf-message.ts";
import { PROTOBUF_KINDS } from "./protobuf-messages.ts";
import { malformed, ProtobufReader, type WireType } from "./protobuf-reader.ts";

/** The bytes before every protobuf message of Kubernetes: `k8s` and a zero. */
const PREFIX: readonly number[] = [0x6b, 0x38, 0x73, 0x00];

export interface DecodedProtobuf {
  /** As the envelope has it: possibly empty, then the request's path says it. */
  readonly apiVersion: string;
  readonly kind: string;
  /** What the JSON of the same object decodes to, without `apiVersion` and `kind`. */
  readonly value: JSONObject;
}

/** The type that a body has when its envelope does not say it: that of the request's path. */
export interface DefaultType {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Whether bytes claim to be Kubernetes' protobuf. */
export function isProtobuf(bytes: Uint8Array): boolean {
  return bytes.length >= PREFIX.length && PREFIX.every((byte, index) => bytes[index] === byte);
}

/**
 * Reads a protobuf body: `k8s\0`, then a runtime.Unknown that names the type and holds the object. Fields that are not known are passed over.
 *
 * Known are the kinds of {@link PROTOBUF_KINDS}, and DeleteOptions of every group and version.
 *
 * @param defaults used for what the envelope leaves empty.
 * @throws {APIError} BadRequest when the bytes are not such a message, and for every other kind.
 *
 * Source: k8s.io/apimachinery/pkg/runtime/serializer/protobuf, Serializer.Decode.
 */
export function decodeProtobuf(bytes: Uint8Array, defaults: DefaultType = { apiVersion: "", kind: "" }): DecodedProtobuf {
  if (bytes.length === 0) throw badRequest("empty data");
  if (!isProtobuf(bytes)) {
    throw badRequest(`provided data does not appear to be a protobuf message, expected prefix [${PREFIX.join(" ")}]`);
  }
  if (bytes.length === PREFIX.length) throw badRequest("empty body");
  const envelope = readEnvelope(bytes.subarray(PREFIX.length));
  const apiVersion = envelope.apiVersion === "" ? defaults.apiVersion : envelope.apiVersion;
  const kind = envelope.kind === "" ? defaults.kind : envelope.kind;
  const message = kind === "DeleteOptions" ? deleteOptions : lookUp(`${apiVersion}/${kind}`);
  if (kind === "") throw badRequest("Object 'Kind' is missing in the protobuf message");
  if (message === undefined) throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`);
  return { apiVersion, kind, value: readMessage(envelope.raw, message) };
}

/** The message of a kind whose name a client sent: `constructor` is none. */
function lookUp(type: string): ProtobufMessage | undefined {
  return Object.hasOwn(PROTOBUF_KINDS, type) ? PROTOBUF_KINDS[type] : undefined;
}

interface Envelope {
  apiVersion: string;
  kind: string;
  raw: Uint8Array;
}

/** runtime.Unknown: typeMeta (1: apiVersion 1, kind 2), raw (2), contentEncoding (3), contentType (4). */
function readEnvelope(bytes: Uint8Array): Envelope {
  const envelope: Envelope = { apiVersion: "", kind: "", raw: new Uint8Array() };
  eachField(bytes, (field, wireType, reader) => {
    if (field === 1) {
      expectWireType("typeMeta", wireType, "bytes");
      eachField(reader.bytes(), (inner, innerType, meta) => {
        if (inner !== 1 && inner !== 2) return meta.skip(innerType);
        expectWireType(inner === 1 ? "apiVersion" : "kind", innerType, "bytes");
        envelope[inner === 1 ? "apiVersion" : "kind"] = meta.string();
      });
    } else if (field === 2) {
      expectWireType("raw", wireType, "bytes");
      envelope.raw = reader.bytes();
    } else reader.skip(wireType);
  });
  return envelope;
}

type MutableObject = Record<string, JSONValue | undefined>;

/** Reads a message as its descriptor says. Nesting is as deep as the descriptors are, whatever the bytes say. */
function readMessage(bytes: Uint8Array, message: ProtobufMessage, target: MutableObject = {}): JSONObject {
  eachField(bytes, (number, wireType, reader) => {
    const field = message[number];
    if (field === undefined) return reader.skip(wireType);
    if (field.form === "map") readMapEntry(reader, wireType, field, target);
    else if (field.form === "list") readListElement(reader, wireType, field, target);
    else readSingle(reader, wireType, field, target);
  });
  return target;
}

function readSingle(reader: ProtobufReader, wireType: WireType, field: ProtobufField, target: MutableObject): void {
  // A message that comes in several pieces is the sum of them; of anything else the last one counts.
  const earlier = target[field.name];
  const value = readValue(reader, wireType, field, isMutableObject(earlier) ? earlier : undefined);
  if (field.keepsZero || !isZero(value)) target[field.name] = value;
  else delete target[field.name];
}

function readListElement(reader: ProtobufReader, wireType: WireType, field: ProtobufField, target: MutableObject): void {
  const value = readValue(reader, wireType, field);
  const earlier = target[field.name];
  if (isMutableArray(earlier)) earlier.push(value);
  else target[field.name] = [value];
}

function readMapEntry(reader: ProtobufReader, wireType: WireType, field: ProtobufField, target: MutableObject): void {
  expectWireType(field.name, wireType, "bytes");
  let key = "";
  let value: JSONValue = field.type === "strings" ? [] : "";
  eachField(reader.bytes(), (number, innerType, entry) => {
    if (number === 1) {
      expectWireType(field.name, innerType, "bytes");
      key = entry.string();
    } else if (number === 2) value = readValue(entry, innerType, field);
    else entry.skip(innerType);
  });
  const earlier = target[field.name];
  const entries: MutableObject = isMutableObject(earlier) ? earlier : {};
  setOwn(entries, key, value);
  target[field.name] = entries;
}

function readValue(reader: ProtobufReader, wireType: WireType, { name, type }: ProtobufField, earlier?: MutableObject): JSONValue {
  expectWireType(name, wireType, type === "bool" || type === "int64" ? "varint" : "bytes");
  switch (type) {
    case "string":
      return reader.string();
    case "bool":
      return reader.bool();
    case "int64":
      return reader.int64();
    case "bytes":
      return encodeBase64(reader.bytes());
    case "time":
      return readTime(reader.bytes(), name);
    case "json":
      return readEmbeddedJSON(reader.bytes(), name);
    case "strings":
      return readStrings(reader.bytes(), name);
    default:
      return readMessage(reader.bytes(), type, earlier);
  }
}

/** Years 1 to 9999: what RFC 3339 can say, and Go's JSON writes. */
const MIN_SECONDS = -62135596800;
const MAX_SECONDS = 253402300799;

/** meta/v1 Time: seconds since 1970 (1); its nanos (2) are dropped, as Kubernetes does. No bytes at all are the zero time: null. */
function readTime(bytes: Uint8Array, name: string): string | null {
  if (bytes.length === 0) return null;
  let seconds: number | bigint = 0;
  eachField(bytes, (number, wireType, reader) => {
    if (number !== 1) return reader.skip(wireType);
    expectWireType(name, wireType, "varint");
    seconds = reader.int64();
  });
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS) throw malformed(`${name}: year outside of range [1,9999]`);
  if (seconds === MIN_SECONDS) return null; // Go's zero time
  return new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z");
}

/** meta/v1 FieldsV1: JSON text in field 1. */
function readEmbeddedJSON(bytes: Uint8Array, name: string): JSONValue {
  let text: Uint8Array = new Uint8Array();
  eachField(bytes, (number, wireType, reader) => {
    if (number !== 1) return reader.skip(wireType);
    expectWireType(name, wireType, "bytes");
    text = reader.bytes();
  });
  if (text.length === 0) return null;
  try {
    return decodeStrictJSON(text).value;
  } catch (error) {
    throw malformed(`${name}: ${error instanceof Error ? error.message : "no JSON"}`);
  }
}

/** A message of repeated text in field 1. */
function readStrings(bytes: Uint8Array, name: string): readonly string[] {
  const strings: string[] = [];
  eachField(bytes, (number, wireType, reader) => {
    if (number !== 1) return reader.skip(wireType);
    expectWireType(name, wireType, "bytes");
    strings.push(reader.string());
  });
  return strings;
}

function eachField(bytes: Uint8Array, visit: (field: number, wireType: WireType, reader: ProtobufReader) => void): void {
  const reader = new ProtobufReader(bytes);
  while (!reader.isAtEnd) {
    const { field, wireType } = reader.tag();
    visit(field, wireType, reader);
  }
}

function expectWireType(name: string, actual: WireType, expected: WireType): void {
  if (actual !== expected) throw malformed(`wrong wireType = ${actual} for field ${name}`);
}

function isZero(value: JSONValue): boolean {
  return value === "" || value === 0 || value === false || value === null;
}

function isMutableObject(value: JSONValue | undefined): value is MutableObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMutableArray(value: JSONValue | undefined): value is JSONValue[] {
  return Array.isArray(value);
}
