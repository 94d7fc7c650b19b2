// A scenario file, checked and taken apart. FORMAT.md says what each key means.
import { isArray, isNumber, isObject, type JSONObject, type JSONValue, NumberText } from "./json.ts";

export interface Scenario {
  readonly name: string;
  readonly subject: string;
  readonly area: string;
  readonly description: string;
  readonly steps: readonly Step[];
  readonly cleanup: readonly RequestStep[];
  /** The file as it was read. */
  readonly source: JSONObject;
}

export type Step = RequestStep | WatchStep | ReadStep | CloseStep | WaitStep;

/** What the comparison leaves out of an answer. */
export interface AnswerView {
  readonly project: JSONObject | undefined;
  readonly ignore: readonly string[];
  readonly ignoreHeaders: readonly string[];
  readonly messageLoose: boolean;
  readonly unordered: boolean;
  readonly relateListRv: boolean;
}

interface StepBase {
  /** `stepN` by default, counted from 1. */
  readonly id: string;
  /** The recorded answer. */
  readonly expect: JSONValue | undefined;
}

interface SentStep extends StepBase {
  readonly method: string;
  readonly path: string;
  readonly headers: JSONObject;
  readonly as: string;
  readonly view: AnswerView;
}

export interface RequestStep extends SentStep {
  readonly type: "request";
  readonly body: JSONValue | undefined;
  readonly rawBody: string | undefined;
  readonly edit: Edit | undefined;
  readonly until: { readonly status: number; readonly timeoutMs: number } | undefined;
}

/** A body made from an earlier answer: removals first. */
export interface Edit {
  readonly from: string;
  readonly remove: readonly string[];
  readonly set: JSONObject;
}

export interface WatchStep extends SentStep {
  readonly type: "watch";
  readonly watch: string;
}

export interface ReadStep extends StepBase {
  readonly type: "read";
  readonly read: string;
  readonly count: number;
  readonly timeoutMs: number;
  readonly untilEnd: boolean;
  readonly untilBookmark: boolean;
  readonly skipBookmarks: boolean;
  readonly sortEvents: boolean;
  readonly ignore: readonly string[];
  readonly messageLoose: boolean;
}

export interface CloseStep extends StepBase {
  readonly type: "close";
  readonly close: string;
}

export interface WaitStep extends StepBase {
  readonly type: "wait";
  readonly waitMs: number;
}

/**
 * Reads a scenario.
 *
 * @param where names the file in errors.
 * @throws {TypeError} for a key that is missing, unknown or of the wrong type: a misspelt key would compare less than its writer meant.
 */
export function parseScenario(value: JSONValue | undefined, where: string): Scenario {
  if (!isObject(value)) throw new TypeError(`${where} is no JSON object`);
  const fields = new Fields(value, where);
  const scenario = {
    name: fields.required("name"),
    subject: fields.required("subject"),
    area: fields.required("area"),
    description: fields.required("description"),
    steps: fields.objects("steps").map((step, index) => parseStep(step, index, `${where}: step ${index + 1}`)),
    cleanup: fields.objects("cleanup").map((step, index) => parseRequest(new Fields(step, `${where}: cleanup ${index + 1}`), `cleanup${index + 1}`)),
    source: value,
  };
  fields.end();
  return scenario;
}

function parseStep(value: JSONObject, index: number, where: string): Step {
  const fields = new Fields(value, where);
  const id = fields.string("id") ?? `step${index + 1}`;
  if (value.wait !== undefined) return ended(fields, { type: "wait", id, waitMs: (fields.number("wait") ?? 0) * 1000, expect: undefined });
  if (value.close !== undefined) return ended(fields, { type: "close", id, close: fields.required("close"), expect: undefined });
  if (value.read !== undefined) return parseRead(fields, id);
  if (value.watch === undefined) return parseRequest(fields, id);
  return ended(fields, { type: "watch", watch: fields.required("watch"), ...parseSent(fields, id) });
}

