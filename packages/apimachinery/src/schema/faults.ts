import { type CauseReason, type FieldError, MAX_FAULTS } from "../meta/index.ts";
import { formatGoValue } from "./go-format.ts";

/** How many characters the texts of one validation's faults may take. */
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
    this.tell(others.list);
  }

  /** Adds faults whose fields are whole paths. */
  tell(errors: readonly FieldError[]): void {
    for (const error of errors) this.#push(error);
  }

  /** The whole path of what stands below the base. */
  at(path: string): string {
    return this.#field(path);
  }

  /** Takes back all that was told since the list was so long. */
  forget(length: number): void {
    for (const error of this.list.splice(length)) {
      const key = keyOf(error);
      this.#seen.delete(key);
      this.#characters -= key.length;
    }
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
    const key = keyOf(error);
    if (this.isFull || this.#seen.has(key)) return;
    this.#seen.add(key);
    this.list.push(error);
    this.#characters += key.length;
  }
}

const keyOf = ({ field, message }: FieldError): string => `${field}\n${message}`;

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
