import { quoteGo } from "../../meta/go-quote.ts";
import { type FunctionDeclaration, member, type Overload, overload } from "../check/declaration.ts";
import type { CelLibrary } from "../environment.ts";
import { CelError, NO_SUCH_OVERLOAD, noSuchOverload } from "../value/error.ts";
import { CelOpaque } from "../value/opaque.ts";
import { BOOL, type CelType, INT, opaqueType, STRING } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";
import {
  AddressError,
  containsAddress,
  formatAddress,
  isMappedIPv4,
  maskedBytes,
  type NetworkAddress,
  type NetworkPrefix,
  parseAddress,
  parsePrefix,
} from "./network-address.ts";

const IP = opaqueType("net.IP");
const CIDR = opaqueType("net.CIDR");

class IPValue extends CelOpaque {
  readonly address: NetworkAddress;

  constructor(address: NetworkAddress) {
    super();
    this.address = address;
  }

  get type(): CelType {
    return IP;
  }

  override get goType(): string {
    return "cel.IP";
  }

  override get costSize(): number {
    return this.address.bytes.length;
  }

  equals(other: CelValue): CelValue {
    return other instanceof IPValue ? this.toString() === other.toString() : noSuchOverload(other);
  }

  toString(): string {
    return formatAddress(this.address);
  }
}

class CIDRValue extends CelOpaque {
  readonly prefix: NetworkPrefix;

  constructor(prefix: NetworkPrefix) {
    super();
    this.prefix = prefix;
  }

  get type(): CelType {
    return CIDR;
  }

  override get goType(): string {
    return "cel.CIDR";
  }

  override get costSize(): number {
    return Math.ceil(this.prefix.bits / 8);
  }

  equals(other: CelValue): CelValue {
    return other instanceof CIDRValue ? this.toString() === other.toString() : noSuchOverload(other);
  }

  toString(): string {
    return `${formatAddress(this.prefix.address)}/${this.prefix.bits}`;
  }
}

/** Reads an address. Zones and addresses of IPv4 in the dress of IPv6 are refused. */
function readIP(text: string): NetworkAddress | CelError {
  try {
    const address = parseAddress(text);
    if (address.zone !== "") return new CelError(`IP address ${quoteGo(text)} with zone value is not allowed`);
    return isMappedIPv4(address) ? new CelError(`IPv4-mapped IPv6 address ${quoteGo(text)} is not allowed`) : address;
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    return new CelError(`IP Address ${quoteGo(text)} parse error during conversion from string: ${error.message}`);
  }
}

function readCIDR(text: string): NetworkPrefix | CelError {
  try {
    const prefix = parsePrefix(text);
    return isMappedIPv4(prefix.address) ? new CelError(`IPv4-mapped IPv6 address ${quoteGo(text)} is not allowed`) : prefix;
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    return new CelError(`network address parse error during conversion from string: ${error.message}`);
  }
}

function ip(text: string): CelValue {
  const address = readIP(text);
  return address instanceof CelError ? address : new IPValue(address);
}

function cidr(text: string): CelValue {
  const prefix = readCIDR(text);
  return prefix instanceof CelError
    ? new CelError(`network address parse error during conversion from string: ${prefix.message}`)
    : new CIDRValue(prefix);
}

function isCanonical(text: string): CelValue {
  const address = readIP(text);
  return address instanceof CelError ? address : formatAddress(address) === text;
}

/** Whether an address is of a kind: the first bytes that an IPv4 or an IPv6 address of it has. */
const test = (name: string, id: string, is: (bytes: readonly number[]) => boolean): FunctionDeclaration => ({
  name,
  overloads: [member(id, [IP], BOOL, ({ address }: IPValue) => is(address.bytes))],
});

const isIPv4 = (bytes: readonly number[]): boolean => bytes.length === 4;
const isZero = (bytes: readonly number[]): boolean => bytes.every((byte) => byte === 0);
const isLoopback = (bytes: readonly number[]): boolean => (isIPv4(bytes) ? bytes[0] === 127 : isZero(bytes.slice(0, 15)) && bytes[15] === 1);
const isMulticast = ([first = 0, ...rest]: readonly number[]): boolean => (rest.length === 3 ? (first & 0xf0) === 0xe0 : first === 0xff);
const isLinkLocalUnicast = ([first = 0, second = 0, ...rest]: readonly number[]): boolean =>
  rest.length === 2 ? first === 169 && second === 254 : first === 0xfe && (second & 0xc0) === 0x80;
