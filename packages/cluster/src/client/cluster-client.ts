import type { IncomingMessage } from "node:http";
import { Agent, request as secureRequest } from "node:https";
import { createSecureContext } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import { type APIError, decodeJSON, encodeJSON, type JSONValue, type KubernetesObject } from "@annex/apimachinery";
import type { Clock } from "@annex/apiserver";
import type { ClusterConfig, ClusterTLS } from "./cluster-config.ts";
import { readBody } from "./read-body.ts";
import { statusError } from "./status-error.ts";
import { TimeLimit } from "./time-limit.ts";
import { AnswerTooLargeError, ClusterUnavailableError } from "./unavailable.ts";
import { readLines } from "./watch-lines.ts";

/** One request to a kube-apiserver. */
export interface ClusterRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With a slash in front, percent-encoded: `/api/v1/namespaces/a/secrets`. */
  readonly path: string;
  /** Parameters that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the body. Default `application/json`. */
  readonly contentType?: string;
  readonly accept?: string;
  /** Beside those of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How large the answer may be, in bytes, where it cannot be as large as a list. Default {@link ClusterClientOptions.maxAnswerBytes}. */
  readonly maxAnswerBytes?: number;
}

export interface WatchedEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: KubernetesObject;
}

/** The kube-apiserver, for the little that a server beside it asks. */
export interface ClusterClient extends AsyncDisposable {
  readonly config: ClusterConfig;

  /**
   * Asks, and again as long as the answer is that it is too busy (429 with `Retry-After`).
   *
   * @returns the body of a success.
   * @throws {APIError} what the server answered.
   * @throws {ClusterUnavailableError} when it could not be asked, gave no answer in half a minute, or one that is none. The request may have been carried out.
   * @throws {AnswerTooLargeError} for more than it takes.
   * @throws the signal's reason, when it is aborted.
   */
  request(request: ClusterRequest, signal: AbortSignal): Promise<JSONValue>;

  /**
   * Follows a collection. Bookmarks are asked for; the server ends the stream after some minutes, which ends the iteration.
   *
   * @param query `resourceVersion` and the selectors.
   * @param begun is called when the server has begun to answer: from here on it tells every change.
   * @throws {APIError} when the watch cannot begin, and of an ERROR event: 410 for a revision that is too old.
   * @throws {ClusterUnavailableError} as {@link ClusterClient.request}, and when nothing came for longer than the server stays silent.
   */
  watch(path: string, query: ClusterRequest["query"], signal: AbortSignal, begun?: () => void): AsyncGenerator<WatchedEvent>;
}

export interface ClusterClientOptions {
  readonly clock: Clock;
  /** `User-Agent`. Default `annex`. */
  readonly userAgent?: string;
  /** How long an answer may take, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** How large an answer may be, in bytes, unless the request says less. Default 64 MiB, for lists. */
  readonly maxAnswerBytes?: number;
}

const TIMEOUT_MS = 30_000;
/** Of requests. Watches have connections of their own: however many there are, and they last for minutes, no request waits for one to end. */
const MAX_SOCKETS = 64;
/** How long files of certificates are taken for what they were, in milliseconds. Client-go looks every five minutes. */
const REREAD_MS = 60_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** How often a server that is too busy is asked. Source: client-go rest/request.go, maxRetries. */
const MAX_ATTEMPTS = 10;
const MAX_RETRY_AFTER_S = 30;
/** How long one watch lasts, in seconds; some are shorter, so that not all begin anew at once. Source: client-go reflector, minWatchTimeout. */
const WATCH_SECONDS = 300;
/** Bookmarks come every minute. */
const SILENCE_MS = 150_000;

export function createClusterClient(config: ClusterConfig, options: ClusterClientOptions): ClusterClient {
  return new HTTPSClient(config, options);
}

class HTTPSClient implements ClusterClient {
  readonly config: ClusterConfig;
  readonly #clock: Clock;
  readonly #userAgent: string;
  readonly #timeoutMs: number;
  readonly #maxAnswerBytes: number;
  #agents: Agents;
  #tls: ClusterTLS;
  #tlsReadMs = performance.now();

  constructor(
    config: ClusterConfig,
    { clock, userAgent = "annex", timeoutMs = TIMEOUT_MS, maxAnswerBytes = MAX_ANSWER_BYTES }: ClusterClientOptions,
  ) {
    this.config = config;
    this.#clock = clock;
    this.#userAgent = userAgent;
    this.#timeoutMs = timeoutMs;
    this.#maxAnswerBytes = maxAnswerBytes;
    this.#tls = config.tls;
    this.#agents = agentsOf(config.tls);
  }

