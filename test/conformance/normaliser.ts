// Values that differ from run to run become symbols. FORMAT.md, "Normalisation", has the rules; the numbers here are theirs.
import type { Answer } from "./client.ts";
import { formatJSON, isArray, isObject, type JSONObject, type JSONValue } from "./json.ts";

const COMPARED_HEADERS = ["content-type", "warning", "allow", "retry-after", "cache-control", "location", "etag", "vary", "content-encoding"];
const DAY_MS = 86_400_000;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const ANY_TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const AGE = /^(\d+[smhdy])+$/;
const DIGITS = /^\d+$/;
const RUN_LENGTH = 500;
const RUN = /(.)\1{499,}/gsu;
/** Beyond so many digits a resourceVersion in a message was made up by the request. */
const MAX_REVISION_DIGITS = 9;
const TIME_KEYS = new Set(["creationTimestamp", "deletionTimestamp", "time"]);
/** Where messages name resourceVersions, and whether one seen before keeps its symbol. */
const MESSAGE_REVISIONS: readonly (readonly [RegExp, boolean])[] = [
  [/(resource version: )(\d+)(, current: )/g, false],
  [/(, current: )(\d+)()/g, false],
  [/(too old resource version: )(\d+)( \()/g, false],
  [/(too old resource version: [^ ]+ \()(\d+)(\))/g, false],
  [/(ResourceVersion in the precondition \()(\d+)(\))/g, true],
  [/(ResourceVersion in record \()(\d+)(\))/g, true],
];

type SymbolKind = "uid" | "rv" | "gen" | "etag";

/** The symbols of one scenario. Everything that its server answered goes through it, in the order of the steps. */
export class Normaliser {
  /** What is known by name: actual text and symbol. */
  readonly #literals: readonly (readonly [string, string])[];
  readonly #symbols: Readonly<Record<SymbolKind, Map<string, string>>> = { uid: new Map(), rv: new Map(), gen: new Map(), etag: new Map() };

  constructor(literals: readonly (readonly [string, string])[]) {
    this.#literals = literals;
  }

  /** The body of an answer, or the object of an event. @param relateListRv whether the resourceVersion of a list keeps its symbol. */
  body(value: JSONValue, relateListRv = false): JSONValue {
    this.#learnGenerated(value);
    return this.#walk(value, relateListRv);
  }

  /** A body that is no JSON. */
  text(text: string): string {
    const revisions = /(resourceVersion: ")(\d+)(")/g;
    return this.#string(maskTimes(text).replace(revisions, (_, before, digits, after) => `${before}${this.#symbol("rv", digits)}${after}`));
  }

  /** The compared headers, but those to ignore. Undefined when none is there. */
  headers({ headers }: Answer, ignored: readonly string[]): JSONObject | undefined {
    const compared = COMPARED_HEADERS.filter((name) => !ignored.includes(name)).flatMap((name): (readonly [string, JSONValue])[] => {
      const values = headers.filter(([key]) => key === name).map(([, value]) => value);
      const [first] = values;
      if (first === undefined) return [];
      if (name === "etag") return [[name, this.#symbol("etag", first)]];
      return [[name, name === "warning" ? values.map((value) => this.#string(value)) : this.#string(values.join(", "))]];
    });
    return compared.length === 0 ? undefined : Object.fromEntries(compared);
  }

  #symbol(kind: SymbolKind, value: string): string {
    const symbols = this.#symbols[kind];
    const symbol = symbols.get(value) ?? `<${kind}${symbols.size + 1}>`;
    symbols.set(value, symbol);
    return symbol;
  }

  #string(text: string): string {
    let result = text;
    for (const [actual, symbol] of [...this.#literals, ...this.#symbols.gen]) result = result.replaceAll(actual, symbol);
    result = result.replace(UUID, (uuid) => this.#symbol("uid", uuid));
    return result.length < RUN_LENGTH ? result : result.replace(RUN, (run, character) => `<${character}*${[...run].length}>`);
  }

  #message(text: string): string {
    let result = text;
    for (const [pattern, isRelated] of MESSAGE_REVISIONS) {
      result = result.replace(pattern, (whole, before, digits, after) => {
        if (digits.length > MAX_REVISION_DIGITS) return whole;
        return `${before}${(isRelated ? this.#symbols.rv.get(digits) : undefined) ?? "<rv>"}${after}`;
      });
    }
    return this.#string(maskTimes(result));
  }

  /** Rule 6: names that the server made from `generateName`, before anything is replaced. */
  #learnGenerated(value: JSONValue): void {
    if (isArray(value)) for (const item of value) this.#learnGenerated(item);
    if (!isObject(value)) return;
    const { generateName, name } = isObject(value.metadata) ? value.metadata : {};
    const generated = this.#symbols.gen;
    if (typeof generateName === "string" && typeof name === "string" && isGenerated(generateName, name) && !generated.has(name))
      generated.set(name, `${name.slice(0, -5)}<gen${generated.size + 1}>`);
    for (const item of Object.values(value)) this.#learnGenerated(item);
  }

  #walk(value: JSONValue, relate: boolean): JSONValue {
    if (typeof value === "string") return this.#string(value);
    if (isArray(value)) return value.map((item) => this.#walk(item, relate));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.#string(key), this.#member(value, key, item, relate)]));
  }

  #member(owner: JSONObject, key: string, item: JSONValue, relate: boolean): JSONValue {
    if (typeof item === "string") return this.#stringMember(key, item);
    if (key === "metadata" && isObject(item) && !relate && isCollection(owner) && isDigits(item.resourceVersion))
      return this.#walk({ ...item, resourceVersion: "<rv>" }, relate);
    if (!isArray(item)) return this.#walk(item, relate);
    if (key === "managedFields") return sortManagedFields(item.map((entry) => this.#walk(entry, relate)));
    if (key === "cells") return item.map((cell) => this.#cell(cell));
    return this.#walk(isGroupList(owner.kind, key) ? item.filter(isComparedGroup) : item, relate);
  }

  #stringMember(key: string, item: string): string {
    if (key === "resourceVersion" && DIGITS.test(item)) return this.#symbol("rv", item);
    if (TIME_KEYS.has(key) && isRecentTime(item)) return "<time>";
    if (key === "continue" && item !== "") return "<continue>";
    if (key === "serverAddress") return "<host>";
    return key === "message" ? this.#message(item) : this.#string(item);
  }

  #cell(cell: JSONValue): JSONValue {
    if (typeof cell !== "string") return this.#walk(cell, false);
    if (isRecentTime(cell)) return "<time>";
    return AGE.test(cell) ? "<age>" : this.#string(cell);
  }
}

function isDigits(value: JSONValue | undefined): boolean {
  return typeof value === "string" && DIGITS.test(value);
}

function isCollection({ items, kind }: JSONObject): boolean {
  return isArray(items) || kind === "Table";
}

function isGenerated(prefix: string, name: string): boolean {
  return prefix !== "" && name.length === Math.min(prefix.length, 58) + 5 && name.startsWith(prefix.slice(0, 58));
}

/** Rule 9. */
function isGroupList(kind: JSONValue | undefined, key: string): boolean {
  return (kind === "APIGroupList" && key === "groups") || (kind === "APIGroupDiscoveryList" && key === "items");
}

function isComparedGroup(group: JSONValue): boolean {
  if (!isObject(group)) return false;
  const name = group.name ?? (isObject(group.metadata) ? group.metadata.name : undefined);
  return typeof name === "string" && name.endsWith(".example.com");
}

/** Rule 8. */
function sortManagedFields(entries: readonly JSONValue[]): readonly JSONValue[] {
  const keyOf = (entry: JSONValue) => {
    if (!isObject(entry)) return "";
    const { operation = null, manager = null, apiVersion = null, subresource = null } = entry;
    return formatJSON([operation, manager, apiVersion, subresource], { ascii: true });
  };
  return sortedBy(entries, keyOf);
}

/** A copy in the order of the items' keys, by their characters; equal ones stay as they stand. */
export function sortedBy<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const keyed = items.map((item) => ({ item, key: keyOf(item) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ item }) => item);
}

/** Rule 4: times within a day of now are the server's own. */
function isRecent(time: string): boolean {
  return Math.abs(Date.parse(`${time.slice(0, 19)}Z`) - Date.now()) < DAY_MS;
}

function isRecentTime(text: string): boolean {
  return TIME.test(text) && isRecent(text);
}

function maskTimes(text: string): string {
  return text.replace(ANY_TIME, (time) => (isRecent(time) ? "<time>" : time));
}
