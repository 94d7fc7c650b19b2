import { isJSONObject, type JSONObject, type JSONValue } from "../meta/index.ts";
import { getOwn, isJSONArray, MAX_PATCH_DEPTH, type MutableObject, setOwn } from "./json-value.ts";

/**
 * How many elements all operations of one patch together may shift in lists: ten thousand insertions at the front of a list of a million
 * would hold up the process for seconds.
 */
const MAX_SHIFTED_ELEMENTS = 50_000_000;

/**
 * A JSON value that is edited in place where it looks so from outside: what is changed is copied first, once, and the value that was given is
 * left as it was. Every method throws an Error when the place is not there.
 */
export class Draft {
  #root: JSONValue;
  /** The containers that this draft made: nobody else sees them, and each hangs in one place. */
  readonly #own = new WeakSet<object>();
  #copyBytesLeft: number;
  #shiftsLeft = MAX_SHIFTED_ELEMENTS;

  constructor(root: JSONValue, maxCopyBytes: number) {
    this.#root = root;
    this.#copyBytesLeft = maxCopyBytes;
  }

  get root(): JSONValue {
    return this.#root;
  }

  replaceRoot(value: JSONValue): void {
    if (!isJSONObject(value) && !isJSONArray(value)) throw new Error("replace operation value must be object or array");
    this.#root = value;
  }

  /** @returns undefined where an object has no such member; throws where the way there does not exist, or a list has no such element. */
  get(pointer: readonly string[]): JSONValue | undefined {
    let value: JSONValue | undefined = this.#root;
    for (const key of pointer) {
      if (isJSONArray(value)) value = value[existingIndex(key, value.length)];
      else if (isJSONObject(value)) value = getOwn(value, key);
      else throw missing(pointer);
    }
    return value;
  }

  /** What stands there, as a value of its own; null where an object has no such member. */
  copy(pointer: readonly string[]): JSONValue {
    return this.#clone(this.get(pointer) ?? null, 0);
  }

  add(pointer: readonly string[], value: JSONValue): void {
    const { container, key } = this.#open(pointer);
    if (!isMutableArray(container)) {
      setOwn(container, key, value);
      return;
    }
    const { length } = container;
    let index = key === "-" ? length : parseIndex(key);
    if (index < 0) index += length + 1;
    if (index < 0 || index > length) throw new Error(`Unable to access invalid index: ${key}`);
    this.#shift(length - index);
    container.splice(index, 0, value);
  }

  replace(pointer: readonly string[], value: JSONValue): void {
    const { container, key } = this.#open(pointer);
    if (isMutableArray(container)) container[existingIndex(key, container.length)] = value;
    else setOwn(container, key, value);
  }

  /** @returns what was removed. */
  remove(pointer: readonly string[]): JSONValue {
    const { container, key } = this.#open(pointer);
    if (isMutableArray(container)) {
      const index = existingIndex(key, container.length);
      this.#shift(container.length - index);
      return container.splice(index, 1)[0] ?? null;
    }
    const value = getOwn(container, key);
    if (value === undefined) throw new Error(`Unable to remove nonexistent key: ${key}`);
    delete container[key];
    return value;
  }

  /** The container of the last key, made ours together with all that it hangs in. */
  #open(pointer: readonly string[]): { container: MutableObject | JSONValue[]; key: string } {
    let container = this.#ours(this.#root, pointer);
    this.#root = container;
    for (const key of pointer.slice(0, -1)) {
      if (isMutableArray(container)) {
        const index = existingIndex(key, container.length);
        const inner = this.#ours(container[index], pointer);
        container[index] = inner;
        container = inner;
      } else {
        const inner = this.#ours(getOwn(container, key), pointer);
        setOwn(container, key, inner);
        container = inner;
      }
    }
    return { container, key: pointer[pointer.length - 1] ?? "" };
  }

  #ours(value: JSONValue | undefined, pointer: readonly string[]): MutableObject | JSONValue[] {
    if (!isJSONArray(value) && !isJSONObject(value)) throw missing(pointer);
    // Ours were made below, mutable.
    if (this.#own.has(value)) return value as MutableObject | JSONValue[];
    const copy = isJSONArray(value) ? [...value] : { ...value };
    this.#own.add(copy);
    return copy;
  }

  #clone(value: JSONValue, depth: number): JSONValue {
    if (depth > MAX_PATCH_DEPTH) throw new Error("what is to be copied nests too deep");
    if (isJSONArray(value)) {
      this.#charge(2 + Math.max(0, value.length - 1));
      return value.map((element) => this.#clone(element, depth + 1));
    }
    if (isJSONObject(value)) return this.#cloneObject(value, depth);
    this.#charge(encodedLength(value));
    return value;
  }

  #cloneObject(value: JSONObject, depth: number): JSONObject {
    const copy: MutableObject = {};
    this.#charge(1);
    for (const key of Object.keys(value)) {
      const member = value[key];
      if (member === undefined) continue;
      this.#charge(encodedLength(key) + 2);
      setOwn(copy, key, this.#clone(member, depth + 1));
    }
    return copy;
  }

  #charge(bytes: number): void {
    this.#copyBytesLeft -= bytes;
    if (this.#copyBytesLeft < 0) throw new Error("Unable to complete the copy, the accumulated size increase of copy is too large");
  }

  #shift(elements: number): void {
    this.#shiftsLeft -= elements;
    if (this.#shiftsLeft < 0) throw new Error("the patch shifts too many elements of lists");
  }
}

function isMutableArray(container: MutableObject | JSONValue[]): container is JSONValue[] {
  return Array.isArray(container);
}

/** Source: strconv.Atoi, which also reads `+1` and `01`. */
function parseIndex(key: string): number {
  if (!/^[+-]?[0-9]{1,15}$/.test(key)) throw new Error(`value was not a proper array index: '${key}'`);
  return Number(key);
}

function existingIndex(key: string, length: number): number {
  const index = parseIndex(key);
  if (index >= length || index < -length) throw new Error(`Unable to access invalid index: ${key}`);
  return index < 0 ? index + length : index;
}

const missing = (pointer: readonly string[]) => new Error(`doc is missing path: /${pointer.join("/")}`);

/** How many bytes a scalar takes as JSON, near enough for a limit: a character beyond ASCII counts three. */
function encodedLength(scalar: null | boolean | number | bigint | string): number {
  if (typeof scalar !== "string") return String(scalar).length;
  let bytes = 2;
  for (let index = 0; index < scalar.length; index++) {
    const unit = scalar.charCodeAt(index);
    bytes += unit < 0x20 ? 6 : unit < 0x80 ? 1 : 3;
  }
  return bytes;
}