  async request(request: ClusterRequest, signal: AbortSignal): Promise<JSONValue> {
    for (let attempt = 1; ; attempt++) {
      using limit = new TimeLimit(signal, this.#timeoutMs);
      const { response, body } = await this.#asking(request, signal, async () => {
        const answer = await this.#send(request, "requests", limit.signal);
        return { response: answer, body: await readBody(answer, request.maxAnswerBytes ?? this.#maxAnswerBytes) };
      });
      if (isSuccess(response)) return body.length === 0 ? null : decode(body);
      const wait = attempt < MAX_ATTEMPTS ? retryAfterMs(response) : undefined;
      if (wait === undefined) throw this.#refusal(response, body);
      await this.#clock.sleep(wait, signal);
    }
  }

  async *watch(path: string, query: ClusterRequest["query"], signal: AbortSignal, begun?: () => void): AsyncGenerator<WatchedEvent> {
    const timeoutSeconds = String(Math.ceil(WATCH_SECONDS * (1 - Math.random() / 2)));
    const request: ClusterRequest = { method: "GET", path, query: { ...query, watch: "true", allowWatchBookmarks: "true", timeoutSeconds } };
    using silence = new TimeLimit(signal, SILENCE_MS);
    const response = await this.#asking(request, signal, () => this.#send(request, "watches", silence.signal));
    try {
      if (!isSuccess(response)) throw this.#refusal(response, await this.#asking(request, signal, () => readBody(response, this.#maxAnswerBytes)));
      begun?.();
      const lines = readLines(response);
      for (;;) {
        const line = await this.#asking(request, signal, () => lines.next());
        if (line.done === true) return;
        silence.extend();
        yield eventOf(line.value);
      }
    } finally {
      response.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  async #send(
    { method, path, query, body, contentType, accept, headers }: ClusterRequest,
    use: keyof Agents,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const authorization = await this.config.authorization();
    const { [use]: agent } = await this.#agentsOfNow();
    const bytes = body === undefined ? undefined : encodeJSON(body);
    const sent = {
      accept: accept ?? "application/json",
      "user-agent": this.#userAgent,
      ...headers,
      ...(authorization === undefined ? {} : { authorization }),
      ...(bytes === undefined ? {} : { "content-type": contentType ?? "application/json", "content-length": String(bytes.length) }),
    };
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const request = secureRequest(this.config.server + path + queryText(query), { method, headers: sent, agent, signal }, resolve);
      request.on("error", reject);
      request.end(bytes);
    });
  }

  /** Those whose new connections are secured as the files say that it was read from. Source: client-go transport, ca_rotation.go and cert_rotation.go. */
  async #agentsOfNow(): Promise<Agents> {
    const { rereadTLS } = this.config;
    if (rereadTLS === undefined || performance.now() - this.#tlsReadMs < REREAD_MS) return this.#agents;
    this.#tlsReadMs = performance.now();
    const tls = await rereadTLS().catch(() => undefined);
    // While files are being replaced, what was there before still holds.
    if (tls === undefined || isDeepStrictEqual(tls, this.#tls) || !isUsable(tls)) return this.#agents;
    const former = this.#agents;
    this.#tls = tls;
    this.#agents = agentsOf(tls);
    // What runs over the former connections goes on; those that are idle are of no use any more.
    for (const socket of Object.values(former.requests.freeSockets).flatMap((sockets) => sockets ?? [])) socket.destroy();
    return this.#agents;
  }

  /** Whatever goes wrong on the way is the cluster's absence, unless it is the caller's own end. */
  async #asking<T>({ method, path }: ClusterRequest, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AnswerTooLargeError) throw error;
      // Perhaps it shows a certificate of another CA by now.
      this.#tlsReadMs = Number.NEGATIVE_INFINITY;
      const why = error instanceof Error ? error.message : String(error);
      throw new ClusterUnavailableError(`the kube-apiserver ${this.config.server} does not answer ${method} ${path}: ${why}`, { cause: error });
    }
  }

  #refusal(response: IncomingMessage, body: Uint8Array): APIError {
    if (response.statusCode === 401) this.config.forgetCredentials();
    return statusError(response.statusCode ?? 0, body);
  }
}

/** What holds connections. That of watches keeps none behind the watch. */
interface Agents {
  readonly requests: Agent;
  readonly watches: Agent;
}

function agentsOf(tls: ClusterTLS): Agents {
  const secured = { ...tls, minVersion: "TLSv1.2" } as const;
  return { requests: new Agent({ ...secured, keepAlive: true, maxSockets: MAX_SOCKETS }), watches: new Agent(secured) };
}

/** Whether OpenSSL takes it: a certificate and the key of another one do not go together. */
function isUsable(tls: ClusterTLS): boolean {
  try {
    createSecureContext(tls);
    return true;
  } catch {
    return false;
  }
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

/** @returns undefined when the answer is not to ask again later. */
function retryAfterMs({ statusCode, headers }: IncomingMessage): number | undefined {
  const seconds = Number(headers["retry-after"] ?? Number.NaN);
  if (statusCode !== 429 || !Number.isInteger(seconds) || seconds < 0) return undefined;
  return Math.min(seconds, MAX_RETRY_AFTER_S) * 1000;
}

function decode(body: Uint8Array): JSONValue {
  try {
    return decodeJSON(body);
  } catch (error) {
    throw new ClusterUnavailableError("an answer that is no JSON", { cause: error });
  }
}

function eventOf(line: Uint8Array): WatchedEvent {
  const { type, object } = decode(line) as { readonly type?: string; readonly object?: unknown };
  switch (type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED":
    case "BOOKMARK":
      // Objects of the server's own.
      return { type, object: object as KubernetesObject };
    case "ERROR":
      throw statusError(500, encodeJSON(object));
    default:
      throw new ClusterUnavailableError("an event of a type that is not known");
  }
}

function queryText(query: ClusterRequest["query"] = {}): string {
  const given = Object.entries(query).filter((parameter): parameter is [string, string] => parameter[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}
