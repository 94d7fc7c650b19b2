import { quoteGo } from "../meta/go-quote.ts";
import { badRequest } from "../meta/index.ts";
import { compareUTF8, isQualifiedName, isValidLabelValue } from "../meta/names.ts";
import { type LabelToken, tokenizeLabelSelector } from "./label-tokens.ts";

/** How a label relates to the values of a requirement; `exists` and `!` have none, `gt` and `lt` one integer. Source: selection.Operator. */
export type LabelOperator = "=" | "==" | "!=" | "in" | "notin" | "exists" | "!" | "gt" | "lt";

/** One condition of a label selector. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** Sorted and without repeats. */
  readonly values: readonly string[];
}

/** What a client's `labelSelector` compiles to: all requirements must hold. Immutable. */
export interface LabelSelector {
  /** Whether every object matches. */
  readonly isEmpty: boolean;
  /** Sorted by key. */
  readonly requirements: readonly LabelRequirement[];
  matches(labels: Readonly<Record<string, string>> | undefined): boolean;
  /** The canonical text: equal selectors have equal texts but for `=` and `==`. It parses to the same selector. */
  toString(): string;
}

/** The longest label selector accepted, in UTF-16 units. Go has no limit but that of the request line. */
export const MAX_LABEL_SELECTOR_LENGTH = 64 * 1024;
/** How many requirements a selector may have: each is asked of each object of a list. */
export const MAX_SELECTOR_REQUIREMENTS = 1_000;

const BINARY_OPERATORS: Readonly<Record<string, LabelOperator>> = {
  in: "in",
  notin: "notin",
  "=": "=",
  "==": "==",
  "!=": "!=",
  ">": "gt",
  "<": "lt",
};

/**
 * Reads a `labelSelector`, as in `x in (a, b), tier!=back, !legacy, generation>3`.
 *
 * @param text the query value, percent-decoded; blanks around tokens do not matter; empty selects everything.
 * @throws {APIError} `BadRequest` with Kubernetes' sentence where the text is not of the grammar, a key or value is no label's, a value of
 *   `<` or `>` is no 64-bit integer, or a limit is exceeded.
 *
 * Source: k8s.io/apimachinery pkg/labels, Parse.
 */
export function parseLabelSelector(text: string): LabelSelector {
  if (text.length > MAX_LABEL_SELECTOR_LENGTH) {
    throw badRequest(`the label selector is too long: ${text.length} characters, at most ${MAX_LABEL_SELECTOR_LENGTH} are allowed`);
  }
  const requirements = new Parser(tokenizeLabelSelector(text)).parse();
  // Keys are ASCII here, so that plain comparison is Go's.
  requirements.sort((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0));
  return compileLabelSelector(requirements);
}

/** The recursive descent; `in` and `notin` are words like others but where an operator is due. */
class Parser {
  readonly #tokens: readonly LabelToken[];
  #position = 0;

  constructor(tokens: readonly LabelToken[]) {
    this.#tokens = tokens;
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const first = this.#peek();
      if (first.kind === "end") return requirements;
      if (!startsRequirement(first)) throw badRequest(`found '${first.text}', expected: !, identifier, or 'end of string'`);
      requirements.push(this.#requirement());
      if (requirements.length > MAX_SELECTOR_REQUIREMENTS) {
        throw badRequest(`the label selector has too many requirements: at most ${MAX_SELECTOR_REQUIREMENTS} are allowed`);
      }
      const separator = this.#next();
      if (separator.kind === "end") return requirements;
      if (separator.text !== ",") throw badRequest(`found '${separator.text}', expected: ',' or 'end of string'`);
      const following = this.#peek();
      if (!startsRequirement(following)) throw badRequest(`found '${following.text}', expected: identifier after ','`);
    }
  }

  #requirement(): LabelRequirement {
    let token = this.#next();
    const isNegated = token.kind === "symbol";
    if (isNegated) token = this.#next();
    if (token.kind !== "word") throw refuse(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const complaints = isQualifiedName(key);
    if (complaints.length > 0) throw refuse(`<nil>: Invalid value: ${quoteGo(key)}: ${complaints.join("; ")}`);
    if (isNegated) return { key, operator: "!", values: [] };
    const following = this.#peek();
    if (following.kind === "end" || following.text === ",") return { key, operator: "exists", values: [] };
    const word = this.#next().text;
    const operator = Object.hasOwn(BINARY_OPERATORS, word) ? BINARY_OPERATORS[word] : undefined;
    if (operator === undefined) throw refuse(`found '${word}', expected: in, notin, =, ==, !=, gt, lt`);
    const values = operator === "in" || operator === "notin" ? this.#values() : [this.#exactValue()];
    return checked({ key, operator, values });
  }

