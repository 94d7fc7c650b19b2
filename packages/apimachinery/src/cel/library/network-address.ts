import { quoteGo } from "../../meta/go-quote.ts";

/** An address of IPv4 (4 bytes) or IPv6 (16 bytes). */
export interface NetworkAddress {
  readonly bytes: readonly number[];
  /** The zone of an IPv6 address, empty for none. */
  readonly zone: string;
}

/** Why a text is no address, in Go's words. */
export class AddressError extends Error {
  override readonly name = "AddressError";
}

function fault(text: string, message: string, at = ""): AddressError {
  return new AddressError(`ParseAddr(${quoteGo(text)}): ${message}${at === "" ? "" : ` (at ${quoteGo(at)})`}`);
}

/**
 * Reads an IP address.
 *
 * @throws {AddressError}
 *
 * Source: net/netip.ParseAddr.
 */
export function parseAddress(text: string): NetworkAddress {
  const kind = /[.:%]/.exec(text)?.[0];
  if (kind === ".") return { bytes: parseFields(text, text), zone: "" };
  if (kind === ":") return parseIPv6(text);
  throw fault(text, kind === "%" ? "missing IPv6 address" : "unable to parse IP");
}

/** Four decimal octets. @param whole the text of which `fields` is a part. */
function parseFields(whole: string, fields: string): readonly number[] {
  const bytes: number[] = [];
  let value = 0;
  let digits = 0;
  for (let at = 0; at < fields.length; at++) {
    const char = fields[at] ?? "";
    if (/\d/.test(char)) {
      if (digits === 1 && value === 0) throw fault(whole, "IPv4 field has octet with leading zero");
      value = value * 10 + Number(char);
      digits++;
      if (value > 255) throw fault(whole, "IPv4 field has value >255");
      continue;
    }
    if (char !== ".") throw fault(whole, "unexpected character", fields.slice(at));
    if (at === 0 || at === fields.length - 1 || fields[at - 1] === ".")
      throw fault(whole, "IPv4 field must have at least one digit", fields.slice(at));
    if (bytes.length === 3) throw fault(whole, "IPv4 address too long");
    bytes.push(value);
    value = 0;
    digits = 0;
  }
  if (bytes.length < 3) throw fault(whole, "IPv4 address too short");
  return [...bytes, value];
}

function parseIPv6(text: string): NetworkAddress {
  const percent = text.indexOf("%");
  const zone = percent < 0 ? "" : text.slice(percent + 1);
  if (percent >= 0 && zone === "") throw fault(text, "zone must be a non-empty string");
  let rest = percent < 0 ? text : text.slice(0, percent);
  const bytes: number[] = [];
  let ellipsis: number | undefined;
  if (rest.startsWith("::")) {
    ellipsis = 0;
    rest = rest.slice(2);
    if (rest === "") return { bytes: new Array<number>(16).fill(0), zone };
  }
  while (bytes.length < 16) {
    const digits = readGroup(text, rest);
    if (rest[digits.length] === ".") {
      embedIPv4(text, rest, bytes, ellipsis);
      rest = "";
      break;
    }
    const group = Number.parseInt(digits, 16);
    bytes.push(group >> 8, group & 0xff);
    rest = rest.slice(digits.length);
    if (rest === "") break;
    if (!rest.startsWith(":")) throw fault(text, "unexpected character, want colon", rest);
    if (rest.length === 1) throw fault(text, "colon must be followed by more characters", rest);
    rest = rest.slice(1);
    if (!rest.startsWith(":")) continue;
    if (ellipsis !== undefined) throw fault(text, "multiple :: in address", rest);
    ellipsis = bytes.length;
    rest = rest.slice(1);
    if (rest === "") break;
  }
  if (rest !== "") throw fault(text, "trailing garbage after address", rest);
  return { bytes: expanded(text, bytes, ellipsis), zone };
}

/** The digits of a group. */
function readGroup(text: string, rest: string): string {
  const digits = /^[0-9a-fA-F]*/.exec(rest)?.[0] ?? "";
  if (digits.length > 4) throw fault(text, "each group must have 4 or less digits", rest);
  if (digits === "") throw fault(text, "each colon-separated field must have at least one digit", rest);
  return digits;
}

function embedIPv4(text: string, rest: string, bytes: number[], ellipsis: number | undefined): void {
  if (ellipsis === undefined && bytes.length !== 12) throw fault(text, "embedded IPv4 address must replace the final 2 fields of the address", rest);
  if (bytes.length + 4 > 16) throw fault(text, "too many hex fields to fit an embedded IPv4 at the end of the address", rest);
  bytes.push(...parseFields(text, rest));
}

function expanded(text: string, bytes: readonly number[], ellipsis: number | undefined): readonly number[] {
  const missing = 16 - bytes.length;
  if (ellipsis === undefined) {
    if (missing > 0) throw fault(text, "address string too short");
    return bytes;
  }
  if (missing === 0) throw fault(text, "the :: must expand to at least one field of zeros");
  return [...bytes.slice(0, ellipsis), ...new Array<number>(missing).fill(0), ...bytes.slice(ellipsis)];
}

/** The shortest form. Source: netip.Addr.String. */
export function formatAddress({ bytes, zone }: NetworkAddress): string {
  if (bytes.length === 4) return bytes.join(".");
  const suffix = zone === "" ? "" : `%${zone}`;
  if (isMappedIPv4({ bytes, zone })) return `::ffff:${bytes.slice(12).join(".")}${suffix}`;
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0));
  const { start, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(":") + suffix;
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}${suffix}`;
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** `::ffff:1.2.3.4`. */
export const isMappedIPv4 = ({ bytes }: NetworkAddress): boolean =>
  bytes.length === 16 && bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;

/** An address and how many of its bits name the network. */
export interface NetworkPrefix {
  readonly address: NetworkAddress;
  readonly bits: number;
}

/**
 * Reads `10.0.0.0/8`.
 *
 * @throws {AddressError}
 *
 * Source: net/netip.ParsePrefix.
 */
export function parsePrefix(text: string): NetworkPrefix {
  const wrong = (message: string) => new AddressError(`netip.ParsePrefix(${quoteGo(text)}): ${message}`);
  const slash = text.lastIndexOf("/");
  if (slash < 0) throw wrong("no '/'");
  const address = addressOfPrefix(text.slice(0, slash), wrong);
  if (address.zone !== "") throw wrong("IPv6 zones cannot be present in a prefix");
  const written = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,17})$/.test(written)) throw wrong(`bad bits after slash: ${quoteGo(written)}`);
  const bits = Number(written);
  if (bits > address.bytes.length * 8) throw wrong("prefix length out of range");
  return { address, bits };
}

function addressOfPrefix(text: string, wrong: (message: string) => AddressError): NetworkAddress {
  try {
    return parseAddress(text);
  } catch (error) {
    throw error instanceof AddressError ? wrong(error.message) : error;
  }
}

/** The bytes of a network with all bits behind its prefix cleared. */
export function maskedBytes({ address: { bytes }, bits }: NetworkPrefix): readonly number[] {
  return bytes.map((byte, index) => byte & (0xff00 >> Math.min(Math.max(bits - 8 * index, 0), 8)));
}

/** Whether an address lies within a network of its family. */
export function containsAddress(prefix: NetworkPrefix, { bytes, zone }: NetworkAddress): boolean {
  if (zone !== "" || bytes.length !== prefix.address.bytes.length) return false;
  const masked = maskedBytes({ address: { bytes, zone }, bits: prefix.bits });
  return maskedBytes(prefix).every((byte, index) => byte === masked[index]);
}
