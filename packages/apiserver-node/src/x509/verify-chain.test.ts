import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ExtendedKeyUsage, Extension, KeyUsageFlags, type Link, madeChain } from "../testing/certificates.ts";
import { certificateAuthorities, certificatesOf } from "./authorities.ts";
import { type CertificateFacts, certificateFacts } from "./certificate-facts.ts";
import { verifyChain } from "./verify-chain.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const root: Link = { name: "root" };
const one: Link = { name: "one" };
const unknown = (isCritical: boolean) => new Extension("1.2.3.4", isCritical, Uint8Array.of(0x05, 0x00));
/** Excludes example.com, which concerns no client. */
const nameConstraints = new Extension(
  "2.5.29.30",
  false,
  Uint8Array.of(0x30, 0x11, 0xa1, 0x0f, 0x30, 0x0d, 0x82, 0x0b, ...Buffer.from("example.com")),
);
const server = [ExtendedKeyUsage.serverAuth];

function factsOf(pem: string): CertificateFacts {
  const facts = certificateFacts(new X509Certificate(pem));
  if (facts === undefined) throw new Error("a certificate that cannot be read");
  return facts;
}

const chainOf = (pem: string) => (pem.match(/-----BEGIN[^-]*-----[^-]*-----END[^-]*-----/g) ?? []).map(factsOf);