  /** `(x,,y)`: what stands between two commas, or a comma and a parenthesis, may be empty. */
  #values(): string[] {
    const open = this.#next();
    if (open.text !== "(") throw refuse(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.kind !== "word" && first.text !== "," && first.text !== ")") {
      throw refuse(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values = new Set<string>();
    if (first.text === ")") values.add("");
    while (this.#peek().text !== ")") {
      const token = this.#next();
      const following = this.#peek();
      if (token.kind === "word") {
        values.add(token.text);
        if (following.text !== "," && following.text !== ")") throw refuse(`found '${following.text}', expected: ',' or ')'`);
      } else if (token.text === ",") {
        if (values.size === 0 || following.text === ")" || following.text === ",") values.add("");
      } else throw refuse(`found '${token.text}', expected: ',', or identifier`);
    }
    this.#next();
    return [...values].sort(compareUTF8);
  }

  #exactValue(): string {
    const following = this.#peek();
    if (following.kind === "end" || following.text === ",") return "";
    const token = this.#next();
    if (token.kind !== "word") throw refuse(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  #peek(): LabelToken {
    return this.#tokens[this.#position] ?? END;
  }

  #next(): LabelToken {
    const token = this.#peek();
    this.#position++;
    return token;
  }
}

const END: LabelToken = { kind: "end", text: "" };

const startsRequirement = (token: LabelToken): boolean => token.kind === "word" || token.text === "!";

const refuse = (sentence: string) => badRequest(`unable to parse requirement: ${sentence}`);

function checked(requirement: LabelRequirement): LabelRequirement {
  const { key, operator, values } = requirement;
  const faults = new Set<string>();
  if ((operator === "gt" || operator === "lt") && parseInt64(values[0] ?? "") === undefined) {
    faults.add(`values[0]: Invalid value: ${quoteGo(values[0] ?? "")}: for 'Gt', 'Lt' operators, the value must be an integer`);
  }
  for (const [index, value] of values.entries()) {
    const complaints = isValidLabelValue(value);
    if (complaints.length > 0) faults.add(`values[${index}][${key}]: Invalid value: ${quoteGo(value)}: ${complaints.join("; ")}`);
    if (faults.size >= MAX_FAULTS) break;
  }
  if (faults.size > 0) throw refuse(faults.size === 1 ? [...faults].join() : `[${[...faults].join(", ")}]`);
  return requirement;
}

// A sentence is much longer than the value it is about.
const MAX_FAULTS = 100;

/** The predicate of requirements whose keys and values are those of labels, sorted by key. */
export function compileLabelSelector(requirements: readonly LabelRequirement[]): LabelSelector {
  const predicates = requirements.map(predicateOf);
  return {
    isEmpty: requirements.length === 0,
    requirements,
    matches(labels) {
      for (const { key, accepts } of predicates) {
        // Own properties only: `constructor` is a good label key.
        if (!accepts(labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined)) return false;
      }
      return true;
    },
    toString: () => requirements.map(format).join(","),
  };
}

interface Predicate {
  readonly key: string;
  /** `value` is undefined where there is no such label. */
  readonly accepts: (value: string | undefined) => boolean;
}

function predicateOf({ key, operator, values }: LabelRequirement): Predicate {
  const only = values.length === 1 ? values[0] : undefined;
  const set = new Set(values);
  switch (operator) {
    case "=":
    case "==":
    case "in":
      return { key, accepts: only === undefined ? (value) => value !== undefined && set.has(value) : (value) => value === only };
    case "!=":
    case "notin":
      return { key, accepts: only === undefined ? (value) => value === undefined || !set.has(value) : (value) => value !== only };
    case "exists":
      return { key, accepts: (value) => value !== undefined };
    case "!":
      return { key, accepts: (value) => value === undefined };
    case "gt":
    case "lt": {
      const bound = parseInt64(only ?? "") ?? 0n;
      const isBeyond = operator === "gt" ? (number: bigint) => number > bound : (number: bigint) => number < bound;
      const accepts = (value: string | undefined) => {
        const number = value === undefined ? undefined : parseInt64(value);
        return number !== undefined && isBeyond(number);
      };
      return { key, accepts };
    }
    default:
      return operator satisfies never;
  }
}

/** Source: strconv.ParseInt(text, 10, 64). */
function parseInt64(text: string): bigint | undefined {
  if (text.length > 64 || !/^[+-]?[0-9]+$/.test(text)) return undefined;
  const number = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return BigInt.asIntN(64, number) === number ? number : undefined;
}

function format({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${values.join(",")})`;
    case "gt":
      return `${key}>${values.join()}`;
    case "lt":
      return `${key}<${values.join()}`;
    default:
      return `${key}${operator}${values.join()}`;
  }
}
