import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import type { Clock } from "@annex/apiserver";
import { generateCA, generateClientCertificate, generateKey, generateServingCertificate, type KeyPairPEM, type Validity } from "./certificates.ts";
import { makePrivateFolder, PKIError, readTextFile, writeFileAtomically } from "./files.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const CA_LIFETIME_MS = 3650 * DAY_MS;
const LEAF_LIFETIME_MS = 365 * DAY_MS;
/** Clocks of clients differ from ours a little. */
const BACKDATE_MS = 5 * 60 * 1000;

/** Under which names every server of ours can be reached, as kubeadm has them. */
const STANDING_HOSTS = [
  "localhost",
  "127.0.0.1",
  "::1",
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
];

export interface PKIOptions {
  /** DNS names and IP addresses in addition to `localhost`, the loopback addresses and `kubernetes…`. */
  readonly hosts: readonly string[];
  readonly clock: Clock;
}

/** What a server without certificates of its operator's serves with. All PEM. */
export interface PKI {
  /** The CA of the serving certificate and of client certificates. */
  readonly ca: string;
  readonly serving: KeyPairPEM;
  /** A client certificate: user `kubernetes-admin`, group `system:masters`. */
  readonly admin: KeyPairPEM;
  /** Which of them this call made. */
  readonly made: readonly ("ca" | "serving" | "admin")[];
}

/**
 * Finds or makes the certificates in `<dataDir>/pki`: `ca.crt`, `ca.key` (EC P-256, ten years), and `apiserver.pem` and `admin.pem`, each a
 * certificate of one year with its key. The last two are made anew with less than a third of their life left; the serving one also
 * when the hosts changed. Calling it again is how they are renewed while the server runs.
 *
 * Keys have mode 0600, the folder 0700. One process at a time: the caller holds the store's lock.
 *
 * @throws {PKIError} for a file that is damaged, does not belong to this CA, or can't be read or written. Nothing is overwritten then.
 * @throws {PKIError} for a host that is neither a DNS name nor an address.
 */
export async function ensurePKI(dataDir: string, { hosts, clock }: PKIOptions): Promise<PKI> {
  const names = servingHosts(hosts);
  const folder = join(dataDir, "pki");
  await makePrivateFolder(folder);
  const now = clock.now();
  const ca = await ensureCA(folder, now);
  const serving = await ensureLeaf(
    join(folder, "apiserver.pem"),
    ca.pair,
    now,
    (certificate) => coversExactly(certificate, names),
    (validity) => generateServingCertificate(ca.pair, names, validity),
  );
  const admin = await ensureLeaf(
    join(folder, "admin.pem"),
    ca.pair,
    now,
    () => true,
    (validity) => generateClientCertificate(ca.pair, { commonName: "kubernetes-admin", organizations: ["system:masters"] }, validity),
  );
  const made = [...(ca.made ? ["ca" as const] : []), ...(serving.made ? ["serving" as const] : []), ...(admin.made ? ["admin" as const] : [])];
  return { ca: ca.pair.cert, serving: serving.pair, admin: admin.pair, made };
}

/**
 * Renews while the server runs: looks every `intervalMs` and calls `onRenewed` after something was made.
 *
 * @param intervalMs default six hours.
 * @param onProblem called with what {@link ensurePKI} or `onRenewed` threw; the loop goes on, because the certificates in use still hold.
 * @returns when the signal is aborted.
 */
