/** One alternative of an Accept header. `*` stands for any. */
export interface AcceptClause {
  readonly type: string;
  readonly subtype: string;
  /** 0 to 1, as sent: nothing keeps a client from other numbers. */
  readonly quality: number;
  readonly parameters: Readonly<Record<string, string | undefined>>;
}

/** Clients send few different headers, so a small map serves them all; one who sends many only empties it. */
const MAX_CACHED = 256;
const MAX_CACHED_LENGTH = 1024;
const cache = new Map<string, readonly AcceptClause[]>();

/**
 * Reads an Accept header.
 *
 * @returns the alternatives, the preferred ones first: by quality, then whole media types before `type/*` before any, then as sent.
 *   What cannot be read is left out, also when that leaves nothing.
 *
 * Source: github.com/munnerz/goautoneg, ParseAccept; its order is no order for some headers with several qualities and wildcards
 * (there the quality decides here), and it isn't stable (here it is).
 */
export function parseAccept(header: string): readonly AcceptClause[] {
  const known = cache.get(header);
  if (known !== undefined) return known;
  const clauses = header
    .split(",")
    .map(parseClause)
    .filter((clause) => clause !== undefined)
    .sort((left, right) => right.quality - left.quality || wildcards(left) - wildcards(right));
  if (header.length <= MAX_CACHED_LENGTH) {
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(header, clauses);
  }
  return clauses;
}

function wildcards({ type, subtype }: AcceptClause): number {
  return type === "*" ? 2 : subtype === "*" ? 1 : 0;
}

function parseClause(text: string): AcceptClause | undefined {
  const [mediaType = "", ...rest] = text.split(";");
  const [type = "", subtype = "", extra] = mediaType.split("/").map(trimSpaces);
  if (extra !== undefined || (subtype === "" && type !== "*")) return undefined;
  let quality = 1;
  const parameters: Record<string, string | undefined> = Object.create(null);
  for (const parameter of rest) {
    const [name = "", value, more] = parameter.split("=");
    if (value === undefined || value === "" || more !== undefined) continue;
    if (trimSpaces(name) === "q") quality = parseQuality(value);
    else parameters[trimSpaces(name)] = trimSpaces(value);
  }
  return { type, subtype: subtype === "" ? "*" : subtype, quality, parameters };
}

/** What is no number counts as 0, as in Go. */
function parseQuality(text: string): number {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : 0;
}

/** Without the spaces at both ends; only spaces count. By hand, because a regular expression takes quadratic time on long runs of them. */
export function trimSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === " ") start++;
  while (end > start && text[end - 1] === " ") end--;
  return text.slice(start, end);
}
