import { APIError, type KubernetesObject } from "@annex/apimachinery";
import type { Clock, Logger } from "@annex/apiserver";
import { type ServedCertificates, ServedCertificatesHolder, type ServingCertificates } from "@annex/apiserver-node";
import { type ClusterClient, reflect } from "../client/index.ts";
import { retryUntilAnswered } from "./first-answer.ts";
import { CertificateSecretError, readTLSSecret } from "./tls-secrets.ts";

export interface TLSSecretCertificatesOptions {
  readonly client: ClusterClient;
  readonly secret: { readonly namespace: string; readonly name: string };
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often it is looked for while it is not there, in milliseconds. */
const WAIT_MS = 2_000;

/**
 * A serving certificate in a Secret that somebody else keeps, such as cert-manager: `tls.crt`, `tls.key`, and `ca.crt` for the bundle, where it is there. It is followed, and never
 * written. Waits until it is there and holds a pair; while it does not later on, what it held before is served.
 *
 * What is in it is shown at once, and told to the front servers at once: where the CA changes, it is up to whoever keeps the Secret to have both in `ca.crt` for a while.
 *
 * @throws {CertificateSecretError} when the cluster refuses: no rights.
 */
export async function tlsSecretCertificates(options: TLSSecretCertificatesOptions, signal: AbortSignal): Promise<ServingCertificates> {
  const { client, secret, clock, log } = options;
  const path = `/api/v1/namespaces/${secret.namespace}/secrets`;
  const tell = tellOnce(log);
  const holder = new ServedCertificatesHolder(await firstOf(options, path, tell, signal), log);
  const take = (object: KubernetesObject) => {
    try {
      holder.replace(servedOf(object));
      tell(undefined);
    } catch (error) {
      tell(messageOf(error), "serving what it held before");
    }
  };
  const missing = () => tell(`there is no Secret ${secret.namespace}/${secret.name}`, "serving what it held before");
  const observer = {
    reset: ([object]: readonly KubernetesObject[]) => (object === undefined ? missing() : take(object)),
    put: take,
    deleted: missing,
  };
  return Object.assign(holder, {
    run: (until: AbortSignal) => reflect({ client, path, query: { fieldSelector: `metadata.name=${secret.name}` }, observer, clock, log }, until),
  });
}

async function firstOf(
  { client, secret, clock, log }: TLSSecretCertificatesOptions,
  path: string,
  tell: Tell,
  signal: AbortSignal,
): Promise<ServedCertificates> {
  for (;;) {
    try {
      const object = await retryUntilAnswered(() => client.request({ method: "GET", path: `${path}/${secret.name}` }, signal), {
        clock,
        log,
        signal,
      });
      return servedOf(object as unknown as KubernetesObject);
    } catch (error) {
      if (APIError.is(error, "NotFound")) tell(`there is no Secret ${secret.namespace}/${secret.name}`, "waiting for it");
      else if (error instanceof CertificateSecretError) tell(error.message, "waiting for it");
      else throw error;
    }
    await clock.sleep(WAIT_MS, signal);
  }
}

function servedOf(object: KubernetesObject): ServedCertificates {
  const { pair, bundlePEM } = readTLSSecret(object);
  return { ...pair, caBundle: bundlePEM === "" ? undefined : bundlePEM };
}

type Tell = (problem: string | undefined, consequence?: string) => void;

/** Tells each problem once, until there is none or another. */
function tellOnce(log: Logger): Tell {
  let told: string | undefined;
  return (problem, consequence = "") => {
    if (problem !== undefined && problem !== told) log.error({ problem }, `the Secret of the serving certificate cannot be used; ${consequence}`);
    told = problem;
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
