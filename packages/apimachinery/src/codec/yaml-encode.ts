import { isJSONObject, type JSONValue } from "../meta/index.ts";
import { encodeJSON } from "./json.ts";
import { isSimpleKey, YAMLEmitter } from "./yaml-emitter.ts";
import { formatFloat } from "./yaml-scalar.ts";

const encoder = new TextEncoder();
const INDENT = 2;
const MAX_UINT64 = 2 ** 64;
/** What nests deeper is written as JSON: as deep as decoders let values nest would exhaust the stack. Nothing that a schema describes comes near this. */
const MAX_DEPTH = 1000;

/**
 * Writes a value as YAML, letter for letter as kube-apiserver does: keys in natural order (`a2` before `a10`), lists not indented below their key, lines
 * folded after column 80, strings quoted where YAML 1.1 would read something else. Properties that are `undefined` are left out. Two texts are
 * double-quoted that Go leaves bare: those with U+2028 or U+2029, which only YAML 1.1 takes for line breaks, and the key `<<`, which is the merge key.
 *
 * A value that nests deeper than 1,000, or would be little but blanks as YAML, is written as JSON, which YAML is a superset of.
 *
 * Source: sigs.k8s.io/yaml JSONToYAML over go.yaml.in/yaml/v2.
 */
export function encodeYAML(value: JSONValue): Uint8Array {
  try {
    const emitter = new YAMLEmitter();
    writeValue(emitter, value, { indent: -1, isInMap: false, depth: 0 });
    emitter.indent(0);
    return encoder.encode(emitter.toString());
  } catch (error) {
    if (error instanceof RangeError) return encodeJSON(value);
    throw error;
  }
}

interface Place {
  /** The column of the container's entries; -1 for the whole document. */
  readonly indent: number;
  readonly isInMap: boolean;
  readonly depth: number;
}

function writeValue(emitter: YAMLEmitter, value: JSONValue, place: Place): void {
  if (place.depth > MAX_DEPTH) throw new RangeError(`a YAML value nests deeper than ${MAX_DEPTH}`);
  if (typeof value === "string") emitter.string(value, place.indent, false);
  else if (isArray(value)) writeList(emitter, value, place);
  else if (isJSONObject(value)) writeMap(emitter, value, place);
  else emitter.word(formatWord(value));
}

function writeList(emitter: YAMLEmitter, list: readonly JSONValue[], place: Place): void {
  if (list.length === 0) emitter.word("[]");
  const isIndentless = place.isInMap && !emitter.isIndentation;
  const indent = isIndentless ? place.indent : deeper(place.indent);
  for (const item of list) {
    emitter.indent(indent);
    emitter.blockIndicator("-");
    writeValue(emitter, item, { indent, isInMap: false, depth: place.depth + 1 });
  }
}

function writeMap(emitter: YAMLEmitter, map: { readonly [key: string]: JSONValue | undefined }, place: Place): void {
  const keys = Object.keys(map).filter((key) => map[key] !== undefined);
  if (keys.length === 0) emitter.word("{}");
  const indent = deeper(place.indent);
  const entry: Place = { indent, isInMap: true, depth: place.depth + 1 };
  for (const key of keys.sort(compareKeys)) {
    emitter.indent(indent);
    if (isSimpleKey(key)) {
      emitter.string(key, indent, true);
      emitter.colon();
    } else {
      emitter.blockIndicator("?");
      emitter.string(key, indent, false);
      emitter.indent(indent);
      emitter.blockIndicator(":");
    }
    writeValue(emitter, map[key] ?? null, entry);
  }
}

function deeper(indent: number): number {
  return indent < 0 ? 0 : indent + INDENT;
}

function formatWord(value: null | boolean | number | bigint): string {
  if (typeof value !== "number") return String(value);
  if (!Number.isFinite(value)) return "null"; // as JSON has it
  if (Number.isInteger(value) && value < MAX_UINT64 && value >= -(2 ** 63)) return String(value);
  return formatFloat(value);
}

function isArray(value: JSONValue): value is readonly JSONValue[] {
  return Array.isArray(value);
}

const LETTER = /^\p{L}$/u;
const DIGIT = /^\p{Nd}$/u;

/** Natural order: runs of digits compare as numbers, letters come after what is no letter. Source: go.yaml.in/yaml/v2, keyList.Less. */
function compareKeys(left: string, right: string): number {
  const a = [...left];
  const b = [...right];
  for (let at = 0; at < a.length && at < b.length; at++) {
    const x = a[at] ?? "";
    const y = b[at] ?? "";
    if (x !== y) return compareAt(a, b, at, x, y);
  }
  return a.length - b.length;
}

function compareAt(a: readonly string[], b: readonly string[], at: number, x: string, y: string): number {
  const isLetterX = LETTER.test(x);
  const isLetterY = LETTER.test(y);
  if (isLetterX !== isLetterY) return isLetterY ? -1 : 1;
  const byPoint = (x.codePointAt(0) ?? 0) - (y.codePointAt(0) ?? 0);
  if (isLetterX) return byPoint;
  // A zero that continues a number counts: 10 is less than 11, whereas 01 and 1 differ in length only.
  const start = (x === "0" || y === "0") && continuesNumber(a, at) ? 1n : 0n;
  const [numberX, endX] = readDigits(a, at, start);
  const [numberY, endY] = readDigits(b, at, start);
  if (numberX !== numberY) return numberX < numberY ? -1 : 1;
  return endX - endY || byPoint;
}

function continuesNumber(text: readonly string[], at: number): boolean {
  for (let before = at - 1; before >= 0 && DIGIT.test(text[before] ?? ""); before--) if (text[before] !== "0") return true;
  return false;
}

/** A run of digits as Go adds them up: in 64 bits, with what that loses. @returns the number and where the run ends. */
function readDigits(text: readonly string[], at: number, start: bigint): [number: bigint, end: number] {
  let number = start;
  let end = at;
  for (; end < text.length && DIGIT.test(text[end] ?? ""); end++) {
    number = BigInt.asIntN(64, number * 10n + BigInt((text[end]?.codePointAt(0) ?? 48) - 48));
  }
  return [number, end];
}
