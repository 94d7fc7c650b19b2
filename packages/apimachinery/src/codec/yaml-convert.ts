import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type Pair, type Scalar, type YAMLMap } from "yaml";
import { type JSONValue, setOwn } from "../meta/index.ts";
import { exactNumber } from "./json-parser.ts";
import { YAMLSyntaxError } from "./yaml-error.ts";
import { formatFloat, type ResolvedScalar, resolvePlainScalar } from "./yaml-scalar.ts";

/** How many duplicate keys are told. Go tells all, and a body of them would become an answer as long. */
const MAX_DUPLICATES = 100;

/** Text that aliases repeat may add up to this much beyond the length of the document: a larger object could not be stored anyway. */
const MAX_ALIASED_CHARACTERS = 4 * 1024 * 1024;

const TAG_PREFIX = "tag:yaml.org,2002:";

type MutableObject = Record<string, JSONValue | undefined>;

/**
 * Turns a composed document into a JSON value by the rules of sigs.k8s.io/yaml: keys become strings, words and numbers mean what they do in YAML 1.1,
 * merge keys are merged in the order in which they stand, so that what comes later wins.
 *
 * @throws {YAMLSyntaxError} for what JSON has no form for, aliases without an anchor or inside their own, and aliases that swell the document.
 */
export function convertYAML(document: Document.Parsed, lines: LineCounter): { value: JSONValue; duplicates: readonly string[] } {
  const converter = new Converter(lines, findAnchors(document.contents));
  const value = converter.convert(document.contents);
  return { value, duplicates: converter.duplicates };
}

/** Which node each alias stands for: the last one before it that has the anchor. */
function findAnchors(root: Node | null): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  const walk = (node: unknown): void => {
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target === undefined) throw new YAMLSyntaxError(`yaml: unknown anchor '${node.source}' referenced`);
      targets.set(node, target);
      return;
    }
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return;
    if (node.anchor !== undefined) anchors.set(node.anchor, node);
    if (isSeq(node)) for (const item of node.items) walk(item);
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        walk(key);
        walk(value);
      }
    }
  };
  walk(root);
  return targets;
}

class Converter {
  readonly duplicates: string[] = [];
  readonly #lines: LineCounter;
  readonly #targets: ReadonlyMap<Alias, Node>;
  /** The aliases being expanded, outermost first. */
  readonly #expanding = new Set<Alias>();
  #nodes = 0;
  #aliasedNodes = 0;
  #aliasedCharacters = 0;

  constructor(lines: LineCounter, targets: ReadonlyMap<Alias, Node>) {
    this.#lines = lines;
    this.#targets = targets;
  }

  convert(node: unknown): JSONValue {
    this.#count(node);
    if (isAlias(node)) return this.#expand(node, (target) => this.convert(target));
    if (isScalar(node)) return this.#scalar(node);
    if (isSeq(node)) return node.items.map((item) => this.convert(item));
    if (isMap(node)) {
      const object: MutableObject = {};
      this.#fill(object, node);
      return object;
    }
    return null;
  }

  /** @throws when aliases make up too much of what was read. Source: go.yaml.in/yaml/v2, allowedAliasRatio. */
  #count(node: unknown): void {
    this.#nodes++;
    if (this.#expanding.size === 0) return;
    this.#aliasedNodes++;
    if (isScalar(node)) this.#aliasedCharacters += node.source?.length ?? 0;
    const allowed = this.#nodes <= 400_000 ? 0.99 : this.#nodes >= 4_000_000 ? 0.1 : 0.99 - 0.89 * ((this.#nodes - 400_000) / 3_600_000);
    const isTooMany = this.#aliasedNodes > 100 && this.#nodes > 1000 && this.#aliasedNodes / this.#nodes > allowed;
    if (isTooMany || this.#aliasedCharacters > MAX_ALIASED_CHARACTERS) throw new YAMLSyntaxError("yaml: document contains excessive aliasing");
  }

  #expand<Result>(alias: Alias, use: (target: Node) => Result): Result {
    const target = this.#targets.get(alias);
    if (target === undefined || this.#expanding.has(alias)) throw new YAMLSyntaxError(`yaml: anchor '${alias.source}' value contains itself`);
    if (this.#expanding.size >= MAX_EXPANSIONS) throw new YAMLSyntaxError("yaml: document contains excessive aliasing");
    this.#expanding.add(alias);
    const result = use(target);
    this.#expanding.delete(alias);
    return result;
  }

  #fill(object: MutableObject, map: YAMLMap): void {
    for (const pair of map.items) {
      if (isMergeKey(pair.key)) this.#merge(object, pair.value);
      else this.#set(object, pair);
    }
  }

  #set(object: MutableObject, { key: keyNode, value: valueNode }: Pair): void {
    this.#nodes++;
    const key = isAlias(keyNode) ? this.#expand(keyNode, keyOf) : keyOf(keyNode);
    const value = this.convert(valueNode);
    if (Object.hasOwn(object, key)) this.#noteDuplicate(key, valueNode ?? keyNode);
    setOwn(object, key, value);
  }

