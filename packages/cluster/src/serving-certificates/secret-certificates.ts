import type { X509Certificate } from "node:crypto";
import { APIError, type KubernetesObject } from "@annex/apimachinery";
import type { Clock, Logger } from "@annex/apiserver";
import {
  generateCA,
  generateKey,
  generateServingCertificate,
  type KeyPairPEM,
  type ServedCertificates,
  ServedCertificatesHolder,
  type ServingCertificates,
  type Validity,
} from "@annex/apiserver-node";
import { type ClusterClient, reflect } from "../client/index.ts";
import type { ServiceName } from "../ownership/index.ts";
import { WakingSleep } from "../waking-sleep.ts";
import { retryUntilAnswered } from "./first-answer.ts";
import { BACKDATE_MS, type CertificateLifetimes, DEFAULT_LIFETIMES, planStep, type Step } from "./plan.ts";
import { type CASecret, CertificateSecretError, type LeafSecret, readCASecret, readOwnSecret, secretOf } from "./tls-secrets.ts";

export interface SecretCertificatesOptions {
  readonly client: ClusterClient;
  /** The Service under which the server is reached. The Secrets `NAME-serving-ca` and `NAME-serving-cert` lie beside it. */
  readonly service: ServiceName;
  /** The names in the certificate. Default: those under which a Service is reached within a cluster. */
  readonly hosts?: readonly string[];
  readonly lifetimes?: Partial<CertificateLifetimes>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often they are looked at when nobody tells of a change, in milliseconds. */
const INTERVAL_MS = 10 * 60_000;
/** How often replicas may be faster than we are before something else is wrong. */
const MAX_ATTEMPTS = 20;

/** A common name has at most 64 characters. */
const MAX_CA_NAME = 49;

/** `NAME.NAMESPACE.svc`, by which the aggregator checks, and what else a Service is called. */
export function hostsOfService({ namespace, name }: ServiceName): readonly string[] {
  return [`${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`, `${name}.${namespace}`];
}

/** The names of the two Secrets of an installation. */
export const secretNames = ({ name }: ServiceName) => ({ ca: `${name}-serving-ca`, leaf: `${name}-serving-cert` });

/**
 * A CA and a serving certificate in two Secrets (`kubernetes.io/tls`, with `ca.crt`), which all replicas share: whoever comes first makes what is missing or due, at the
 * resourceVersion that it saw, and the others take it. See {@link planStep} for what is due when. What somebody else made, or what is damaged, is never overwritten.
 *
 * Waits for the first answer of the cluster.
 *
 * @throws {CertificateSecretError} in one line, when a Secret of that name is not ours, or damaged, or the cluster refuses: no rights, no such namespace.
 */
export async function secretCertificates(options: SecretCertificatesOptions, signal: AbortSignal): Promise<ServingCertificates> {
  const { clock, log } = options;
  const keeper = new SecretKeeper(options);
  const first = await retryUntilAnswered(() => keeper.settle(signal), { clock, log, signal });
  const holder = new ServedCertificatesHolder(first, log);
  return Object.assign(holder, { run: (until: AbortSignal) => keeper.run(holder, until) });
}

class SecretKeeper {
  readonly #options: SecretCertificatesOptions;
  readonly #lifetimes: CertificateLifetimes;
  readonly #hosts: readonly string[];
  readonly #names: { readonly ca: string; readonly leaf: string };
  #told: string | undefined;

  constructor(options: SecretCertificatesOptions) {
    this.#options = options;
    this.#lifetimes = { ...DEFAULT_LIFETIMES, ...options.lifetimes };
    this.#hosts = options.hosts ?? hostsOfService(options.service);
    this.#names = secretNames(options.service);
  }

