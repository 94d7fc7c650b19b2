import { APIError, type KubernetesObject } from "@annex/apimachinery";
import {
  type Authenticator,
  type Clock,
  clientCertificateAuthenticator,
  type HealthCheck,
  type Logger,
  OperatorError,
  requestHeaderAuthenticator,
  requestTokenAuthenticators,
} from "@annex/apiserver";
import { type ClientCASource, readCertificates } from "@annex/apiserver-node";
import { type ClusterClient, reflect } from "../client/index.ts";
import { AuthenticationConfiguration, configMapData, requestHeaderNames } from "./configuration.ts";
import { checkDelegatedOptions, type DelegatedOptions, durationMs } from "./delegated-options.ts";
import { tokenReviewAuthenticator } from "./token-review.ts";

export interface DelegatedAuthenticationOptions {
  /** With the rights of the ClusterRole `system:auth-delegator` and of the Role `kube-system/extension-apiserver-authentication-reader`. */
  readonly client: ClusterClient;
  readonly options: DelegatedOptions;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who asks, as the cluster knows it. */
export interface DelegatedAuthentication {
  /** Front proxies, client certificates, bearer tokens: in this order, as in Go. */
  readonly authenticators: readonly Authenticator[];
  /** The CAs that handshakes are to name: of clients and of front proxies. */
  readonly clientCAs: ClientCASource;
  /** Fails until it is known whom to believe, or tolerated that it is not. */
  readonly ready: HealthCheck;
  /**
   * Reads for the first time whom to believe.
   *
   * @throws {DelegatedAuthenticationError} when the cluster does not tell, unless that is tolerated.
   * @throws {OperatorFileError} {@link OptionError} when a file or an option is of no use.
   */
  start(signal: AbortSignal): Promise<void>;
  /** Keeps up with the cluster and the files. @returns when the signal aborts; it does not reject. */
  run(signal: AbortSignal): Promise<void>;
}

/** It cannot be found out whom to believe. */
export class DelegatedAuthenticationError extends OperatorError {
  override readonly name = "DelegatedAuthenticationError";
}

const NAMESPACE = "kube-system";
const NAME = "extension-apiserver-authentication";
const COLLECTION = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
const SOURCE = `configmap ${NAMESPACE}/${NAME}`;
/** How often files are read again. Source: apiserver dynamiccertificates, FileRefreshDuration. */
const REREAD_MS = 60_000;

/** Has the cluster say who asks. Source: k8s.io/apiserver server/options, DelegatingAuthenticationOptions. */
export function delegatedAuthentication(given: DelegatedAuthenticationOptions): DelegatedAuthentication {
  const configuration = new AuthenticationConfiguration(given.log);
  const reading = new Reading(given, configuration);
  const ttlMs = durationMs(given.options["authentication-token-webhook-cache-ttl"]);
  const tokens = [tokenReviewAuthenticator({ ...given, ttlMs })];
  return {
    authenticators: [
      requestHeaderAuthenticator(() => configuration.requestHeader),
      clientCertificateAuthenticator(() => configuration.clientCA),
      ...requestTokenAuthenticators(tokens),
    ],
    clientCAs: configuration,
    ready: { name: "delegated-authentication", check: () => reading.check() },
    start: (signal) => reading.start(signal),
    run: (signal) => reading.run(signal),
  };
}

/** Brings what is configured, in files and in the cluster, into one place. */
class Reading {
  readonly #given: DelegatedAuthenticationOptions;
  readonly #configuration: AuthenticationConfiguration;
  readonly #wantsLookup: boolean;
  #isKnown = false;

  constructor(given: DelegatedAuthenticationOptions, configuration: AuthenticationConfiguration) {
    const { options } = given;
    this.#given = given;
    this.#configuration = configuration;
    const isComplete = options["client-ca-file"] !== undefined && options["requestheader-client-ca-file"] !== undefined;
    this.#wantsLookup = !options["authentication-skip-lookup"] && !isComplete;
  }

