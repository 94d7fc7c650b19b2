import type { CauseReason, FieldError } from "../meta/index.ts";
import { formatGoValue } from "./go-format.ts";

/** How many faults one validation names at most, and how many characters their texts may take: an object of 3 MiB can have a million of them. */
const MAX_FAULTS = 1000;
const MAX_CHARACTERS = 1 << 20;

/** Gathers faults, each once. Internal to schema/. */
export class Faults {
  readonly list: FieldError[] = [];
  readonly #seen = new Set<string>();
  readonly #base: string;
  #characters = 0;

  /** @param base the path of the value that is validated: `""` for a whole object. */
  constructor(base: string) {
    this.#base = base;
  }

  /** Faults of an alternative, which may be thrown away. */
  fork(): Faults {
    return new Faults(this.#base);
  }

  merge(others: Faults): void {
    for (const error of others.list) this.#push(error);
  }

  get isFull(): boolean {
    return this.list.length >= MAX_FAULTS || this.#characters >= MAX_CHARACTERS;
  }

  /**
   * @param path below the base; undefined for a fault that Kubernetes tells without a field (or with the base).
   * @param value what the sentence prints; undefined where it prints none.
   */
  add(reason: CauseReason, path: string | undefined, value: unknown, detail: string): void {
    if (this.isFull) return;
    const printed = value === undefined ? "" : `: ${formatGoValue(value)}`;
    this.#push({ reason, field: this.#field(path), message: `${TITLES[reason] ?? ""}${printed}${detail === "" ? "" : `: ${detail}`}` });
  }

  #field(path = ""): string {
    // The path of a key directly below the root begins with a dot in kube-openapi.
    const relative = path.startsWith(".") ? path.slice(1) : path;
    if (relative === "") return this.#base === "" ? "<nil>" : this.#base;
    if (this.#base === "") return relative;
    return relative.startsWith("[") ? `${this.#base}${relative}` : `${this.#base}.${relative}`;
  }

  #push(error: FieldError): void {
    const key = `${error.field}\n${error.message}`;
    if (this.isFull || this.#seen.has(key)) return;
    this.#seen.add(key);
    this.list.push(error);
    this.#characters += key.length;
  }
}

/** Source: field.ErrorType.String. */
const TITLES: Partial<Record<CauseReason, string>> = {
  FieldValueRequired: "Required value",
  FieldValueDuplicate: "Duplicate value",
  FieldValueInvalid: "Invalid value",
  FieldValueTypeInvalid: "Invalid value",
  FieldValueNotSupported: "Unsupported value",
  FieldValueTooLong: "Too long",
  FieldValueTooMany: "Too many",
};
