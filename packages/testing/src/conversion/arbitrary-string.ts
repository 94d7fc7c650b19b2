import type { Schema } from "@annex/apimachinery";
import fc from "fast-check";

const HEX = "0123456789abcdef";
const hex = (length: number) => fc.string({ unit: fc.constantFrom(...HEX), minLength: length, maxLength: length });
const time = fc.date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true });
const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/);
const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
const uuid = (version: "1" | "3" | "4" | "5") => fc.uuid({ version: [Number(version) as 1 | 3 | 4 | 5] });

const count = fc.oneof({ withCrossShrink: true }, { weight: 4, arbitrary: fc.nat(99) }, fc.constant(1.5));

/** `1h30m`, `90s`, `-1.5h` */
function duration([sign, counts]: readonly [sign: string, counts: Readonly<Record<string, number>>]): string {
  const parts = Object.entries(counts).map(([unit, number]) => `${number}${unit}`);
  return `${sign}${parts.join("") || "0s"}`;
}

/** Values of the formats that CustomResourceDefinitions check and that random text would hardly ever satisfy. Others are tried with random text. */
const FORMATS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  bsonobjectid: hex(24),
  uri: fc.tuple(name, fc.constantFrom("/", "/a/b?c=d#e", ":8443/")).map(([host, rest]) => `https://${host}${rest}`),
  email: fc.tuple(label, name).map(([user, host]) => `${user}@${host}.example`),
  hostname: name,
  ipv4: fc.ipV4(),
  ipv6: fc.ipV6(),
  cidr: fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, length]) => `${address}/${length}`),
  mac: fc.array(hex(2), { minLength: 6, maxLength: 6 }).map((bytes) => bytes.join(":")),
  uuid: fc.uuid(),
  uuid3: uuid("3"),
  uuid4: uuid("4"),
  uuid5: uuid("5"),
  isbn: fc.constantFrom("0306406152", "9780306406157"),
  isbn10: fc.constantFrom("0306406152", "080442957X"),
  isbn13: fc.constantFrom("9780306406157", "9783161484100"),
  creditcard: fc.constantFrom("4111111111111111", "5500000000000004"),
  ssn: fc.stringMatching(/^\d{3}-\d{2}-\d{4}$/),
  hexcolor: hex(6).map((digits) => `#${digits}`),
  rgbcolor: fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).map(([red, green, blue]) => `rgb(${red},${green},${blue})`),
  byte: fc.base64String({ minLength: 4, maxLength: 24 }),
  date: time.map((date) => date.toISOString().slice(0, 10)),
  datetime: fc
    .tuple(time, fc.constantFrom("", ".5", ".25", ".123456789"), fc.constantFrom("Z", "+02:00", "-05:30"))
    .map(([date, fraction, offset]) => `${date.toISOString().slice(0, 19)}${fraction}${offset}`),
  duration: fc.tuple(fc.constantFrom("", "-"), fc.record({ h: count, m: count, s: count, ms: count, ns: count }, { requiredKeys: [] })).map(duration),
  k8sshortname: fc.oneof({ withCrossShrink: true }, { weight: 3, arbitrary: label }, filled(label, 13, 63)),
  k8slongname: name,
};

/** How many characters a text has beyond those that it must have: mostly, and when it is long (a name of DNS has up to 253). */
const MORE_CHARACTERS = 12;
const MANY_CHARACTERS = 300;

/** Text such as a string schema may describe: near to it, and not always valid; whoever uses it keeps what the schema accepts. */
export function stringArbitrary({ format = "", pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY }: Schema): fc.Arbitrary<string> {
  const ofFormat = FORMATS[format.replaceAll("-", "")];
  if (ofFormat !== undefined) return ofFormat;
  const ofPattern = pattern === undefined ? undefined : patternArbitrary(pattern);
  if (ofPattern !== undefined) return ofPattern;
  const more = Math.min(maxLength, minLength + MORE_CHARACTERS);
  const many = Math.min(maxLength, minLength + MANY_CHARACTERS);
  const short = fc.string({ unit: "grapheme", minLength, maxLength: more });
  const lines = fc.tuple(short, fc.constantFrom("\n", "\r\n", "\n\n", "\t"), short).map(([first, end, second]) => `${first}${end}${second}`);
  return fc.oneof({ withCrossShrink: true }, { weight: 4, arbitrary: short }, lines, filled(fc.string({ minLength: 1, maxLength: 8 }), more, many));
}

/** Text in which a word comes over and over, often as long as it may be. */
function filled(word: fc.Arbitrary<string>, min: number, max: number): fc.Arbitrary<string> {
  return fc.tuple(word, fc.oneof(fc.integer({ min, max }), fc.constant(max))).map(([text, length]) => "".padEnd(length, text));
}

/** @returns undefined for a pattern of RE2 that JavaScript spells differently. */
function patternArbitrary(pattern: string): fc.Arbitrary<string> | undefined {
  try {
    const matching = new RegExp(pattern, "u");
    return fc.oneof({ weight: 4, arbitrary: fc.stringMatching(matching) }, fc.stringMatching(matching, { size: "medium" }));
  } catch {
    return undefined;
  }
}
