/** How much text the warnings of one answer have, and how much each of them once that was too much: in characters. Source: k8s.io/apiserver endpoints/filters, warning recorder. */
const MAX_TOTAL = 4 * 1024;
const MAX_EACH = 256;
/** How many there are at most: clients take no more headers than that. */
const MAX_WARNINGS = 100;

const encoder = new TextEncoder();

/** The warnings of one answer: each is told once. When all together are too long, each is cut, and what then still is too much is left out. */
export class Warnings {
  readonly #texts: string[] = [];
  #length = 0;
  #isCut = false;
  #isFull = false;

  add(text: string): void {
    if (text === "" || this.#isFull || this.#texts.includes(text)) return;
    this.#texts.push(text);
    this.#length += this.#isCut ? Math.min(length(text), MAX_EACH) : length(text);
    if (!this.#isCut && this.#length > MAX_TOTAL) {
      this.#isCut = true;
      this.#length = this.#texts.reduce((sum, one) => sum + Math.min(length(one), MAX_EACH), 0);
    }
    this.#isFull = this.#texts.length >= MAX_WARNINGS || (this.#isCut && this.#length >= MAX_TOTAL);
  }

  /** As values of `Warning` headers. Source: RFC 9111 (obsoleted there, alive in Kubernetes), k8s.io/apiserver/pkg/warning. */
  get headers(): readonly string[] {
    return this.#texts.map((text) => warningHeader(this.#isCut ? Array.from(text).slice(0, MAX_EACH).join("") : text));
  }
}

function length(text: string): number {
  let count = 0;
  for (const _character of text) count++;
  return count;
}

/** The value of a `Warning` header: text in UTF-8, one byte a character, as headers are sent. Control characters cannot stand in one. */
function warningHeader(text: string): string {
  const printable = text
    .replace(/[\p{Cc}\p{Cf}]/gu, " ")
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"');
  const isASCII = /^[ -~]*$/.test(printable);
  return `299 - "${isASCII ? printable : Array.from(encoder.encode(printable), (byte) => String.fromCharCode(byte)).join("")}"`;
}
