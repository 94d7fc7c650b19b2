import type { Schema } from "@annex/apimachinery";
import fc from "fast-check";

const HEX = "0123456789abcdef";
const hex = (length: number) => fc.string({ unit: fc.constantFrom(...HEX), minLength: length, maxLength: length });
const time = fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true });
const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/);
const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
const uuid = (version: "1" | "3" | "4" | "5") => fc.uuid({ version: [Number(version) as 1 | 3 | 4 | 5] });

/** Values of the formats that CustomResourceDefinitions check and that random text would hardly ever satisfy. Others are tried with random text. */
const FORMATS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  bsonobjectid: hex(24),
  uri: name.map((host) => `https://${host}/`),
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
  datetime: time.map((date) => `${date.toISOString().slice(0, 19)}Z`),
  duration: fc.tuple(fc.nat(99), fc.constantFrom("ns", "ms", "s", "m", "h")).map(([count, unit]) => `${count}${unit}`),
  k8sshortname: label,
  k8slongname: name,
};

/** Text such as a string schema may describe: near to it, and not always valid; whoever uses it keeps what the schema accepts. */
export function stringArbitrary({ format = "", pattern, minLength = 0, maxLength }: Schema): fc.Arbitrary<string> {
  const ofFormat = FORMATS[format.replaceAll("-", "")];
  if (ofFormat !== undefined) return ofFormat;
  const ofPattern = pattern === undefined ? undefined : patternArbitrary(pattern);
  if (ofPattern !== undefined) return ofPattern;
  return fc.string({ unit: "grapheme", minLength, maxLength: Math.min(maxLength ?? minLength + 12, minLength + 12) });
}

/** @returns undefined for a pattern of RE2 that JavaScript spells differently. */
function patternArbitrary(pattern: string): fc.Arbitrary<string> | undefined {
  try {
    return fc.stringMatching(new RegExp(pattern, "u"));
  } catch {
    return undefined;
  }
}
