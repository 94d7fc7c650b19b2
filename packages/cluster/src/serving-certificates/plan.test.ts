import { X509Certificate } from "node:crypto";
import { generateCA, generateKey, generateServingCertificate, type KeyPairPEM } from "@annex/apiserver-node";
import { beforeAll, describe, expect, test } from "vitest";
import { BACKDATE_MS, DEFAULT_LIFETIMES, planStep } from "./plan.ts";
import type { TLSSecret } from "./tls-secrets.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const START = Date.parse("2026-11-30T12:00:00Z");
const HOSTS = ["s.ns.svc", "s.ns"];
const lifetimes = { ...DEFAULT_LIFETIMES, caMs: 300 * DAY, leafMs: 30 * DAY };

interface Authority {
  readonly pair: KeyPairPEM;
  readonly certificate: X509Certificate;
}

/** @param startDay counted from START. */
async function authority(startDay: number): Promise<Authority> {
  const key = await generateKey();
  const notBeforeMs = START + startDay * DAY - BACKDATE_MS;
  const cert = await generateCA(`ca@${startDay}`, key, { notBeforeMs, notAfterMs: notBeforeMs + BACKDATE_MS + lifetimes.caMs });
  return { pair: { key, cert }, certificate: new X509Certificate(cert) };
}

const secret = (pair: KeyPairPEM, bundle: readonly Authority[]): TLSSecret => ({
  object: { apiVersion: "v1", kind: "Secret", metadata: {} },
  pair,
  chain: [new X509Certificate(pair.cert)],
  bundle: bundle.map(({ certificate }) => certificate),
  bundlePEM: bundle.map(({ pair: { cert } }) => cert).join(""),
});

async function leaf(by: Authority, startDay: number, hosts: readonly string[] = HOSTS, bundle: readonly Authority[] = [by]): Promise<TLSSecret> {
  const notBeforeMs = START + startDay * DAY - BACKDATE_MS;
  return secret(await generateServingCertificate(by.pair, hosts, { notBeforeMs, notAfterMs: notBeforeMs + BACKDATE_MS + lifetimes.leafMs }), bundle);
}

let old: Authority;
let next: Authority;
let stranger: Authority;
beforeAll(async () => {
  old = await authority(0);
  next = await authority(201);
  stranger = await authority(0);
});

/** What is planned, with the certificates by their names. */
function plan(ca: readonly Authority[], shown: TLSSecret | undefined, nowMs: number, hosts = HOSTS) {
  const [first] = ca;
  const step = planStep({ ca: first === undefined ? undefined : secret(first.pair, ca), leaf: shown }, hosts, lifetimes, nowMs);
  const names = new Map([old, next, stranger].map(({ certificate }, index) => [certificate.fingerprint256, ["old", "next", "stranger"][index]]));
  return step !== undefined && "keep" in step ? { ...step, keep: step.keep.map(({ fingerprint256 }) => names.get(fingerprint256)) } : step;
}

describe("a first CA", () => {
  test("comes before everything", () => expect(plan([], undefined, START)).toEqual({ kind: "make-ca", keep: [] }));
  test("goes on vouching for what is shown, when its Secret was removed", async () => {
    expect(plan([], await leaf(old, 0), START + DAY)).toEqual({ kind: "make-ca", keep: ["old"] });
  });
  test("does not vouch for what the shown one was not signed by", async () => {
    expect(plan([], await leaf(old, 0, HOSTS, [stranger]), START + DAY)).toEqual({ kind: "make-ca", keep: [] });
  });
});

const make = { kind: "make-leaf", hosts: HOSTS };
describe("a serving certificate", () => {
  test.each([
    { what: "none: made", leaf: async () => undefined, day: 0, want: make },
    { what: "fresh: kept", leaf: () => leaf(old, 0), day: 1, want: undefined },
    { what: "of more names: kept", leaf: () => leaf(old, 0, [...HOSTS, "more.ns"]), day: 1, want: undefined },
    { what: "before the last third of its life: kept", leaf: () => leaf(old, 0), day: 19.9, want: undefined },
    { what: "in the last third of its life: made anew", leaf: () => leaf(old, 0), day: 20.1, want: make },
    { what: "ended: made anew", leaf: () => leaf(old, 0), day: 31, want: make },
    { what: "of a CA that nobody knows: made anew", leaf: () => leaf(stranger, 0), day: 1, want: make },
    {
      what: "that lacks a name: made anew, with those that it has",
      leaf: () => leaf(old, 0, ["s.ns.svc", "other.ns"]),
      day: 1,
      want: { kind: "make-leaf", hosts: [...HOSTS, "other.ns"] },
    },
  ])("$what", async ({ leaf: shown, day, want }) => expect(plan([old], await shown(), START + day * DAY)).toEqual(want));
});

describe("a new CA", () => {
  const SUCCEEDED = START + 201 * DAY;
  test.each([
    { what: "is not made before the last third of the old one's life", cas: () => [old], now: START + 199 * DAY, by: () => old, want: undefined },
    { what: "is made then, the old one kept", cas: () => [old], now: SUCCEEDED, by: () => old, want: { kind: "make-ca", keep: ["old"] } },
    { what: "is made when the old one has ended", cas: () => [old], now: START + 301 * DAY, by: () => old, want: { kind: "make-ca", keep: [] } },
    { what: "signs nothing in the overlap", cas: () => [next, old], now: SUCCEEDED + 0.9 * HOUR, by: () => old, want: undefined },
    { what: "signs after it", cas: () => [next, old], now: SUCCEEDED + 1.1 * HOUR, by: () => old, want: make },
    {
      what: "has the old one beside it while anything of it may be shown",
      cas: () => [next, old],
      now: SUCCEEDED + 20 * DAY - HOUR,
      by: () => next,
      want: undefined,
    },
    {
      what: "stands alone after that",
      cas: () => [next, old],
      now: SUCCEEDED + 30 * DAY + HOUR,
      by: () => next,
      want: { kind: "forget-cas", keep: ["next"] },
    },
  ])("$what", async ({ cas, now, by, want }) => {
    // A leaf of the day before, or of the day on which the new CA came.
    const shown = await leaf(by(), by() === next ? 201 : (now - START) / DAY - 1);
    expect(plan(cas(), shown, now)).toEqual(want);
  });

  test("signs at once when there is nothing to show", () => expect(plan([next, old], undefined, SUCCEEDED + 1)).toEqual(make));
});
