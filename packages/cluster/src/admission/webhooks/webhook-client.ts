import type { IncomingMessage } from "node:http";
import { Agent, type RequestOptions, request as secureRequest } from "node:https";
import { decodeStrictJSON, encodeJSON, type JSONObject, type JSONValue } from "@annex/apimachinery";
import type { Clock } from "@annex/apiserver";
import { readBody } from "../../client/read-body.ts";
import { TimeLimit } from "../../client/time-limit.ts";
import { answerFault, connectionFault, statusFault } from "./answer-fault.ts";
import type { Webhook, WebhookClientConfig } from "./configuration.ts";
import { WebhookCallError } from "./errors.ts";
import type { ServiceResolver } from "./service-resolver.ts";

export interface WebhookClientOptions {
  readonly clock: Clock;
  readonly resolver: ServiceResolver;
}

/** Asks webhooks over HTTPS. Connections are kept for the next question. */
export interface WebhookClient extends AsyncDisposable {
  /**
   * Asks a webhook; again as long as it says that it is too busy (429 and 5xx with `Retry-After`), within its time.
   *
   * @returns what it answered, as JSON.
   * @throws {WebhookCallError} when it gave no answer.
   * @throws the signal's reason, when it is aborted.
   */
  call(webhook: Webhook, review: JSONObject, signal: AbortSignal): Promise<JSONValue>;
}

/** An object of 3 MiB, in base64, and something beside it. */
const MAX_ANSWER_BYTES = 5 * 1024 * 1024;
const MAX_SOCKETS = 256;
/** Source: apimachinery util/net, and kube-apiserver's client transports. */
const MAX_FREE_SOCKETS = 25;
const IDLE_MS = 90_000;
/** Source: client-go rest/request.go, maxRetries. */
const MAX_ATTEMPTS = 10;
const DEFAULT_PORT = 443;

/**
 * Who asks shows no certificate and no token; who answers must show the certificate of the name that is asked. Redirects are answers that are none.
 *
 * Source: k8s.io/apiserver/pkg/util/webhook/client.go.
 */
export function createWebhookClient(options: WebhookClientOptions): WebhookClient {
  return new HTTPSWebhookClient(options);
}

class HTTPSWebhookClient implements WebhookClient {
  readonly #clock: Clock;
  readonly #resolver: ServiceResolver;
  readonly #agent = new Agent({
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    maxFreeSockets: MAX_FREE_SOCKETS,
    timeout: IDLE_MS,
    minVersion: "TLSv1.2",
  });

  constructor({ clock, resolver }: WebhookClientOptions) {
    this.#clock = clock;
    this.#resolver = resolver;
  }

  async call(webhook: Webhook, review: JSONObject, signal: AbortSignal): Promise<JSONValue> {
    using limit = new TimeLimit(signal, webhook.timeoutMs);
    const { url, options } = await this.#target(webhook);
    const asked = `Post "${url}"`;
    const failed = (why: string, cause?: unknown) => new WebhookCallError(webhook.name, `failed to call webhook: ${why}`, cause);
    const body = encodeJSON(review);
    for (let attempt = 1; ; attempt++) {
      let answer: Answer;
      try {
        answer = await this.#post(options, body, limit.signal);
      } catch (error) {
        signal.throwIfAborted();
        throw failed(`${asked}: ${limit.signal.aborted ? "context deadline exceeded" : connectionFault(error)}`, error);
      }
      if (answer.code >= 200 && answer.code <= 206) return decode(answer, failed);
      const waitMs = attempt < MAX_ATTEMPTS ? retryAfterMs(answer) : undefined;
      if (waitMs === undefined) throw failed(statusFault(answer.body) ?? answerFault(answer.code, textOf(answer)));
      await this.#clock.sleep(waitMs, limit.signal).catch(() => {
        signal.throwIfAborted();
        throw failed(`${asked}: context deadline exceeded`);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
  }

  /** Where a webhook is, and what its certificate has to say. */
  async #target({ name, client, timeoutMs }: Webhook): Promise<{ readonly url: string; readonly options: RequestOptions }> {
    const url = urlOf(client);
    if (url?.protocol !== "https:") throw new WebhookCallError(name, "webhook configuration must have either service or URL");
    url.searchParams.set("timeout", `${Math.ceil(timeoutMs / 1000)}s`);
    const ca = client.caBundle ? { ca: Buffer.from(client.caBundle, "base64").toString() } : {};
    const { service } = client;
    const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const port = Number(url.port || DEFAULT_PORT);
    const address = service === undefined ? { host: hostname, port } : await this.#resolved(name, { ...service, port });
    const options = {
      method: "POST",
      path: url.pathname + url.search,
      ...address,
      ...ca,
      ...(service === undefined ? {} : { servername: hostname }),
      headers: {
        host: `${url.hostname}:${port}`,
        accept: "application/json, */*",
        "content-type": "application/json",
        "user-agent": "kube-apiserver-admission",
      },
    };
    return { url: `https://${url.hostname}:${port}${options.path}`, options };
  }

  async #resolved(webhook: string, service: Parameters<ServiceResolver>[0]) {
    try {
      const { namespace, name, port } = service;
      return await this.#resolver({ namespace, name, port });
    } catch (error) {
      throw new WebhookCallError(webhook, `failed to call webhook: the Service ${service.namespace}/${service.name} was not found`, error);
    }
  }

  #post(options: RequestOptions, body: Uint8Array, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = secureRequest({ ...options, agent: this.#agent, signal }, (response) => {
        const { statusCode: code = 0, headers } = response;
        readBody(response, MAX_ANSWER_BYTES).then(
          (answer) => resolve({ code, headers, body: answer }),
          (error: unknown) => {
            request.destroy();
            reject(error);
          },
        );
      });
      request.on("error", reject);
      request.setHeader("content-length", body.length);
      request.end(body);
    });
  }
}

interface Answer {
  readonly code: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Uint8Array;
}

function urlOf({ url, service }: WebhookClientConfig): URL | undefined {
  if (service === undefined) return url !== undefined && URL.canParse(url) ? new URL(url) : undefined;
  const { namespace, name, path = "", port = DEFAULT_PORT } = service;
  const target = new URL(`https://${name}.${namespace}.svc:${port}`);
  target.pathname = path;
  return target;
}

/** @throws {WebhookCallError} for what is no JSON. */
function decode({ body, code, headers }: Answer, failed: (why: string, cause?: unknown) => WebhookCallError): JSONValue {
  if (body.length === 0)
    throw failed(`0-length response with status code: ${code} and content type: ${headers["content-type"] ?? "application/json"}`);
  try {
    return decodeStrictJSON(body).value;
  } catch (error) {
    throw failed("couldn't get version/kind; json parse error: the answer is no JSON", error);
  }
}

/** @returns undefined when the answer is not to ask again later. Source: client-go rest/with_retry.go, checkWait. */
function retryAfterMs({ code, headers }: Answer): number | undefined {
  const seconds = headers["retry-after"];
  if ((code !== 429 && code < 500) || seconds === undefined || !/^\d{1,5}$/.test(seconds)) return undefined;
  return Number(seconds) * 1000;
}

function textOf({ headers, body }: Answer): string | undefined {
  return (headers["content-type"] ?? "").startsWith("text/") ? Buffer.from(body).toString() : undefined;
}
