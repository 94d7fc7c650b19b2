// The string formats that CustomResourceDefinitions check. Internal to schema/: other folders see validation only.
import { isEmailAddress } from "./email.ts";
import { isCIDRFormat, isIPv4Format, isIPv6Format, isMACFormat, isRequestURI } from "./network.ts";
import { isDateFormat, isDateTimeFormat, isDurationFormat } from "./time.ts";

/**
 * What checks a string against a format.
 *
 * @param name as the schema spells it; dashes do not count (`date-time` is `datetime`).
 * @returns undefined for a format that is documentation only, which any string satisfies.
 * Source: apiextensions-apiserver pkg/apiserver/validation/formats.go (as of 1.36); kube-openapi pkg/validation/strfmt.
 */
export function stringFormat(name: string): ((text: string) => boolean) | undefined {
  return FORMATS.get(name.replaceAll("-", ""));
}

const HEX = "[0-9a-fA-F]";
/** Go's `\\s`, which is ASCII. */
const BLANK = "[\\t\\n\\f\\r ]";
const matches = (pattern: RegExp) => (text: string) => pattern.test(text);
const uuid = (version: string, variant: string) =>
  matches(new RegExp(`^${HEX}{8}-?${HEX}{4}-?${version}${HEX}{3}-?${variant}${HEX}{3}-?${HEX}{12}$`));

const CREDIT_CARD =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/;
const COLOR_PART = `${BLANK}*(?:0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])${BLANK}*`;
const NAME_LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
const SHORT_NAME = new RegExp(`^${NAME_LABEL}$`);
const LONG_NAME = new RegExp(`^${NAME_LABEL}(?:\\.${NAME_LABEL})*$`);
const HOST_CHAR = "[a-zA-Z0-9\\p{S}\\p{L}]";
const HOSTNAME = new RegExp(
  `^(?:${HOST_CHAR}(?:-?${HOST_CHAR}{0,62})?|(?:${HOST_CHAR}(?:[a-zA-Z0-9\\-\\p{S}\\p{L}]{0,61}${HOST_CHAR})?\\.)+[a-zA-Z\\p{L}]{2,63})$`,
  "u",
);

const FORMATS: ReadonlyMap<string, (text: string) => boolean> = new Map<string, (text: string) => boolean>([
  ["bsonobjectid", matches(/^[0-9a-fA-F]{24}$/)],
  ["uri", isRequestURI],
  ["email", isEmailAddress],
  ["hostname", isHostname],
  ["ipv4", isIPv4Format],
  ["ipv6", isIPv6Format],
  ["cidr", isCIDRFormat],
  ["mac", isMACFormat],
  ["uuid", uuid(HEX, HEX)],
  ["uuid3", uuid("3", HEX)],
  ["uuid4", uuid("4", "[89abAB]")],
  ["uuid5", uuid("5", "[89abAB]")],
  ["isbn", (text) => isISBN10(text) || isISBN13(text)],
  ["isbn10", isISBN10],
  ["isbn13", isISBN13],
  ["creditcard", isCreditCard],
  ["ssn", (text) => text.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text)],
  ["hexcolor", matches(/^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/)],
  ["rgbcolor", isRGBColor],
  // Base64 of nothing is refused, as kube-apiserver refuses it.
  ["byte", (text) => text !== "" && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)],
  ["password", () => true],
  ["date", isDateFormat],
  ["datetime", isDateTimeFormat],
  ["duration", isDurationFormat],
  ["k8sshortname", (text) => text.length <= 63 && SHORT_NAME.test(text)],
  ["k8slongname", (text) => text.length <= 253 && LONG_NAME.test(text)],
]);

const COLOR = new RegExp(`^rgb\\(${COLOR_PART},${COLOR_PART},${COLOR_PART}\\)$`);

/** The length is checked first: adjoining runs of blanks would cost time beyond measure otherwise. */
function isRGBColor(text: string): boolean {
  return text.length <= 1024 && COLOR.test(text);
}

/** At most 255 bytes, labels of at most 63 bytes; a name beyond ASCII is longer in bytes than in characters. */
function isHostname(text: string): boolean {
  if (text.length > 255 || utf8Length(text) > 255 || !HOSTNAME.test(text)) return false;
  return text.split(".").every((label) => utf8Length(label) <= 63);
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

function isISBN10(text: string): boolean {
  const digits = text.replace(/[\t\n\f\r -]+/g, "");
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < 10; index++) sum += (index + 1) * (digits[index] === "X" ? 10 : Number(digits[index]));
  return sum % 11 === 0;
}

function isISBN13(text: string): boolean {
  const digits = text.replace(/[\t\n\f\r -]+/g, "");
  if (!/^[0-9]{13}$/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < 13; index++) sum += (index % 2 === 0 ? 1 : 3) * Number(digits[index]);
  return sum % 10 === 0;
}

/** A number of a known issuer, whatever stands between its digits, that satisfies Luhn's check. */
function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, "");
  if (!CREDIT_CARD.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = digit * 2;
    sum += index % 2 === 0 ? digit : doubled >= 10 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
