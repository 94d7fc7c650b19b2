import { OperatorError } from "@annex/apiserver";

/** One line of a token file: who bears this token. */
export interface TokenRecord {
  readonly token: string;
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
}

export interface TokenAuthFile {
  readonly records: readonly TokenRecord[];
  /** One line each, without a token in it. */
  readonly warnings: readonly string[];
}

/** The file can't be used. The message is one line, names file and line, and never shows what stands there. */
export class TokenAuthFileError extends OperatorError {
  override readonly exitCode = 2;
  override readonly name = "TokenAuthFileError";
}

/** Ten thousand tokens are about 1 MB. The regular expression below would run out of stack on one quoted field of more than 4 MiB. */
const MAX_CHARACTERS = 2 * 1024 * 1024;

/**
 * Parses kube-apiserver's `--token-auth-file`: CSV with the columns token, user name, user uid and, if wanted, `"group1,group2"`. More
 * columns are ignored. There are no comments: a line that begins with `#` is a token like any other.
 *
 * An empty token is skipped with a warning; of a repeated token the last line counts, with a warning.
 *
 * @param path for messages only.
 * @throws {TokenAuthFileError} for less than three columns, or quotes that RFC 4180 does not allow.
 *
 * Source: apiserver, token/tokenfile NewCSV, and Go's encoding/csv with its defaults.
 */
export function parseTokenAuthFile(path: string, text: string): TokenAuthFile {
  if (text.length > MAX_CHARACTERS) throw new TokenAuthFileError(`token file ${path} is larger than 2 MiB`);
  const byToken = new Map<string, TokenRecord>();
  const warnings: string[] = [];
  for (const { line, fields } of csvRecords(path, text)) {
    const [token, name, uid, groups = ""] = fields;
    if (token === undefined || name === undefined || uid === undefined) {
      throw new TokenAuthFileError(
        `token file ${path}, line ${line}: must have at least 3 columns (token, user name, user uid), found ${fields.length}`,
      );
    }
    if (token === "") {
      warnings.push(`token file ${path}, line ${line}: the token is empty, the line is ignored`);
      continue;
    }
    if (byToken.has(token)) warnings.push(`token file ${path}, line ${line}: this token stands on an earlier line too, which is ignored`);
    byToken.set(token, { token, name, uid, groups: groups.split(",").filter((group) => group !== "") });
  }
  return { records: [...byToken.values()], warnings };
}

interface CSVRecord {
  /** Where it begins, counted from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** One field and what ends it. A field is quoted, with `""` for a quote, or has no quote in it. Sticky: it matches where it is told to. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/y;

function* csvRecords(path: string, text: string): Generator<CSVRecord> {
  // A byte order mark, which some editors leave, would make the first token match nobody.
  const input = text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  let line = 1;
  let position = 0;
  while (position < input.length) {
    if (input[position] === "\n") {
      position++;
      line++;
      continue;
    }
    const start = line;
    const fields: string[] = [];
    for (let end = ","; end === ","; ) {
      FIELD.lastIndex = position;
      const match = FIELD.exec(input);
      if (match === null)
        throw new TokenAuthFileError(`token file ${path}, line ${start}: a quote is not closed, or stands inside of a field without quotes`);
      const [whole, quoted, plain] = match;
      fields.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
      position += whole.length;
      line += whole.split("\n").length - 1;
      end = match[3] ?? "";
    }
    yield { line: start, fields };
  }
}
