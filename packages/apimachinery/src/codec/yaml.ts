import { Composer, type CST, type Document, LineCounter, Parser, Schema, type YAMLParseError } from "yaml";
import type { JSONValue } from "../meta/index.ts";
import { parseCompactJSON } from "./compact-json.ts";
import { JSONParser, JSONSyntaxError } from "./json-parser.ts";
import { convertYAML } from "./yaml-convert.ts";
import { YAMLSyntaxError } from "./yaml-error.ts";
import { createLexer } from "./yaml-lexer.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** How deep maps and sequences may nest. (Go's limit is 10,000; the composer here recurses, and no object of Kubernetes comes near.) */
const MAX_YAML_DEPTH = 500;

/** How many words, signs and line breaks a document may have: each costs about 5 microseconds, and a megabyte of usual YAML has fewer. */
const MAX_LEXEMES = 250_000;

/** A level of nesting is at most this many entries on the parser's stack. */
const STACK_PER_LEVEL = 2;

/** Every scalar is a string to the composer: what it means is decided by Kubernetes' rules, afterwards. */
const STRINGS_ONLY = new Schema({ schema: "failsafe", merge: false, resolveKnownTags: false });

/** What a YAML stream may not hold. Source: the reader of go.yaml.in/yaml/v2. */
const FORBIDDEN_CHARACTER = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Line breaks that are read as `\n`. Source: go.yaml.in/yaml/v2, read_line. */
const LINE_BREAK = /\r\n?|\x85/g;

export interface DecodedYAML {
  readonly value: JSONValue;
  /**
   * The keys that stood more than once in their map, as `line 7: key "a" already set in map`: each is a warning of its own. At most 100. The
   * last one won. {@link formatYAMLDuplicates} has the sentence of an error.
   */
  readonly duplicates: readonly string[];
}

/**
 * Reads a YAML body: the first document of it, as Kubernetes does. Nothing, or only comments, is null.
 *
 * The words of YAML 1.1 are booleans (`yes`, `no`, `on`, `off`, `y`, `n`), as keys too: there they become `true` and `false`. `0777` and `0o777` are octal.
 * Dates stay strings. Keys that are numbers become strings, a null key is refused. Integers beyond 2^53 are bigint up to 64 bits with a sign, doubles beyond.
 *
 * @param bytes UTF-8, with or without a byte order mark.
 * @throws {YAMLSyntaxError} when it is no YAML, has no form in JSON (`.inf`, `!!binary`, maps as keys), nests deeper
 *   than 500 (10,000 when it is JSON), has more than 250,000 tokens, or swells by its aliases.
 *
 * Source: sigs.k8s.io/yaml YAMLToJSONStrict over go.yaml.in/yaml/v2.
 */
export function decodeYAML(bytes: Uint8Array): DecodedYAML {
  const text = decodeText(bytes);
  const json = decodeAsJSON(text);
  if (json !== undefined) return { value: json, duplicates: [] };
  const lines = new LineCounter();
  try {
    const document = composeFirst(text.replace(LINE_BREAK, "\n"), lines);
    return document === undefined ? { value: null, duplicates: [] } : convertYAML(document, lines);
  } catch (error) {
    if (error instanceof RangeError) throw new YAMLSyntaxError(tooDeep()); // a deeper stack below us than the limit was made for
    throw error;
  }
}

/** What a strict decoding error says of duplicate keys. Source: go.yaml.in/yaml/v2, TypeError. */
export function formatYAMLDuplicates(duplicates: readonly string[]): string {
  return `yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`;
}

function decodeText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw new YAMLSyntaxError("yaml: invalid UTF-8");
  }
  if (FORBIDDEN_CHARACTER.test(text)) throw new YAMLSyntaxError("yaml: control characters are not allowed");
  return text;
}

/** JSON is YAML, much faster to read, and what kubectl sends as a server-side apply's YAML. @returns undefined for what is better left to YAML. */
function decodeAsJSON(text: string): JSONValue | undefined {
  if (!text.startsWith("{")) return undefined;
  const compact = parseCompactJSON(text);
  if (compact !== undefined) return compact;
  try {
    const parser = new JSONParser(text);
    const value = parser.parse();
    return parser.duplicates.length === 0 ? value : undefined;
  } catch (error) {
    if (error instanceof JSONSyntaxError) return undefined;
    throw error;
  }
}

/** Composes one document and looks no further: what follows it is not even parsed. */
function composeFirst(text: string, lines: LineCounter): Document.Parsed | undefined {
  const composer = new Composer({ schema: STRINGS_ONLY, version: "1.1", uniqueKeys: false, strict: false, logLevel: "silent" });
  for (const document of composer.compose(parse(text, lines), true, text.length)) {
    const [error, next] = document.errors;
    if (error !== undefined) throw new YAMLSyntaxError(formatError(error, next, lines));
    return document;
  }
  return undefined;
}

