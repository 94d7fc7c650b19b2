/** The digits of a double without its point, and where that stands: 0.0123 is `123` at -1. The shortest that read back the same. */
function shortest(value: number): { readonly digits: string; readonly point: number } {
  const [mantissa = "0", exponent = "0"] = value.toExponential().split("e");
  return { digits: mantissa.replace(".", ""), point: Number(exponent) + 1 };
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  return value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : undefined;
}

/** A double as Go's `%g` and `%v` write it. Source: strconv.FormatFloat(value, 'g', -1, 64). */
export function formatGeneral(value: number): string {
  const name = special(value);
  if (name !== undefined) return name;
  const { point } = shortest(Math.abs(value));
  const exponent = value === 0 ? 0 : point - 1;
  return exponent < -4 || exponent >= 6 ? formatExponent(value) : formatPlain(value);
}

/** `1.5e+06`. */
function formatExponent(value: number): string {
  const { digits, point } = shortest(Math.abs(value));
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  const exponent = point - 1;
  return `${sign(value)}${digits[0]}${fraction}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** A double without an exponent. Source: strconv.FormatFloat(value, 'f', -1, 64). */
export function formatPlain(value: number): string {
  const name = special(value);
  if (name !== undefined) return name;
  if (value === 0) return `${sign(value)}0`;
  const { digits, point } = shortest(Math.abs(value));
  if (point <= 0) return `${sign(value)}0.${"0".repeat(-point)}${digits}`;
  if (digits.length <= point) return `${sign(value)}${digits}${"0".repeat(point - digits.length)}`;
  return `${sign(value)}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** The digits behind the point that JavaScript can write. */
const MAX_FRACTION = 100;

/** A finite double with so many digits behind the point; what lies in the middle goes to the even digit. Source: Go's `%.nf`. */
export function formatFixed(value: number, precision: number): string {
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}${precision === 0 ? "" : `.${"0".repeat(precision)}`}`;
  const shown = Math.min(precision, MAX_FRACTION - 1);
  const exact = value.toFixed(MAX_FRACTION);
  const cut = exact.length - MAX_FRACTION + shown;
  const isMiddle = /^50*$/.test(exact.slice(cut));
  const digits = shown === 0 ? exact.slice(0, cut - 1) : exact.slice(0, cut);
  const isEven = Number(digits.at(-1)) % 2 === 0;
  const rounded = isMiddle && isEven ? digits : value.toFixed(shown);
  const signed = Object.is(value, -0) ? `-${rounded}` : rounded;
  return signed + "0".repeat(precision - shown);
}

const sign = (value: number): string => (value < 0 || Object.is(value, -0) ? "-" : "");

const FLOAT = /^[+-]?(?:(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?|inf(?:inity)?|nan)$/i;

/**
 * Reads a double; undefined when it is none, or beyond the range. Hexadecimal ones are read too.
 *
 * Source: strconv.ParseFloat.
 */
export function parseFloat64(text: string): number | undefined {
  if (/^[+-]?0x/i.test(text)) return parseHexFloat(text);
  if (!FLOAT.test(text) || /(?:^|\D)_|_(?:\D|$)/.test(text)) return undefined;
  const word = text.toLowerCase().replace(/^[+-]/, "");
  if (word === "nan") return Number.NaN;
  if (word.startsWith("inf")) return text.startsWith("-") ? -Infinity : Infinity;
  const value = Number(text.replaceAll("_", ""));
  return Number.isFinite(value) ? value : undefined;
}

function parseHexFloat(text: string): number | undefined {
  const match = /^([+-]?)0x([0-9a-f]*)(?:\.([0-9a-f]*))?p([+-]?\d+)$/i.exec(text);
  if (match === null) return undefined;
  const [, minus, whole = "", fraction = "", exponent = "0"] = match;
  if (whole === "" && fraction === "") return undefined;
  const value = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length);
  if (!Number.isFinite(value)) return undefined;
  return minus === "-" ? -value : value;
}
