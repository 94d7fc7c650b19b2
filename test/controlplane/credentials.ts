// What the programs of a control plane and their clients know each other by. Everything is made anew for each control plane.
import { createPublicKey, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  formatKubeconfig,
  generateCA,
  generateClientCertificate,
  generateKey,
  generateServingCertificate,
  type KeyPairPEM,
  type Validity,
} from "@annex/apiserver-node";

/** Bearer tokens. */
export interface ControlPlaneTokens {
  /** User `admin` of group `system:masters`. */
  readonly admin: string;
  /** User `alice` of group `devs`: no rights beyond those of everybody. */
  readonly alice: string;
}

export interface Credentials {
  readonly folder: string;
  /** Signs the certificates of servers and clients; PEM. */
  readonly ca: string;
  readonly admin: KeyPairPEM;
  readonly tokens: ControlPlaneTokens;
}

const DAY_MS = 86_400_000;
const validity = (): Validity => ({ notBeforeMs: Date.now() - DAY_MS, notAfterMs: Date.now() + 365 * DAY_MS });

/** Writes, into an empty folder, the files that the command lines in control-plane.ts name. */
export async function makeCredentials(folder: string): Promise<Credentials> {
  const place = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o600 });
  const placePair = async (name: string, { cert, key }: KeyPairPEM) => {
    await place(`${name}.crt`, cert);
    await place(`${name}.key`, key);
  };
  const ca = await makeCA("cluster-ca");
  await place("cluster-ca.crt", ca.cert);
  await placeFrontProxy(folder);
  // 10.0.0.1 is what the service `kubernetes` gets, api.wardle.svc what the aggregator asks the sample-apiserver for.
  await placePair(
    "kube-apiserver",
    await generateServingCertificate(ca, ["localhost", "kubernetes.default.svc", "127.0.0.1", "10.0.0.1"], validity()),
  );
  await placePair("sample-apiserver", await generateServingCertificate(ca, ["localhost", "api.wardle.svc", "127.0.0.1"], validity()));
  const serviceAccountKey = await generateKey();
  await place("service-account.key", serviceAccountKey);
  await place("service-account.pub", createPublicKey(serviceAccountKey).export({ type: "spki", format: "pem" }).toString());
  const tokens = { admin: randomBytes(16).toString("hex"), alice: randomBytes(16).toString("hex") };
  await place("tokens.csv", `${tokens.admin},admin,admin,system:masters\n${tokens.alice},alice,alice,devs\n`);
  const admin = await generateClientCertificate(ca, { commonName: "admin", organizations: ["system:masters"] }, validity());
  return { folder, ca: ca.cert, admin, tokens };
}

/** Writes, perhaps anew, a CA of front proxies and the certificate by which the kube-apiserver is one. */
export async function placeFrontProxy(folder: string): Promise<void> {
  const ca = await makeCA("front-proxy-ca");
  const { cert, key } = await generateClientCertificate(ca, { commonName: "front-proxy-client", organizations: [] }, validity());
  const files = { "front-proxy-ca.crt": ca.cert, "front-proxy.crt": cert, "front-proxy.key": key };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
}

async function makeCA(commonName: string): Promise<KeyPairPEM> {
  const key = await generateKey();
  return { key, cert: await generateCA(commonName, key, validity()) };
}

/** Writes the administrator's kubeconfig. @returns its path. */
export async function writeKubeconfig({ folder, ca, admin }: Credentials, server: string): Promise<string> {
  const path = join(folder, "admin.kubeconfig");
  await writeFile(path, formatKubeconfig({ server, ca, cert: admin.cert, key: admin.key, cluster: "control-plane", user: "admin" }), { mode: 0o600 });
  return path;
}