describe("CAs vouch for a client", () => {
  test.each<{ what: string; authorities: readonly [Link, ...Link[]]; client?: Partial<Link>; want: boolean; at?: number }>([
    { what: "whom the root signed", authorities: [root], want: true },
    { what: "over an intermediate", authorities: [root, one], want: true },
    { what: "over three", authorities: [root, one, { name: "two" }, { name: "three" }], want: true },
    { what: "over more than ten", authorities: [root, ...Array.from({ length: 11 }, (_, index) => ({ name: `i${index}` }))], want: false },
    { what: "who may do anything", authorities: [root], client: { extendedKeyUsage: ["2.5.29.37.0"] }, want: true },
    { what: "who says nothing of what it may", authorities: [root], client: { extendedKeyUsage: [] }, want: false },
    { what: "who is a server", authorities: [root], client: { extendedKeyUsage: server }, want: false },
    { what: "over an intermediate of servers", authorities: [root, { ...one, extendedKeyUsage: server }], want: false },
    { what: "under a root of servers", authorities: [{ ...root, extendedKeyUsage: server }], want: false },
    { what: "over an intermediate that is no CA", authorities: [root, { ...one, isCA: false }], want: false },
    { what: "over an intermediate that does not say so", authorities: [root, { ...one, isCA: null }], want: false },
    { what: "under a root that does not say so", authorities: [{ ...root, isCA: null }], want: false },
    { what: "under a root without room for intermediates", authorities: [{ ...root, pathLength: 0 }, one], want: false },
    { what: "under a root with room for none, directly", authorities: [{ ...root, pathLength: 0 }], want: true },
    { what: "under a root with room for one", authorities: [{ ...root, pathLength: 1 }, one], want: true },
    { what: "over an intermediate without room", authorities: [root, { ...one, pathLength: 0 }, { name: "two" }], want: false },
    { what: "over one that signs no certificates", authorities: [root, { ...one, keyUsage: KeyUsageFlags.cRLSign }], want: false },
    { what: "under a root that signs none", authorities: [{ ...root, keyUsage: KeyUsageFlags.digitalSignature }], want: false },
    { what: "who is over", authorities: [root], client: { to: -0.5 }, want: false },
    { what: "who is yet to come", authorities: [root], client: { from: 0.5 }, want: false },
    { what: "over an intermediate that is over", authorities: [root, { ...one, to: -0.5 }], want: false },
    { what: "under a root that is over", authorities: [{ ...root, to: -0.5 }], want: false },
    { what: "who began four minutes ago, by a clock that is five behind", authorities: [root], client: { from: -4 / 60 }, at: -5, want: false },
    { what: "who is made with five minutes to spare, by the same clock", authorities: [root], client: { from: -5.5 / 60 }, at: -5, want: true },
    { what: "who ends in four minutes, by a clock that is five ahead", authorities: [root], client: { to: 4 / 60 }, at: 5, want: false },
    { what: "whose signature is another's", authorities: [root], client: { isForged: true }, want: false },
    { what: "over an intermediate of somebody else's of that name", authorities: [root, { ...one, isForged: true }], want: false },
    { what: "who names another issuer", authorities: [root], client: { issuer: "other" }, want: false },
    { what: "who was signed with SHA-1", authorities: [root], client: { hash: "SHA-1" }, want: false },
    { what: "over an intermediate signed with SHA-1", authorities: [root, { ...one, hash: "SHA-1" }], want: false },
    { what: "who says something critical that nobody knows", authorities: [root], client: { more: [unknown(true)] }, want: false },
    { what: "who says something that nobody knows", authorities: [root], client: { more: [unknown(false)] }, want: true },
    { what: "who says something twice", authorities: [root], client: { more: [unknown(false), unknown(false)] }, want: false },
    { what: "over an intermediate with something critical", authorities: [root, { ...one, more: [unknown(true)] }], want: false },
    { what: "under constraints of names", authorities: [root, { ...one, more: [nameConstraints] }], want: false },
  ])("$what: $want", async ({ authorities, client, want, at = 0 }) => {
    const { leaf, root: trusted } = await madeChain(authorities, { name: "leaf", ...client });
    expect(verifyChain(chainOf(leaf.cert), certificatesOf(trusted), Date.now() + at * MINUTE_MS)).toBe(want);
  });

  test.each([
    { algorithm: "RSA", want: true },
    { algorithm: "Ed25519", want: true },
    { algorithm: "RSA-PSS", want: false },
  ] as const)("whose keys are $algorithm: $want", async ({ algorithm, want }) => {
    const { leaf, root: trusted } = await madeChain([root, one], { name: "leaf" }, algorithm);
    expect(verifyChain(chainOf(leaf.cert), certificatesOf(trusted), Date.now())).toBe(want);
    const { leaf: forged, root: known } = await madeChain([root, one], { name: "leaf", isForged: true }, algorithm);
    expect(verifyChain(chainOf(forged.cert), certificatesOf(known), Date.now())).toBe(false);
  });

  test("whatever the order of the intermediates, and beside others", async () => {
    const { leaf, root: trusted } = await madeChain([root, one, { name: "two" }]);
    const other = await madeChain([{ name: "one" }, { name: "two" }]);
    const [own, ...rest] = chainOf(leaf.cert);
    const chain = [own, ...chainOf(other.leaf.cert).slice(1), ...rest.reverse()].filter((facts) => facts !== undefined);
    expect(verifyChain(chain, certificatesOf(trusted), Date.now())).toBe(true);
    expect(verifyChain(chain.slice(0, -1), certificatesOf(trusted), Date.now())).toBe(false);
  });

  test("who is trusted by itself, or by an intermediate alone", async () => {
    const { certificates } = await madeChain([root, one]);
    const [, intermediate = "", own = ""] = certificates;
    expect(verifyChain([factsOf(own)], certificatesOf(certificateAuthorities(own)), Date.now())).toBe(true);
    expect(verifyChain([factsOf(own)], certificatesOf(certificateAuthorities(intermediate)), Date.now())).toBe(true);
    expect(verifyChain([factsOf(own)], certificatesOf(certificateAuthorities(own)), Date.now() + 2 * HOUR_MS)).toBe(false);
  });

  test("without running in circles", async () => {
    // Two CAs of each other's names, over and over.
    const loop: readonly [Link, ...Link[]] = [{ name: "a", issuer: "b" }, { name: "b" }, { name: "a" }, { name: "b" }];
    const { leaf } = await madeChain(loop);
    const { root: other } = await madeChain([{ name: "a" }]);
    expect(verifyChain([...chainOf(leaf.cert), ...chainOf(leaf.cert)], certificatesOf(other), Date.now())).toBe(false);
  });

  test("none without a certificate", () => expect(verifyChain([], [], Date.now())).toBe(false));
});

test.each(["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "text"])("what is no CA is told: %j", (pem) => {
  expect(() => certificateAuthorities(pem)).toThrow(TypeError);
});
