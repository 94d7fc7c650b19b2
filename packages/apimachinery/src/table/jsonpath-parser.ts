/** One step of a path, from the values found so far to the next ones. */
export type Step =
  | { readonly type: "field"; readonly name: string }
  | { readonly type: "wildcard" }
  /** `end` undefined: to the end. `isIndex`: a single element, `end` not being used. */
  | { readonly type: "slice"; readonly start: number; readonly end: number | undefined; readonly step: number; readonly isIndex: boolean }
  | { readonly type: "filter"; readonly left: Operand; readonly operator: Operator; readonly right: Operand }
  | { readonly type: "exists"; readonly steps: readonly Step[] };

export type Operand =
  | { readonly type: "path"; readonly steps: readonly Step[] }
  | { readonly type: "literal"; readonly value: string | number | boolean };

export type Operator = "==" | "!=" | "<" | "<=" | ">" | ">=";

const OPERATORS: ReadonlySet<string> = new Set<Operator>(["==", "!=", "<", "<=", ">", ">="]);
const TERMINATORS = new Set([" ", "\t", "\r", "\n", ".", ",", "[", "]", "$", "@", "{", "}"]);
const SLICE = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/;

/** Why a path is refused; {@link parsePath} puts the path in front. */
class Unsupported extends Error {}

/**
 * Reads a path as Kubernetes reads what stands between the braces of a JSONPath template.
 *
 * @throws {TypeError} naming the path and what is wrong with it.
 * Source: k8s.io/client-go/util/jsonpath, parser.go.
 */
export function parsePath(path: string): readonly Step[] {
  try {
    if (!/^[.[$@]/.test(path)) throw new Unsupported("it must begin with '.'");
    return parseSteps(path);
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    throw new TypeError(`JSONPath ${JSON.stringify(path)}: ${error.message}`);
  }
}

function parseSteps(text: string): readonly Step[] {
  const steps: Step[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at];
    if (char === " " || char === "@" || char === "$") {
      at++; // the current object and the root are where every path starts
    } else if (text.startsWith("..", at)) {
      throw new Unsupported("recursive descent ('..') is not supported");
    } else if (text.startsWith("[?(", at)) {
      const end = endOfFilter(text, at + 3);
      steps.push(parseFilter(text.slice(at + 3, end)));
      at = end + 2;
    } else if (char === "[") {
      const end = text.indexOf("]", at);
      if (end < 0) throw new Unsupported("'[' without ']'");
      steps.push(...parseBrackets(text.slice(at + 1, end)));
      at = end + 1;
    } else if (char === ".") {
      const end = endOfField(text, at + 1);
      const name = text.slice(at + 1, end);
      steps.push(name === "*" ? { type: "wildcard" } : { type: "field", name: name.replaceAll("\\", "") });
      at = end;
    } else {
      throw new Unsupported(`unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))} at position ${at}`);
    }
  }
  return steps;
}

/** A backslash takes the next character into the name, whatever it is. */
function endOfField(text: string, start: number): number {
  let at = start;
  while (at < text.length && !TERMINATORS.has(text[at] ?? "")) at += text[at] === "\\" ? 2 : 1;
  if (at > text.length) throw new Unsupported("a backslash at the end");
  return at;
}

function parseBrackets(inner: string): readonly Step[] {
  if (inner === "*") return [{ type: "slice", start: 0, end: undefined, step: 1, isIndex: false }];
  if (inner.includes(",")) throw new Unsupported(`a union ('[${inner}]') is not supported`);
  // As in Kubernetes the quotes protect nothing: ['a.b'] is .a.b, and the key "a.b" is written ['a\.b'].
  const key = /^'([^']*)'$/.exec(inner)?.[1];
  if (key !== undefined) return parseSteps(`.${key}`);
  const slice = SLICE.exec(inner);
  if (slice === null) throw new Unsupported(`'[${inner}]' is neither an index, nor a slice, nor a key in single quotes`);
  const [, first = "", second, third] = slice;
  const step = parseIndex(third?.slice(1) ?? "") ?? 1;
  if (step <= 0) throw new Unsupported("the step of a slice must be greater than 0");
  return [{ type: "slice", start: parseIndex(first) ?? 0, end: parseIndex(second?.slice(1) ?? ""), step, isIndex: second === undefined }];
}

function parseIndex(digits: string): number | undefined {
  if (digits === "") return undefined;
  const index = Number(digits);
  if (!Number.isSafeInteger(index)) throw new Unsupported(`'${digits}' is not an index`);
  return index;
}

/** Where the `)` of a filter is; brackets inside a pair of quotes do not count. The `]` must follow. */
function endOfFilter(text: string, start: number): number {
  let quote = "";
  let isClosed = false;
  for (let at = start; at < text.length; at++) {
    const char = text[at] ?? "";
    if (quote === "" && (char === '"' || char === "'")) quote = char;
    else if (char === quote && text[at - 1] !== "\\") isClosed = true;
    else if (char === ")" && (quote === "" || isClosed)) {
      if (text[at + 1] !== "]") throw new Unsupported("')' of a filter without ']'");
      return at;
    }
  }
  throw new Unsupported("'[?(' without ')]'");
}

function parseFilter(text: string): Step {
  const comparison = /^([^!<>=]+)([!<>=]+)(.+)$/.exec(text);
  if (comparison === null) {
    const operand = parseOperand(text);
    if (operand.type !== "path") throw new Unsupported(`the filter '${text}' is not about the element: it must begin with '@'`);
    return { type: "exists", steps: operand.steps };
  }
  const [, left = "", operator = "", right = ""] = comparison;
  if (!isOperator(operator)) throw new Unsupported(`'${operator}' is not an operator of filters`);
  return { type: "filter", left: parseOperand(left), operator, right: parseOperand(right) };
}

function isOperator(text: string): text is Operator {
  return OPERATORS.has(text);
}

function parseOperand(untrimmed: string): Operand {
  const text = untrimmed.trim();
  if (/^[@$.[]/.test(text)) return { type: "path", steps: parseSteps(text) };
  if (text === "true" || text === "false") return { type: "literal", value: text === "true" };
  if (/^[+-]?\d+(\.\d*)?$/.test(text)) return { type: "literal", value: Number(text) };
  const quoted = /^(["'])((?:(?!\1)[^\\]|\\.)*)\1$/s.exec(text)?.[2];
  if (quoted === undefined) throw new Unsupported(`'${text}' in a filter is neither a path, nor a number, nor true or false, nor in quotes`);
  return { type: "literal", value: unquote(quoted) };
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\", '"': '"', "'": "'" };

function unquote(text: string): string {
  return text.replace(/\\(u([0-9a-fA-F]{4})|.)/gs, (escape: string, char: string, code: string | undefined) => {
    const value = code === undefined ? ESCAPES[char] : String.fromCharCode(Number.parseInt(code, 16));
    if (value === undefined) throw new Unsupported(`the escape '${escape}' is not supported`);
    return value;
  });
}
