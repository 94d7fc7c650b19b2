import { quoteGo } from "../meta/go-quote.ts";
import { badRequest } from "../meta/index.ts";
import { compareUTF8 } from "../meta/names.ts";
import { MAX_SELECTOR_REQUIREMENTS } from "./label-selector.ts";

/** One condition of a field selector: the field has, or has not, this value. */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  /** Unescaped. */
  readonly value: string;
}

/** What a client's `fieldSelector` compiles to: all requirements must hold. Immutable. */
export interface FieldSelector {
  /** Whether every object matches. */
  readonly isEmpty: boolean;
  /** In the order of the terms' text. */
  readonly requirements: readonly FieldRequirement[];
  /** The value that a field must have, if it must have one: a registry that is asked for one `metadata.name` need not list. */
  requiredValue(field: string): string | undefined;
  /** @param valueOf the text of an object's field; empty where it has none. Asked only for fields that are supported. */
  matches(valueOf: (field: string) => string): boolean;
  /** The canonical text; it parses to the same selector. */
  toString(): string;
}

/** Which fields may be asked for. */
export type SupportedFields = ReadonlySet<string> | ((field: string) => boolean);

/** How an unknown field is refused. */
export interface FieldSelectorContext {
  /**
   * `kind` (default): `field label not supported: spec.x`, as kinds with fields of their own and all custom resources answer.
   * `metadata`: the sentence of compiled kinds that only know `metadata.name` and `metadata.namespace`; it names these two.
   */
  readonly refusal?: "kind" | "metadata";
}

/** The fields that every namespaced kind supports. */
export const METADATA_FIELDS: ReadonlySet<string> = new Set(["metadata.name", "metadata.namespace"]);

/** The longest field selector accepted, in UTF-16 units. Go has no limit but that of the request line. */
export const MAX_FIELD_SELECTOR_LENGTH = 64 * 1024;

/**
 * Reads a `fieldSelector`, as in `metadata.name!=a,spec.color=blue`: `=` and `==` are the same, a backslash goes before `\`, `,` and `=` in
 * a value, empty terms are skipped.
 *
 * @param text the query value, percent-decoded; empty selects everything.
 * @throws {APIError} `BadRequest` with Kubernetes' sentence: text that is not of the grammar first, then fields that are not supported.
 *
 * Source: k8s.io/apimachinery pkg/fields, ParseSelector; runtime.DefaultMetaV1FieldSelectorConversion; the converter of apiextensions-apiserver.
 */
export function parseFieldSelector(text: string, supported: SupportedFields, context: FieldSelectorContext = {}): FieldSelector {
  const selector = readFieldSelector(text);
  requireSupportedFields(selector, supported, context);
  return selector;
}

/** The first half of {@link parseFieldSelector}: looks at no field. @throws {APIError} `BadRequest`. */
export function readFieldSelector(text: string): FieldSelector {
  if (text.length > MAX_FIELD_SELECTOR_LENGTH) {
    throw badRequest(`the field selector is too long: ${text.length} characters, at most ${MAX_FIELD_SELECTOR_LENGTH} are allowed`);
  }
  const terms = splitTerms(text).filter((term) => term !== "");
  if (terms.length > MAX_SELECTOR_REQUIREMENTS) {
    throw badRequest(`the field selector has too many requirements: at most ${MAX_SELECTOR_REQUIREMENTS} are allowed`);
  }
  const parsed = terms.sort(compareUTF8).map((term) => parseTerm(term, text));
  // Go drops a bare operator without a word.
  return compile(parsed.filter(({ field, value }) => field !== "" || value !== ""));
}

/** The second half of {@link parseFieldSelector}. @throws {APIError} `BadRequest`. */
export function requireSupportedFields(
  { requirements }: FieldSelector,
  supported: SupportedFields,
  { refusal = "kind" }: FieldSelectorContext = {},
): void {
  const isSupported = typeof supported === "function" ? supported : (field: string) => supported.has(field);
  for (const { field } of requirements) {
    if (isSupported(field)) continue;
    throw badRequest(
      refusal === "kind"
        ? `field label not supported: ${field}`
        : `${quoteGo(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
    );
  }
}

/** Writes a value so that it can stand in a field selector. Source: fields.EscapeValue. */
export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, "\\$&");
}

function compile(requirements: readonly FieldRequirement[]): FieldSelector {
  return {
    isEmpty: requirements.length === 0,
    requirements,
    requiredValue: (field) => requirements.find((requirement) => requirement.field === field && requirement.operator === "=")?.value,
    matches(valueOf) {
      for (const { field, operator, value } of requirements) {
        if ((valueOf(field) === value) !== (operator === "=")) return false;
      }
      return true;
    },
    toString: () => requirements.map(({ field, operator, value }) => `${field}${operator}${escapeFieldValue(value)}`).join(","),
  };
}

/** Splits at the commas that no backslash protects; the backslashes stay. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === "\\") index++;
    else if (character === ",") {
      terms.push(text.slice(start, index));
      start = index + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function parseTerm(term: string, text: string): FieldRequirement {
  const operator = /!=|==?/.exec(term);
  if (operator === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
  const value = unescape(term.slice(operator.index + operator[0].length));
  return { field: term.slice(0, operator.index), operator: operator[0] === "!=" ? "!=" : "=", value };
}

function unescape(text: string): string {
  let value = "";
  let isEscaped = false;
  for (const character of text) {
    const isSpecial = character === "\\" || character === "," || character === "=";
    if (isEscaped) {
      if (!isSpecial) throw badRequest(`invalid field selector: invalid escape sequence: \\${character}`);
      value += character;
      isEscaped = false;
    } else if (character === "\\") isEscaped = true;
    else if (isSpecial) throw badRequest(`invalid field selector: unescaped character in value: ${character.charCodeAt(0)}`);
    else value += character;
  }
  if (isEscaped) throw badRequest("invalid field selector: invalid escape sequence: \\");
  return value;
}