function* parse(text: string, lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let lexemes = 0;
  let offset = 0;
  let isAfterScalarMark = false;
  let hasBegun = false;
  for (const lexeme of createLexer().lex(text)) {
    if (++lexemes > MAX_LEXEMES) throw new YAMLSyntaxError(`yaml: document has more than ${MAX_LEXEMES} tokens`);
    if (!isAfterScalarMark && lexeme.startsWith('"')) checkEscapes(lexeme, text, offset);
    if (!hasBegun && lexeme.startsWith("%")) checkDirective(lexeme, text, offset);
    hasBegun ||= lexeme === DOCUMENT_MARK;
    isAfterScalarMark = lexeme === SCALAR_MARK;
    if (!MARKS.has(lexeme)) offset += lexeme.length;
    yield* parser.next(lexeme);
    if (parser.stack.length > MAX_YAML_DEPTH * STACK_PER_LEVEL) throw new YAMLSyntaxError(tooDeep());
  }
  yield* parser.end();
}

/** Lexemes that stand for no text: what follows the first of them is a plain or a block scalar. */
const [SCALAR_MARK, DOCUMENT_MARK, FLOW_END_MARK] = ["\x1f", "\x02", "\x18"];
const MARKS: ReadonlySet<string> = new Set([SCALAR_MARK, DOCUMENT_MARK, FLOW_END_MARK]);

const ESCAPES = /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|.)/gs;

/** Refuses escapes of surrogates, of which no text can be made. Source: go.yaml.in/yaml/v2, yaml_parser_scan_flow_scalar. */
function checkEscapes(quoted: string, text: string, offset: number): void {
  if (!quoted.includes("\\")) return;
  for (const { index, 1: short, 2: long } of quoted.matchAll(ESCAPES)) {
    const code = Number.parseInt(short ?? long ?? "0", 16);
    if (code < 0xd800 || code > 0xdfff) continue;
    throw faultAt(text, offset + index, INVALID_CODE);
  }
}

/** Source: go.yaml.in/yaml/v2, yaml_parser_process_directives. */
function checkDirective(directive: string, text: string, offset: number): void {
  const [name, version] = directive.split(/[ \t]+/);
  if (name === "%YAML" && version !== "1.1") throw faultAt(text, offset, "found incompatible YAML document");
  if (name !== "%YAML" && name !== "%TAG") throw faultAt(text, offset, "found unknown directive name");
}

function faultAt(text: string, offset: number, sentence: string): YAMLSyntaxError {
  const line = text.slice(0, offset).split("\n").length;
  return new YAMLSyntaxError(`yaml: ${line === 1 ? "" : `line ${line}: `}${sentence}`);
}

const INVALID_CODE = "found invalid Unicode character escape code";

/** What Go's scanner says where both parsers mean the same. */
const GO_SENTENCES: Readonly<Partial<Record<YAMLParseError["code"], string>>> = {
  BLOCK_AS_IMPLICIT_KEY: "mapping values are not allowed in this context",
  TAB_AS_INDENT: "found character that cannot start any token",
  BAD_SCALAR_START: "found character that cannot start any token",
};
const OPEN_QUOTE = "Missing closing";

/** The first fault, in Go's words and with its line where Go has them: none for what stands in the first line. Source: go.yaml.in/yaml/v2, parser.fail. */
function formatError(first: YAMLParseError, second: YAMLParseError | undefined, lines: LineCounter): string {
  const goSentence = goSentenceOf(first);
  const sentence = goSentence ?? first.message.replaceAll("\n", " ");
  // Of a key over several lines Go's scanner sees the colon at its end.
  const at = first.code === "BLOCK_AS_IMPLICIT_KEY" && second?.code === "MULTILINE_IMPLICIT_KEY" ? second.pos[1] : first.pos[0];
  const { line } = lines.linePos(at);
  const where = goSentence !== undefined && line === 1 ? "" : `line ${line}: `;
  return `yaml: ${where}${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
}

function goSentenceOf({ message, code }: YAMLParseError): string | undefined {
  if (message.startsWith(OPEN_QUOTE)) return "found unexpected end of stream";
  if (code !== "BAD_DQ_ESCAPE") return GO_SENTENCES[code];
  if (!/ \\[xuU]/.test(message)) return "found unknown escape character";
  return /\\U[0-9a-fA-F]{8}$/.test(message) ? INVALID_CODE : "did not find expected hexdecimal number";
}

function tooDeep(): string {
  return `yaml: exceeded max depth of ${MAX_YAML_DEPTH}`;
}
