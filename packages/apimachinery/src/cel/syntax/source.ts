/** A place in an expression: line from 1, column (in code points) from 0. */
export interface Location {
  readonly line: number;
  readonly column: number;
}

/** Where a fault is that belongs to no place: an expression that is too long, or nests too deep. */
export const NO_LOCATION: Location = { line: -1, column: -1 };

/** A fault of an expression, found by the parser, the checker or a validator. */
export interface Fault {
  readonly location: Location;
  readonly message: string;
}

/** A line longer than this many bytes is not shown below a fault. Source: cel-go common/error.go maxSnippetLength. */
const MAX_SNIPPET_BYTES = 16_384;

/** At most this many faults are told. Source: cel-go common.Errors. */
const MAX_FAULTS = 100;

/** The text of an expression, as code points: offsets of the tree count them, as cel-go's do. */
export class Source {
  readonly points: readonly string[];
  /** Offsets at which the second, third … line begin. */
  readonly #lines: number[] = [];

  constructor(text: string) {
    this.points = Array.from(text, (point) => (isLoneSurrogate(point) ? "\ufffd" : point));
    for (let offset = 0; offset < this.points.length; offset++) if (this.points[offset] === "\n") this.#lines.push(offset + 1);
  }

  location(offset: number): Location {
    if (this.points.length === 0) return { line: 1, column: -1 }; // cel-go finds no place in an empty text
    let line = 0;
    while (line < this.#lines.length && (this.#lines[line] ?? 0) <= offset) line++;
    return { line: line + 1, column: offset - this.#lineStart(line) };
  }

  slice(start: number, end: number): string {
    return this.points.slice(start, end).join("");
  }

  /**
   * The faults as cel-go shows them: by place, each with its line and a mark below it.
   *
   * Source: cel-go common.Errors.ToDisplayString, common.Error.ToDisplayString.
   */
  display(faults: readonly Fault[]): string {
    const sorted = faults
      .slice(0, MAX_FAULTS)
      .sort(({ location: left }, { location: right }) => left.line - right.line || left.column - right.column)
      .map((fault) => this.#displayOne(fault));
    if (faults.length > MAX_FAULTS) sorted.push(`${faults.length - MAX_FAULTS} more errors were truncated`);
    return sorted.join("\n");
  }

  #displayOne({ location, message }: Fault): string {
    const title = `ERROR: <input>:${location.line}:${location.column + 1}: ${message}`;
    const line = this.#snippet(location.line);
    if (line === undefined || byteLength(line) > MAX_SNIPPET_BYTES) return title;
    let mark = "";
    for (let column = 0; column < location.column && column < line.length; column++) mark += isASCII(line[column]) ? "." : "\uff0e";
    const marked = line[Math.max(location.column, 0)];
    return `${title}\n | ${line.join("").replaceAll("\t", " ")}\n | ${mark}${marked === undefined || isASCII(marked) ? "^" : "\uff3e"}`;
  }

  /** @param line from 1. */
  #snippet(line: number): readonly string[] | undefined {
    if (line < 1 || line > this.#lines.length + 1 || this.points.length === 0) return undefined;
    const next = this.#lines[line - 1];
    return this.points.slice(this.#lineStart(line - 1), next === undefined ? this.points.length : next - 1);
  }

  #lineStart(line: number): number {
    return line === 0 ? 0 : (this.#lines[line - 1] ?? 0);
  }
}

function isLoneSurrogate(point: string): boolean {
  return point.length === 1 && point >= "\ud800" && point <= "\udfff";
}

const isASCII = (point: string | undefined): boolean => point !== undefined && point < "\u0080";

function byteLength(points: readonly string[]): number {
  let bytes = 0;
  for (const point of points) bytes += point < "\u0080" ? 1 : point < "\u0800" ? 2 : point.length === 2 ? 4 : 3;
  return bytes;
}