  /** Follows both Secrets, and does what is due. */
  async run(holder: ServedCertificatesHolder, signal: AbortSignal): Promise<void> {
    const { clock, log, client } = this.#options;
    const sleep = new WakingSleep(clock);
    const wake = () => sleep.wake();
    const observer = { reset: wake, put: wake, deleted: wake };
    const following = Object.values(this.#names).map((name) =>
      reflect({ client, path: this.#path(), query: { fieldSelector: `metadata.name=${name}` }, observer, clock, log }, signal),
    );
    const intervalMs = Math.min(INTERVAL_MS, this.#lifetimes.overlapMs / 4);
    while (!signal.aborted) {
      await sleep.sleep(intervalMs, signal);
      if (!signal.aborted) await this.#look(holder, signal);
    }
    await Promise.all(following);
  }

  async #look(holder: ServedCertificatesHolder, signal: AbortSignal): Promise<void> {
    try {
      holder.replace(await this.settle(signal));
      this.#told = undefined;
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== this.#told)
        this.#options.log.error({ problem }, "the Secrets of the serving certificate cannot be used; serving what they held before");
      this.#told = problem;
    }
  }

  /** Does what is due until nothing is. */
  async settle(signal: AbortSignal): Promise<ServedCertificates> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const state = { ca: await this.#read(this.#names.ca, readCASecret, signal), leaf: await this.#read(this.#names.leaf, readOwnSecret, signal) };
      const step = planStep(state, this.#hosts, this.#lifetimes, this.#options.clock.now());
      if (step !== undefined) await this.#carryOut(step, state, signal);
      else if (state.leaf !== undefined && state.ca !== undefined) return { ...state.leaf.pair, caBundle: state.ca.bundlePEM };
    }
    throw new CertificateSecretError(
      `the Secrets ${Object.values(this.#names).join(" and ")} in ${this.#options.service.namespace} keep changing: does somebody else write them?`,
    );
  }

  async #carryOut(step: Step, { ca, leaf }: { readonly ca: CASecret | undefined; readonly leaf: LeafSecret | undefined }, signal: AbortSignal) {
    const { service, clock, log } = this.#options;
    if (step.kind === "make-leaf") {
      // A plan never asks for one without a CA.
      if (ca === undefined) throw new Error("unreachable");
      const pair = await generateServingCertificate(ca.pair, step.hosts, this.#validity(this.#lifetimes.leafMs, ca.chain[0]), service.name);
      const isWritten = await this.#write(secretOf(service, this.#names.leaf, { pair, bundle: ca.bundlePEM }, leaf?.object), signal);
      if (isWritten) log.info({ secret: `${service.namespace}/${this.#names.leaf}`, hosts: step.hosts }, "made a serving certificate");
      return;
    }
    const pair = step.kind === "make-ca" || ca === undefined ? await this.#newCA(clock.now()) : ca.pair;
    const bundle = step.kind === "make-ca" ? [pair.cert, ...step.keep.map(pemOf)] : step.keep.map(pemOf);
    const isWritten = await this.#write(secretOf(service, this.#names.ca, { pair, bundle: bundle.join("") }, ca?.object), signal);
    if (isWritten)
      log.info(
        { secret: `${service.namespace}/${this.#names.ca}`, cas: bundle.length },
        step.kind === "make-ca" ? "made a CA" : "forgot a former CA",
      );
  }

  async #newCA(nowMs: number): Promise<KeyPairPEM> {
    const { service } = this.#options;
    const key = await generateKey();
    // As client-go names them. Two of one name would have to be told apart by their keys.
    return {
      key,
      cert: await generateCA(`${service.name.slice(0, MAX_CA_NAME)}-ca@${Math.floor(nowMs / 1000)}`, key, this.#validity(this.#lifetimes.caMs)),
    };
  }

  /** No certificate outlives its CA. */
  #validity(lifetimeMs: number, ca?: X509Certificate): Validity {
    const nowMs = this.#options.clock.now();
    return {
      notBeforeMs: nowMs - BACKDATE_MS,
      notAfterMs: Math.min(nowMs + lifetimeMs, ca === undefined ? Number.POSITIVE_INFINITY : Date.parse(ca.validTo)),
    };
  }

  async #read<T>(name: string, read: (object: KubernetesObject, service: ServiceName) => T, signal: AbortSignal): Promise<T | undefined> {
    try {
      const object = await this.#options.client.request({ method: "GET", path: this.#path(name) }, signal);
      return read(object as unknown as KubernetesObject, this.#options.service);
    } catch (error) {
      if (APIError.is(error, "NotFound")) return undefined;
      throw error;
    }
  }

  /** Creates, or replaces at the resourceVersion that was seen. Somebody else who was faster has done what was due. */
  async #write(body: KubernetesObject, signal: AbortSignal): Promise<boolean> {
    const { name, resourceVersion } = body.metadata;
    const target =
      resourceVersion === undefined ? { method: "POST" as const, path: this.#path() } : { method: "PUT" as const, path: this.#path(name) };
    try {
      await this.#options.client.request({ ...target, body }, signal);
      return true;
    } catch (error) {
      if (APIError.is(error, "AlreadyExists", "Conflict") || (target.method === "PUT" && APIError.is(error, "NotFound"))) return false;
      if (!APIError.is(error, "NotFound")) throw error;
      throw new CertificateSecretError(`the namespace ${this.#options.service.namespace} of the Service is not there`, { cause: error });
    }
  }

  #path(name?: string): string {
    const collection = `/api/v1/namespaces/${this.#options.service.namespace}/secrets`;
    return name === undefined ? collection : `${collection}/${name}`;
  }
}

const pemOf = (certificate: X509Certificate): string => certificate.toString();
