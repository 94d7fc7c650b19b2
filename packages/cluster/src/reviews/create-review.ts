import { APIError, type JSONValue } from "@annex/apimachinery";
import type { Clock } from "@annex/apiserver";
import { type ClusterClient, ClusterUnavailableError } from "../client/index.ts";

/** Source: k8s.io/apiserver server/options, DefaultAuthWebhookRetryBackoff. */
const ATTEMPTS = 5;
const FIRST_WAIT_MS = 500;
const FACTOR = 1.5;
const JITTER = 0.2;
/** As of webhooks. Hundreds of reviews may be under way at once, and their answers are held whole. */
const MAX_ANSWER_BYTES = 5 * 1024 * 1024;

/**
 * Asks for a review, and again while the server has trouble of its own: reviews change nothing.
 *
 * @param path `/apis/authorization.k8s.io/v1/subjectaccessreviews`
 * @returns the status of the answer, of which nothing is certain.
 * @throws {APIError} {@link ClusterUnavailableError} as of {@link ClusterClient.request}.
 * Source: k8s.io/apiserver util/webhook, WithExponentialBackoff and DefaultShouldRetry.
 */
export async function createReview(
  { client, clock, attempts = ATTEMPTS }: { readonly client: ClusterClient; readonly clock: Clock; readonly attempts?: number },
  path: string,
  kind: { readonly apiVersion: string; readonly kind: string },
  spec: object,
  signal: AbortSignal,
): Promise<Readonly<Record<string, JSONValue>>> {
  let waitMs = FIRST_WAIT_MS;
  for (let attempt = 1; ; attempt++) {
    try {
      return statusOf(await client.request({ method: "POST", path, body: { ...kind, spec }, maxAnswerBytes: MAX_ANSWER_BYTES }, signal));
    } catch (error) {
      if (attempt >= attempts || !isTransient(error)) throw error;
      // A kept connection that the server has closed meanwhile says nothing of the server.
      const isFirstReset = attempt === 1 && error instanceof ClusterUnavailableError;
      await clock.sleep(isFirstReset ? 0 : waitMs * (1 + JITTER * Math.random()), signal);
      if (!isFirstReset) waitMs *= FACTOR;
    }
  }
}

function isTransient(error: unknown): boolean {
  if (APIError.is(error)) return TRANSIENT_CODES.has(error.code);
  return error instanceof ClusterUnavailableError && error.cause instanceof Error && "code" in error.cause && RESETS.has(error.cause.code);
}

const TRANSIENT_CODES: ReadonlySet<number> = new Set([429, 500, 504]);
const RESETS: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE"]);

function statusOf(answer: JSONValue): Readonly<Record<string, JSONValue>> {
  const status = isRecord(answer) ? answer.status : undefined;
  if (!isRecord(status)) throw new Error("a review was answered without a status");
  return status;
}

/** Whether a value of an answer is an object. */
export function isRecord(value: JSONValue | undefined): value is Readonly<Record<string, JSONValue>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The texts of an answer's list; none where it is absent. @throws {Error} for anything else. */
export function textsOf(value: JSONValue | undefined, what: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
    throw new Error(`a review was answered with ${what} that are no texts`);
  return value;
}

/** A text of an answer; empty where it is absent. @throws {Error} for anything else. */
export function textOf(value: JSONValue | undefined, what: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw new Error(`a review was answered with a ${what} that is no text`);
  return value;
}

/** A claim of an answer; false where it is absent. @throws {Error} for anything else: nothing is taken for a yes. */
export function claimOf(value: JSONValue | undefined, what: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean") throw new Error(`a review was answered with ${what} that is neither true nor false`);
  return value;
}