  #noteDuplicate(key: string, node: unknown): void {
    if (this.duplicates.length >= MAX_DUPLICATES) return;
    const offset = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? (node.range?.[0] ?? 0) : 0;
    this.duplicates.push(`line ${this.#lines.linePos(offset).line}: key ${JSON.stringify(key)} already set in map`);
  }

  /** What is merged replaces what the map has so far; of several maps the first wins. */
  #merge(object: MutableObject, node: unknown): void {
    this.#count(node);
    if (isAlias(node)) this.#expand(node, (target) => (isMap(target) ? this.#fill(object, target) : refuseMerge()));
    else if (isMap(node)) this.#fill(object, node);
    else if (isSeq(node)) {
      for (const item of node.items.toReversed()) {
        if (isSeq(item)) refuseMerge();
        this.#merge(object, item);
      }
    } else refuseMerge();
  }

  #scalar(node: Scalar): JSONValue {
    const resolved = resolveScalar(node);
    switch (resolved.kind) {
      case "null":
        return null;
      case "bool":
        return resolved.value;
      case "int":
        return exactNumber(resolved.value.toString());
      case "float": {
        if (Number.isFinite(resolved.value)) return exactNumber(String(resolved.value), resolved.value);
        const word = Number.isNaN(resolved.value) ? "NaN" : resolved.value > 0 ? "+Inf" : "-Inf";
        throw new YAMLSyntaxError(`json: unsupported value: ${word}`);
      }
      default:
        return textOf(node);
    }
  }
}

/** How many aliases may lie inside one another. */
const MAX_EXPANSIONS = 100;

function refuseMerge(): never {
  throw new YAMLSyntaxError("yaml: map merge requires map or sequence of maps as the value");
}

function isMergeKey(key: unknown): boolean {
  if (!isScalar(key) || key.source !== "<<") return false;
  return key.tag === `${TAG_PREFIX}merge` || (key.type === "PLAIN" && key.tag === undefined);
}

function textOf(node: Scalar): string {
  return typeof node.value === "string" ? node.value : (node.source ?? "");
}

/** @returns the meaning of a scalar: plain ones by their text, quoted ones as they are, tagged ones as the tag wants it. */
function resolveScalar(node: Scalar): ResolvedScalar {
  const tag = node.tag?.startsWith(TAG_PREFIX) ? node.tag.slice(TAG_PREFIX.length) : undefined;
  if (node.tag === undefined) return node.type === "PLAIN" || node.type === undefined ? resolvePlainScalar(textOf(node)) : { kind: "string" };
  switch (tag) {
    case "int":
    case "float":
    case "bool":
    case "null":
    case "timestamp":
      return resolveAs(tag, textOf(node));
    case "binary":
      throw new YAMLSyntaxError("yaml: !!binary is not supported: write the base64 text without the tag");
    default:
      return { kind: "string" };
  }
}

function resolveAs(tag: "int" | "float" | "bool" | "null" | "timestamp", text: string): ResolvedScalar {
  const resolved = resolvePlainScalar(text);
  if (resolved.kind === tag) return resolved;
  if (tag === "float" && resolved.kind === "int") return { kind: "float", value: Number(resolved.value) };
  throw new YAMLSyntaxError(`yaml: cannot decode !!${resolved.kind === "string" ? "str" : resolved.kind} \`${text}\` as a !!${tag}`);
}

/** The JSON key that a YAML key becomes. */
function keyOf(node: unknown): string {
  if (!isScalar(node)) throw new YAMLSyntaxError(node === null ? UNSUPPORTED_NULL_KEY : "yaml: invalid map key: a map or a sequence");
  const resolved = resolveScalar(node);
  switch (resolved.kind) {
    case "null":
      throw new YAMLSyntaxError(UNSUPPORTED_NULL_KEY);
    case "bool":
      return String(resolved.value);
    case "int":
      if (resolved.value >= 2n ** 63n) throw new YAMLSyntaxError(`yaml: unsupported map key: ${resolved.value}`);
      return resolved.value.toString();
    case "float":
      return formatFloat(resolved.value, true);
    default:
      return textOf(node);
  }
}

const UNSUPPORTED_NULL_KEY = "yaml: unsupported map key: null";
