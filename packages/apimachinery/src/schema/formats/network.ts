/** Reads four decimal octets. @param sloppy accept leading zeros, as Go did before 1.17. @returns whether they are an IPv4 address. */
export function isDottedQuad(text: string, sloppy: boolean): boolean {
  const parts = text.split(".", 5);
  if (parts.length !== 4) return false;
  return parts.every((part) => /^\d+$/.test(part) && (sloppy || part === "0" || !part.startsWith("0")) && octet(part) <= 255);
}

/** Leading zeros do not count towards the size; nine digits are too many in any case. */
function octet(digits: string): number {
  const significant = digits.replace(/^0+/, "");
  return significant.length > 3 ? 256 : Number(significant);
}

/** Whether a text is an IPv6 address without a zone, possibly ending in an IPv4 address. Source: net/netip.ParseAddr, net.ParseIP. */
export function isIPv6Address(text: string, sloppy = false): boolean {
  const halves = text.split("::", 3);
  if (halves.length > 2 || text.includes(":::")) return false;
  const head = groups(halves[0] ?? "");
  const tail = halves[1] === undefined ? [] : groups(halves[1]);
  const last = tail.at(-1) ?? (halves.length === 1 ? head.at(-1) : undefined);
  const embedded = last?.includes(".") ?? false;
  if (embedded && !isDottedQuad(last ?? "", sloppy)) return false;
  const hexGroups = [...head, ...tail];
  if (embedded) hexGroups.pop();
  if (!hexGroups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  const count = hexGroups.length + (embedded ? 2 : 0);
  return halves.length === 2 ? count < 8 : count === 8;
}

const groups = (half: string): string[] => (half === "" ? [] : half.split(":", 10));

/**
 * `ipv4` also takes an IPv6 address that ends in dotted form, and leading zeros; so does kube-apiserver.
 * Source: kube-openapi strfmt, isIPv4; k8s.io/utils/net.ParseIPSloppy.
 */
export const isIPv4Format = (text: string): boolean => text.includes(".") && (isDottedQuad(text, true) || isIPv6Address(text, true));

/** Source: kube-openapi govalidator.IsIPv6 (net.ParseIP, with a colon in it). */
export const isIPv6Format = (text: string): boolean => text.includes(":") && isIPv6Address(text);

/** Source: k8s.io/utils/net.ParseCIDRSloppy. */
export function isCIDRFormat(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash < 0) return false;
  const address = text.slice(0, slash);
  const prefix = text.slice(slash + 1);
  if (!/^0*\d{1,3}$/.test(prefix)) return false;
  return (isDottedQuad(address, true) && Number(prefix) <= 32) || (isIPv6Address(address, true) && Number(prefix) <= 128);
}

/** 6, 8 or 20 octets: `01:23:…`, `01-23-…`, `0123.4567.…` or without separators. Source: net.ParseMAC. */
export function isMACFormat(text: string): boolean {
  const match = /^(?:[0-9a-fA-F]{2}(?:([:-])(?:[0-9a-fA-F]{2}\1)*[0-9a-fA-F]{2})|[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4})+|[0-9a-fA-F]+)$/.exec(text);
  const octets = text.replace(/[:.-]/g, "").length / 2;
  return match !== null && (octets === 6 || octets === 8 || octets === 20);
}

/**
 * An absolute URI or an absolute path.
 *
 * Source: net/url.ParseRequestURI.
 */
export function isRequestURI(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (text === "" || /[\x00-\x1f\x7f]/.test(text)) return false;
  if (text === "*") return true;
  if (text.startsWith(":")) return false;
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase() ?? "";
  let rest = scheme === "" ? text : text.slice(scheme.length + 1);
  const query = rest.indexOf("?");
  if (query >= 0) rest = rest.slice(0, query);
  if (!rest.startsWith("/")) return scheme !== "";
  if (scheme !== "" && rest.startsWith("//")) {
    const slash = rest.indexOf("/", 2);
    const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
    if (!isAuthority(scheme, authority)) return false;
    rest = slash < 0 ? "" : rest.slice(slash);
  }
  return hasWholeEscapes(rest);
}

const hasWholeEscapes = (text: string): boolean => !/%(?![0-9a-fA-F]{2})/.test(text);

function isAuthority(scheme: string, authority: string): boolean {
  const at = authority.lastIndexOf("@");
  const user = authority.slice(0, Math.max(at, 0));
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user) || !hasWholeEscapes(user)) return false;
  return isHost(scheme, authority.slice(at + 1));
}

function isHost(scheme: string, host: string): boolean {
  const open = host.lastIndexOf("[");
  if (open > 0) return false;
  if (open === 0) {
    const close = host.lastIndexOf("]");
    return close >= 0 && /^(:\d*)?$/.test(host.slice(close + 1)) && isIPLiteral(host.slice(1, close));
  }
  const strict = scheme === "http" || scheme === "https";
  const colon = strict ? host.indexOf(":") : host.lastIndexOf(":");
  if (colon >= 0 && !/^:\d*$/.test(host.slice(colon))) return false;
  return isHostText(host);
}

/** `%25` begins a zone (RFC 6874), which may hold any host character and an escaped space. */
function isIPLiteral(literal: string): boolean {
  const zone = literal.indexOf("%25");
  const address = zone < 0 ? literal : literal.slice(0, zone);
  if (!isIPv6Address(address)) return false;
  if (zone < 0) return true;
  const name = literal.slice(zone + 3).replaceAll("%20", "");
  return literal.length > zone + 3 && isHostText(name);
}

/** Escapes in a host are for bytes beyond ASCII, and for the percent sign. */
function isHostText(text: string): boolean {
  for (const [escape] of text.matchAll(/%.{0,2}/gsu)) if (!/^%(?:[89a-fA-F][0-9a-fA-F]|25)$/.test(escape)) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: whatever is beyond ASCII will do
  return /^(?:[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"%]|[^\x00-\x7f])*$/.test(text);
}
