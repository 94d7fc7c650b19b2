import { formatJSON, isArray, isObject, type JSONObject, type JSONValue } from "./json.ts";
import { childOf } from "./paths.ts";

/** A scenario that cannot be carried out as it is written, or because an earlier answer lacks what it refers to. */
export class ScenarioError extends Error {
  override readonly name = "ScenarioError";
}

const PLACEHOLDER = /\{([A-Za-z][\w-]*)((?:[.@:][^{}"\s]*)?)\}/g;
const WHOLE = new RegExp(`^${PLACEHOLDER.source}$`);

/** Fills in what a scenario leaves open: fresh names, and values of earlier answers. */
export class Placeholders {
  /** Fresh names by their placeholder: `ns`, `ns2`, `uniq`. */
  readonly names: ReadonlyMap<string, string>;
  readonly #answers = new Map<string, { readonly value: JSONValue; readonly headers: ReadonlyMap<string, string> }>();

  constructor(names: ReadonlyMap<string, string>) {
    this.names = names;
  }

  /** @param value what the step `id` was answered, before normalisation. @param headers by lower-case name. */
  remember(id: string, value: JSONValue, headers: ReadonlyMap<string, string> = new Map()): void {
    this.#answers.set(id, { value, headers });
  }

  /** An earlier answer, or a value inside it: `id`, `id.metadata.name`. @throws {ScenarioError} when there is none. */
  answer(reference: string): JSONValue {
    const [id = "", ...parts] = reference.split(".");
    let node = this.#answers.get(id)?.value;
    for (const part of parts.filter((name) => name !== "")) node = childOf(node, part);
    if (node === undefined) throw new ScenarioError(`cannot resolve {${reference}}`);
    return node;
  }

  /** Text with its placeholders filled in; anything else in braces stays. @throws {ScenarioError} */
  text(text: string): string {
    return text.replace(PLACEHOLDER, (whole, head: string, rest: string) => {
      const name = this.names.get(head);
      if (name !== undefined && rest === "") return name;
      if (head === "repeat" && rest.startsWith(":")) return repeated(whole, rest.slice(1));
      const answer = this.#answers.get(head);
      if (answer === undefined) return whole;
      if (rest.startsWith("@")) return answer.headers.get(rest.slice(1).toLowerCase()) ?? "";
      const value = this.answer(head + rest);
      return typeof value === "string" ? value : formatJSON(value);
    });
  }

  /** A value with the placeholders of its texts and keys filled in. A placeholder alone in its text becomes the value with its type. @throws {ScenarioError} */
  value(value: JSONValue): JSONValue {
    if (typeof value === "string") {
      const [, head = "", rest = ""] = WHOLE.exec(value) ?? [];
      return rest.startsWith(".") && this.#answers.has(head) ? this.answer(head + rest) : this.text(value);
    }
    if (isArray(value)) return value.map((item) => this.value(item));
    return isObject(value) ? this.object(value) : value;
  }

  object(value: JSONObject): JSONObject {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.text(key), this.value(item)]));
  }
}

function repeated(whole: string, rest: string): string {
  const [character, count, ...more] = rest.split(":");
  if (character === undefined || count === undefined || more.length > 0 || !/^\d+$/.test(count)) throw new ScenarioError(`cannot resolve ${whole}`);
  return character.repeat(Number(count));
}