  check(): void {
    if (!this.#isKnown) throw new Error(`${SOURCE} has not been read yet`);
  }

  async start(signal: AbortSignal): Promise<void> {
    for (const warning of checkDelegatedOptions(this.#given.options)) this.#given.log.warn({}, warning);
    await this.#readClientCA();
    await this.#readFrontProxyCA();
    if (this.#wantsLookup) await this.#lookUp(signal);
    else this.#isKnown = true;
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#followFiles(signal), ...(this.#wantsLookup ? [this.#followCluster(signal)] : [])]);
  }

  async #readClientCA(): Promise<void> {
    const file = this.#given.options["client-ca-file"];
    if (file !== undefined) this.#configuration.setClientCA(await readCertificates(file), file);
  }

  async #readFrontProxyCA(): Promise<void> {
    const { options } = this.#given;
    const file = options["requestheader-client-ca-file"];
    if (file !== undefined) this.#configuration.setRequestHeader(await readCertificates(file), namesOf(options), file);
  }

  async #lookUp(signal: AbortSignal): Promise<void> {
    const { client, options, log } = this.#given;
    try {
      this.#take((await client.request({ method: "GET", path: `${COLLECTION}/${NAME}` }, signal)) as unknown as KubernetesObject);
    } catch (error) {
      signal.throwIfAborted();
      // As Go: the ConfigMap may be made later.
      if (APIError.is(error, "NotFound")) log.warn({}, `${SOURCE} is not there: no front proxy and no client certificate is believed until it is`);
      else if (options["authentication-tolerate-lookup-failure"]) {
        log.warn({ err: error }, `${SOURCE} cannot be read; going on without`);
        // As Go: who has a token is to be served.
        this.#isKnown = true;
      } else throw new DelegatedAuthenticationError(remedyOf(error), { cause: error });
    }
  }

  #take(object: KubernetesObject): void {
    const { options, log } = this.#given;
    const data = configMapData(object);
    if (options["client-ca-file"] === undefined) this.#configuration.setClientCA(data["client-ca-file"], SOURCE);
    if (options["requestheader-client-ca-file"] === undefined) {
      try {
        this.#configuration.setRequestHeader(data["requestheader-client-ca-file"], requestHeaderNames(data), SOURCE);
      } catch (error) {
        log.warn({ err: error, source: SOURCE }, "the names of front proxies cannot be read; those from before stay");
      }
    }
    this.#isKnown = true;
  }

  #followCluster(signal: AbortSignal): Promise<void> {
    const put = (object: KubernetesObject) => {
      if (object.metadata.name === NAME) this.#take(object);
    };
    // Who deletes it does not mean that nobody is to be believed any more: kube-apiserver makes it anew.
    const observer = { put, deleted: () => undefined, reset: (objects: readonly KubernetesObject[]) => objects.forEach(put) };
    return reflect({ ...this.#given, path: COLLECTION, query: { fieldSelector: `metadata.name=${NAME}` }, observer }, signal);
  }

  async #followFiles(signal: AbortSignal): Promise<void> {
    const { clock, log, options } = this.#given;
    const warn = (error: unknown) =>
      log.warn({ problem: error instanceof Error ? error.message : String(error) }, "CAs cannot be read; those from before stay");
    if (options["client-ca-file"] === undefined && options["requestheader-client-ca-file"] === undefined) return;
    while (!signal.aborted) {
      await clock.sleep(REREAD_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.#readClientCA().catch(warn);
      await this.#readFrontProxyCA().catch(warn);
    }
  }
}

function namesOf(options: DelegatedOptions) {
  const trimmed = (name: (keyof DelegatedOptions & `requestheader-${string}s`) | "requestheader-extra-headers-prefix") =>
    options[name].map((value) => value.trim());
  return {
    usernameHeaders: trimmed("requestheader-username-headers"),
    uidHeaders: trimmed("requestheader-uid-headers"),
    groupHeaders: trimmed("requestheader-group-headers"),
    extraHeaderPrefixes: trimmed("requestheader-extra-headers-prefix"),
    allowedNames: options["requestheader-allowed-names"],
  };
}

function remedyOf(error: unknown): string {
  if (APIError.is(error, "Unauthorized")) return `${SOURCE} cannot be read: the kube-apiserver does not take this server's credentials`;
  if (!APIError.is(error, "Forbidden")) return `${SOURCE} cannot be read: ${error instanceof Error ? error.message : "unknown error"}`;
  return `may not read ${SOURCE}: ${error.message}. Bind the Role ${NAME}-reader: kubectl create rolebinding -n ${NAMESPACE} ROLEBINDING_NAME --role=${NAME}-reader --serviceaccount=YOUR_NS:YOUR_SA`;
}
