import type { X509Certificate } from "node:crypto";
import type { CASecret, LeafSecret } from "./tls-secrets.ts";

/** How long certificates live, in milliseconds. */
export interface CertificateLifetimes {
  /** Of a CA. It is succeeded in the last third of its life. Default ten years. */
  readonly caMs: number;
  /** Of a serving certificate, likewise. Default one year. */
  readonly leafMs: number;
  /** How long a new CA is in the bundle before anything signed by it is shown: within that time every front server has to have the new bundle. Default an hour. */
  readonly overlapMs: number;
}

const DAY_MS = 86_400_000;
export const DEFAULT_LIFETIMES: CertificateLifetimes = { caMs: 3650 * DAY_MS, leafMs: 365 * DAY_MS, overlapMs: 3_600_000 };
/** Clocks differ a little: what is made now is valid from five minutes ago. */
export const BACKDATE_MS = 5 * 60_000;

/** What is to be done next to the two Secrets; after it, look again. */
export type Step =
  /** Make a new CA; these former ones stay in the bundle behind it, newest first. */
  | { readonly kind: "make-ca"; readonly keep: readonly X509Certificate[] }
  /** Take former CAs out of the bundle; it is to be these, newest first. */
  | { readonly kind: "forget-cas"; readonly keep: readonly X509Certificate[] }
  /** Have the CA sign a new serving certificate for these names. */
  | { readonly kind: "make-leaf"; readonly hosts: readonly string[] };

/**
 * Decides what two Secrets of an installation lack. It depends on nothing but what lies in them and the time, so all replicas decide alike, and it comes to rest.
 *
 * A new CA goes into the bundle at once, and the certificate of the former one is shown for the overlap, while front servers learn of it: no front server is ever shown what its
 * bundle does not vouch for, as long as it hears of changes within that time. The former CA stays in the bundle until everything that it signed has ended: a replica that cannot
 * reach the cluster goes on showing it. Where there is nothing to show (the certificate is gone, has ended, lacks a name), one of the new CA is made at once.
 *
 * @returns undefined when nothing is to be done.
 */
export function planStep(
  { ca, leaf }: { readonly ca: CASecret | undefined; readonly leaf: LeafSecret | undefined },
  hosts: readonly string[],
  lifetimes: CertificateLifetimes,
  nowMs: number,
): Step | undefined {
  // Whose Secret was removed goes on vouching for what is shown: it may have been an oversight. To have nothing of it left, both are to be removed.
  if (ca === undefined) return { kind: "make-ca", keep: leaf === undefined ? [] : issuersOf(leaf.chain, leaf.bundle).filter(isLive(nowMs)) };
  const [current, ...former] = ca.bundle;
  if (current === undefined || isNearItsEnd(current, nowMs)) return { kind: "make-ca", keep: ca.bundle.filter(isLive(nowMs)) };
  const keep = former.filter((one, index) => isLive(nowMs)(one) && nowMs < lastSignedMs(ca.bundle[index] ?? current) + lifetimes.leafMs);
  if (keep.length < former.length) return { kind: "forget-cas", keep: [current, ...keep] };
  return planLeaf(leaf, ca.bundle, hosts, lifetimes, nowMs);
}

function planLeaf(
  leaf: LeafSecret | undefined,
  [current, ...former]: readonly X509Certificate[],
  hosts: readonly string[],
  { overlapMs }: CertificateLifetimes,
  nowMs: number,
): Step | undefined {
  const [shown] = leaf?.chain ?? [];
  const make: Step = { kind: "make-leaf", hosts };
  if (current === undefined || shown === undefined || !isLive(nowMs)(shown)) return make;
  const isOfCurrent = isIssuedBy(shown, current);
  if (!isOfCurrent && !former.some((ca) => isIssuedBy(shown, ca))) return make;
  // Of two programs with different names each takes what has them all, so that they do not take turns.
  if (hosts.some((host) => shown.checkHost(host) === undefined)) return { kind: "make-leaf", hosts: [...new Set([...hosts, ...namesOf(shown)])] };
  if (isOfCurrent) return isNearItsEnd(shown, nowMs) ? make : undefined;
  return nowMs >= startOf(current) + BACKDATE_MS + overlapMs ? make : undefined;
}

const startOf = (certificate: X509Certificate): number => Date.parse(certificate.validFrom);
const endOf = (certificate: X509Certificate): number => Date.parse(certificate.validTo);
const isLive = (nowMs: number) => (certificate: X509Certificate) => nowMs < endOf(certificate);
/** When a CA signed for the last time, at the latest: when its successor came. */
const lastSignedMs = (successor: X509Certificate): number => startOf(successor) + BACKDATE_MS;

function isNearItsEnd(certificate: X509Certificate, nowMs: number): boolean {
  const [start, end] = [startOf(certificate), endOf(certificate)];
  return end - nowMs < (end - start) / 3;
}

function isIssuedBy(certificate: X509Certificate, ca: X509Certificate): boolean {
  return certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
}

function issuersOf([shown]: readonly X509Certificate[], bundle: readonly X509Certificate[]): readonly X509Certificate[] {
  return bundle.filter((ca) => shown !== undefined && isIssuedBy(shown, ca));
}

/** The DNS names of a certificate of ours. */
function namesOf({ subjectAltName = "" }: X509Certificate): readonly string[] {
  return subjectAltName.split(", ").flatMap((entry) => (entry.startsWith("DNS:") ? [entry.slice("DNS:".length)] : []));
}