function parseRequest(fields: Fields, id: string): RequestStep {
  const edit = fields.object("edit");
  const until = fields.object("until");
  return ended(fields, {
    type: "request",
    ...parseSent(fields, id),
    body: fields.value("body"),
    rawBody: fields.string("rawBody"),
    edit: edit === undefined ? undefined : parseEdit(new Fields(edit, fields.where)),
    until: until === undefined ? undefined : parseUntil(new Fields(until, fields.where)),
  });
}

function parseSent(fields: Fields, id: string): SentStep {
  return {
    id,
    method: fields.string("method") ?? "GET",
    path: fields.required("path"),
    headers: fields.object("headers") ?? {},
    as: fields.string("as") || "admin",
    expect: fields.value("expect"),
    view: {
      project: fields.object("project"),
      ignore: fields.strings("ignore"),
      ignoreHeaders: fields.strings("ignoreHeaders"),
      messageLoose: fields.boolean("messageLoose"),
      unordered: fields.boolean("unordered"),
      relateListRv: fields.boolean("relateListRv"),
    },
  };
}

function parseEdit(fields: Fields): Edit {
  return ended(fields, { from: fields.required("from"), remove: fields.strings("remove"), set: fields.object("set") ?? {} });
}

function parseUntil(fields: Fields): { readonly status: number; readonly timeoutMs: number } {
  return ended(fields, { status: fields.number("status") ?? 200, timeoutMs: (fields.number("timeout") ?? 10) * 1000 });
}

function parseRead(fields: Fields, id: string): ReadStep {
  return ended(fields, {
    type: "read",
    id,
    read: fields.required("read"),
    count: fields.number("count") ?? 1,
    timeoutMs: (fields.number("timeout") ?? 5) * 1000,
    untilEnd: fields.boolean("untilEnd"),
    untilBookmark: fields.boolean("untilBookmark"),
    skipBookmarks: fields.boolean("skipBookmarks"),
    sortEvents: fields.boolean("sortEvents"),
    ignore: fields.strings("ignore"),
    messageLoose: fields.boolean("messageLoose"),
    expect: fields.value("expect"),
  });
}

function ended<T>(fields: Fields, parsed: T): T {
  fields.end();
  return parsed;
}

/** The members of an object, each asked for once by its type; what nobody asked for is an error. */
export class Fields {
  readonly where: string;
  readonly #object: JSONObject;
  readonly #unread: Set<string>;

  constructor(object: JSONObject, where: string) {
    this.where = where;
    this.#object = object;
    this.#unread = new Set(Object.keys(object));
  }

  value(key: string): JSONValue | undefined {
    this.#unread.delete(key);
    return this.#object[key];
  }

  string(key: string): string | undefined {
    const value = this.value(key);
    if (value === undefined || typeof value === "string") return value;
    throw this.#mistake(key, "a text");
  }

  required(key: string): string {
    const value = this.string(key);
    if (value === undefined) throw this.#mistake(key, "there");
    return value;
  }

  number(key: string): number | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (isNumber(value)) return value instanceof NumberText ? Number(value.text) : value;
    throw this.#mistake(key, "a number");
  }

  boolean(key: string): boolean {
    const value = this.value(key) ?? false;
    if (typeof value === "boolean") return value;
    throw this.#mistake(key, "true or false");
  }

  strings(key: string): readonly string[] {
    const value = this.value(key) ?? [];
    if (isArray(value) && value.every((item) => typeof item === "string")) return value;
    throw this.#mistake(key, "a list of texts");
  }

  object(key: string): JSONObject | undefined {
    const value = this.value(key);
    if (value === undefined || isObject(value)) return value;
    throw this.#mistake(key, "an object");
  }

  objects(key: string): readonly JSONObject[] {
    const value = this.value(key) ?? [];
    if (isArray(value) && value.every((item) => isObject(item))) return value;
    throw this.#mistake(key, "a list of objects");
  }

  /** @throws {TypeError} when a key is left that nobody asked for. */
  end(): void {
    if (this.#unread.size > 0) throw new TypeError(`${this.where}: unknown ${[...this.#unread].join(", ")}`);
  }

  #mistake(key: string, wanted: string): TypeError {
    return new TypeError(`${this.where}: ${key} must be ${wanted}`);
  }
}