const isLinkLocalMulticast = ([first = 0, second = 0, third = 0, ...rest]: readonly number[]): boolean =>
  rest.length === 1 ? first === 224 && second === 0 && third === 0 : first === 0xff && (second & 0x0f) === 2;
const isBroadcast = (bytes: readonly number[]): boolean => isIPv4(bytes) && bytes.every((byte) => byte === 255);
const isGlobalUnicast = (bytes: readonly number[]): boolean =>
  !isBroadcast(bytes) && !isZero(bytes) && !isLoopback(bytes) && !isMulticast(bytes) && !isLinkLocalUnicast(bytes);

/** Addresses. Source: k8s.io/apiserver/pkg/cel/library/ip.go. */
export const IP_LIBRARY: CelLibrary = {
  name: "kubernetes.net.ip",
  functions: [
    { name: "ip", overloads: [overload("string_to_ip", [STRING], IP, ip)] },
    { name: "isIP", overloads: [overload("is_ip", [STRING], BOOL, (text: string) => !(readIP(text) instanceof CelError))] },
    { name: "ip.isCanonical", overloads: [overload("ip_is_canonical", [STRING], BOOL, isCanonical)] },
    { name: "family", overloads: [member("ip_family", [IP], INT, ({ address }: IPValue) => (isIPv4(address.bytes) ? 4 : 6))] },
    test("isUnspecified", "ip_is_unspecified", isZero),
    test("isLoopback", "ip_is_loopback", isLoopback),
    test("isLinkLocalMulticast", "ip_is_link_local_multicast", isLinkLocalMulticast),
    test("isLinkLocalUnicast", "ip_is_link_local_unicast", isLinkLocalUnicast),
    test("isGlobalUnicast", "ip_is_global_unicast", isGlobalUnicast),
    { name: "string", overloads: [overload("ip_to_string", [IP], STRING, String)] },
  ],
  types: [IP],
};

function containsIP({ prefix }: CIDRValue, { address }: IPValue): boolean {
  return containsAddress(prefix, address);
}

function containsCIDR({ prefix }: CIDRValue, { prefix: other }: CIDRValue): boolean {
  return prefix.bits <= other.bits && containsAddress(prefix, other.address);
}

/** The same with a text in place of a value, which is read first. What cannot be read is told of networks alone. */
function reading(id: string, read: (text: string) => CelValue, contains: (network: CIDRValue, other: CelValue) => CelValue): Overload {
  return member(id, [CIDR, STRING], BOOL, (network: CIDRValue, text: string) => {
    return contains(network, read(text));
  });
}

/** Networks. Source: k8s.io/apiserver/pkg/cel/library/cidr.go. */
export const CIDR_LIBRARY: CelLibrary = {
  name: "kubernetes.net.cidr",
  functions: [
    { name: "cidr", overloads: [overload("string_to_cidr", [STRING], CIDR, cidr)] },
    { name: "isCIDR", overloads: [overload("is_cidr", [STRING], BOOL, (text: string) => !(readCIDR(text) instanceof CelError))] },
    {
      name: "containsIP",
      overloads: [
        reading("cidr_contains_ip_string", ip, (network, other) => (other instanceof IPValue ? containsIP(network, other) : NO_SUCH_OVERLOAD)),
        member("cidr_contains_ip_ip", [CIDR, IP], BOOL, containsIP),
      ],
    },
    {
      name: "containsCIDR",
      overloads: [
        reading("cidr_contains_cidr_string", cidr, (network, other) =>
          other instanceof CIDRValue ? containsCIDR(network, other) : noSuchOverload(other),
        ),
        member("cidr_contains_cidr", [CIDR, CIDR], BOOL, containsCIDR),
      ],
    },
    { name: "ip", overloads: [member("cidr_ip", [CIDR], IP, ({ prefix }: CIDRValue) => new IPValue(prefix.address))] },
    { name: "prefixLength", overloads: [member("cidr_prefix_length", [CIDR], INT, ({ prefix }: CIDRValue) => prefix.bits)] },
    {
      name: "masked",
      overloads: [
        member(
          "cidr_masked",
          [CIDR],
          CIDR,
          ({ prefix }: CIDRValue) => new CIDRValue({ ...prefix, address: { bytes: maskedBytes(prefix), zone: "" } }),
        ),
      ],
    },
    { name: "string", overloads: [overload("cidr_to_string", [CIDR], STRING, String)] },
  ],
  types: [CIDR],
};