export async function renewPKI(
  dataDir: string,
  options: PKIOptions & {
    readonly signal: AbortSignal;
    readonly onRenewed: (pki: PKI) => void | Promise<void>;
    readonly onProblem: (error: unknown) => void;
    readonly intervalMs?: number;
  },
): Promise<void> {
  const { signal, clock, onRenewed, onProblem, intervalMs = 6 * 60 * 60 * 1000 } = options;
  while (!signal.aborted) {
    try {
      await clock.sleep(intervalMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    try {
      const pki = await ensurePKI(dataDir, options);
      if (pki.made.length > 0) await onRenewed(pki);
    } catch (error) {
      onProblem(error);
    }
  }
}

/**
 * The names under which a server that listens on `bindAddress` is reached from elsewhere: this address; for `0.0.0.0` and `::` the
 * machine's name and all its addresses.
 */
export function hostsOfBindAddress(bindAddress: string): readonly string[] {
  if (bindAddress !== "0.0.0.0" && bindAddress !== "::") return [bindAddress];
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  // Scoped addresses (fe80::1%eth0) can't stand in a certificate.
  return [hostname(), ...addresses].filter((host) => isHost(host.toLowerCase()));
}

interface Ensured {
  readonly pair: KeyPairPEM;
  readonly made: boolean;
}

async function ensureCA(folder: string, now: number): Promise<Ensured> {
  const certPath = join(folder, "ca.crt");
  const keyPath = join(folder, "ca.key");
  const cert = await readTextFile(certPath);
  let key = await readTextFile(keyPath);
  if (cert !== undefined) {
    if (key === undefined) throw new PKIError(`${keyPath} is missing: without it ${certPath} signs nothing; put it back, or move the folder away`);
    const certificate = parseCertificate(certPath, cert);
    checkKey(keyPath, certificate, key);
    if (!certificate.ca) throw new PKIError(`${certPath} is not the certificate of a CA`);
    if (Date.parse(certificate.validTo) <= now) throw new PKIError(`${certPath} ended on ${certificate.validTo}: move the folder away for a new CA`);
    return { pair: { cert, key }, made: false };
  }
  // A key alone is what a start leaves that was cut off between the two files: go on with it.
  if (key === undefined) {
    key = await generateKey();
    await writeFileAtomically(keyPath, key, 0o600);
  } else parseKey(keyPath, key);
  const made = await generateCA("kubernetes", key, { notBeforeMs: now - BACKDATE_MS, notAfterMs: now + CA_LIFETIME_MS });
  await writeFileAtomically(certPath, made, 0o644);
  return { pair: { cert: made, key }, made: true };
}

async function ensureLeaf(
  path: string,
  ca: KeyPairPEM,
  now: number,
  fits: (certificate: X509Certificate) => boolean,
  make: (validity: Validity) => Promise<KeyPairPEM>,
): Promise<Ensured> {
  const issuer = new X509Certificate(ca.cert);
  const text = await readTextFile(path);
  // No certificate outlives its CA.
  const notAfterMs = Math.min(now + LEAF_LIFETIME_MS, Date.parse(issuer.validTo));
  if (text !== undefined) {
    const pair = splitPair(path, text);
    const certificate = parseCertificate(path, pair.cert);
    checkKey(path, certificate, pair.key);
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
      throw new PKIError(`${path} was not signed by the ca.crt beside it: move it away for a new one`);
    }
    if (fits(certificate) && !isNearItsEnd(certificate, now, notAfterMs)) return { pair, made: false };
  }
  const pair = await make({ notBeforeMs: now - BACKDATE_MS, notAfterMs });
  await writeFileAtomically(path, pair.cert + pair.key, 0o600);
  return { pair, made: true };
}

/** @param nextEndMs when a new one would end: near the CA's own end there is nothing to win by a new one. */
function isNearItsEnd(certificate: X509Certificate, now: number, nextEndMs: number): boolean {
  const start = Date.parse(certificate.validFrom);
  const end = Date.parse(certificate.validTo);
  return end - now < (end - start) / 3 && nextEndMs - end >= 1000;
}

const PEM_BLOCK = /-----BEGIN (CERTIFICATE|PRIVATE KEY)-----\n[A-Za-z0-9+/=\s]+?-----END \1-----\n/g;

function splitPair(path: string, text: string): KeyPairPEM {
  const blocks = [...text.matchAll(PEM_BLOCK)];
  const cert = blocks.find(([, label]) => label === "CERTIFICATE")?.[0];
  const key = blocks.find(([, label]) => label === "PRIVATE KEY")?.[0];
  if (cert === undefined || key === undefined) throw new PKIError(`${path} is damaged: it must hold a certificate and its private key in PEM`);
  return { cert, key };
}

function parseCertificate(path: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new PKIError(`${path} is damaged: it is not a certificate in PEM`, { cause: error });
  }
}

function parseKey(path: string, pem: string) {
  try {
    return createPrivateKey(pem);
  } catch {
    // Without the cause: whatever OpenSSL says of a key stays out of logs.
    throw new PKIError(`${path} is damaged: it holds no private key in PEM`);
  }
}

function checkKey(path: string, certificate: X509Certificate, key: string): void {
  if (!certificate.checkPrivateKey(parseKey(path, key))) throw new PKIError(`the private key in ${path} does not belong to its certificate`);
}

function servingHosts(hosts: readonly string[]): readonly string[] {
  const unique = new Set(STANDING_HOSTS);
  for (const given of hosts) {
    const host = given.toLowerCase();
    if (!isHost(host)) throw new PKIError(`${JSON.stringify(given)} is neither a DNS name nor an IP address`);
    unique.add(host);
  }
  return [...unique];
}

const LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
const DNS_NAME = new RegExp(`^(\\*\\.)?${LABEL}(\\.${LABEL})*$`);

function isHost(host: string): boolean {
  return (isIP(host) !== 0 && !host.includes("%")) || (host.length <= 253 && DNS_NAME.test(host));
}

function coversExactly(certificate: X509Certificate, hosts: readonly string[]): boolean {
  // Names that passed isHost are printed as they are; addresses in a form of OpenSSL's own.
  const entries = new Set(certificate.subjectAltName?.split(", "));
  const covers = (host: string) => (isIP(host) === 0 ? entries.has(`DNS:${host}`) : certificate.checkIP(host) !== undefined);
  return entries.size === hosts.length && hosts.every(covers);
}
