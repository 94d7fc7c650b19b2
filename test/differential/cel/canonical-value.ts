import {
  CelDouble,
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelOpaque,
  CelOptional,
  CelTimestamp,
  CelUint,
  type CelValue,
  encodeJSONText,
  type JSONValue,
} from "@annex/apimachinery";

/** A value as value.go writes it: JSON, in which everything but null, booleans and strings is an object whose one member names the type. */
export function canonicalValue(value: CelValue): JSONValue {
  switch (typeof value) {
    case "boolean":
    case "string":
      return value;
    case "number":
    case "bigint":
      return { int: value.toString() };
    default:
      return value === null ? { null: null } : canonicalObject(value);
  }
}

function canonicalObject(value: Exclude<CelValue, null | boolean | string | number | bigint>): JSONValue {
  if (value instanceof CelUint) return { uint: value.value.toString() };
  if (value instanceof CelDouble) return { double: canonicalDouble(value.value) };
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString("base64") };
  if (value instanceof CelTimestamp) return { timestamp: new CelTimestamp(value.seconds, value.nanoseconds).toString() };
  if (value instanceof CelDuration) return { duration: value.nanoseconds.toString() };
  if (value instanceof CelOptional) return { optional: value.value === undefined ? null : [canonicalValue(value.value)] };
  if (value instanceof CelList) return { list: value.elements().map(canonicalValue) };
  if (value instanceof CelMap) return { map: canonicalEntries(value) };
  if (value instanceof CelOpaque) return { [opaqueName(value.type.name)]: value.toString() };
  if (value instanceof CelError) return { error: value.message };
  return { type: value.name };
}

/** Objects that an expression makes, those of the authorizer and the variables of policies are told by their type. */
const opaqueName = (type: string): string =>
  OPAQUE_NAMES[type] ?? (/^(JSONPatch$|Object$|Object\.|kubernetes\.(authorization\.|variables$))/.test(type) ? "made" : "preserved");

const OPAQUE_NAMES: Readonly<Record<string, string>> = {
  "kubernetes.Quantity": "quantity",
  "kubernetes.URL": "url",
  "net.IP": "ip",
  "net.CIDR": "cidr",
  "kubernetes.Semver": "semver",
  "kubernetes.NamedFormat": "format",
};

function canonicalDouble(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function canonicalEntries(map: CelMap): JSONValue {
  const entries = map.keys().map((key) => {
    const canonicalKey = canonicalValue(key);
    return { sortKey: encodeJSONText(canonicalKey), entry: [canonicalKey, canonicalValue(map.get(key))] };
  });
  entries.sort((a, b) => Buffer.compare(Buffer.from(a.sortKey), Buffer.from(b.sortKey)));
  return entries.map(({ entry }) => entry);
}
