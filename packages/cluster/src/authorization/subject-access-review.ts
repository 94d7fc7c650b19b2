import { APIError, type JSONValue } from "@annex/apimachinery";
import {
  type Attributes,
  type Authorizer,
  type Cancellation,
  type Clock,
  type Decision,
  type HealthCheck,
  isPromise,
  type Logger,
} from "@annex/apiserver";
import type { ClusterClient } from "../client/index.ts";
import { claimOf, createReview, SharedReviews, textOf } from "../reviews/index.ts";
import { fieldSelectorAttributes, labelSelectorAttributes } from "./selector-attributes.ts";

export interface SubjectAccessReviewOptions {
  readonly client: ClusterClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long a yes holds, in milliseconds. Default 10,000, as Go's. */
  readonly allowedTTLMs?: number;
  /** How long anything else holds, in milliseconds. Default 10,000, as Go's. */
  readonly deniedTTLMs?: number;
  /** How long a review may take, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

/** An authorizer that asks somebody, who may not be there. */
export interface RemoteAuthorizer extends Authorizer {
  /** Fails while reviews do. Asks for one itself when none was answered lately: no request would come to a server that is not ready. */
  readonly ready: HealthCheck;
}

const PATH = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const KIND = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview" };
const TTL_MS = 10_000;
/** So long an answered review stands for the next one. */
const FRESH_MS = 10_000;
const PROBE_TIMEOUT_MS = 5_000;
/** A question that anybody may be asked about. */
const PROBE = { user: "system:anonymous", groups: ["system:unauthenticated"], nonResourceAttributes: { path: "/readyz", verb: "get" } };

/**
 * Asks the kube-apiserver whether somebody may do something. Answers hold for some seconds. When it cannot be asked, or answers what is no answer, that is thrown, which
 * refuses the request with a 500, as in Go.
 *
 * Source: k8s.io/apiserver plugin/pkg/authorizer/webhook.
 */
export function subjectAccessReviewAuthorizer(options: SubjectAccessReviewOptions): RemoteAuthorizer {
  const reviewing = new Reviewing(options);
  return {
    authorize: (attributes, cancellation) => reviewing.authorize(attributes, cancellation),
    ready: { name: "delegated-authorization", check: (signal) => reviewing.check(signal) },
  };
}

class Reviewing {
  readonly #options: SubjectAccessReviewOptions;
  readonly #reviews: SharedReviews<Decision>;
  readonly #probes: SharedReviews<Decision>;
  #answeredMs = Number.NEGATIVE_INFINITY;

  constructor(options: SubjectAccessReviewOptions) {
    const { clock, allowedTTLMs = TTL_MS, deniedTTLMs = TTL_MS, timeoutMs } = options;
    this.#options = options;
    const isAllowed = ({ decision }: Decision) => decision === "Allow";
    this.#reviews = new SharedReviews(isAllowed, {
      clock,
      ttlMs: (decision) => (isAllowed(decision) ? allowedTTLMs : deniedTTLMs),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    this.#probes = new SharedReviews(isAllowed, { clock, ttlMs: () => 0, timeoutMs: Math.min(PROBE_TIMEOUT_MS, timeoutMs ?? PROBE_TIMEOUT_MS) });
  }

  authorize(attributes: Attributes, cancellation: Cancellation): ReturnType<Authorizer["authorize"]> {
    const spec = specOf(attributes);
    const key = JSON.stringify(spec);
    const asked = this.#reviews.ask(key, (signal) => this.#review(spec, signal), cancellation);
    return isPromise(asked) ? asked.catch((error: unknown) => refuse(error, cancellation.signal)) : asked;
  }

  async check(signal: AbortSignal): Promise<void> {
    const sinceMs = this.#options.clock.now() - this.#answeredMs;
    if (sinceMs >= 0 && sinceMs < FRESH_MS) return;
    await this.#probes.ask("", (limit) => this.#review(PROBE, limit, 1), { signal });
  }

  async #review(spec: object, signal: AbortSignal, attempts?: number): Promise<Decision> {
    const asking = { ...this.#options, ...(attempts === undefined ? {} : { attempts }) };
    try {
      const decision = decisionOf(await createReview(asking, PATH, KIND, spec, signal));
      this.#answeredMs = this.#options.clock.now();
      return decision;
    } catch (error) {
      this.#answeredMs = Number.NEGATIVE_INFINITY;
      this.#options.log.error({ err: error }, "access could not be reviewed");
      throw error;
    }
  }
}

/** What the kube-apiserver said of us (that we may not ask, for one) is nothing that our client should take for an answer. */
function refuse(error: unknown, signal: AbortSignal): never {
  signal.throwIfAborted();
  if (APIError.is(error, "TooManyRequests")) throw error;
  throw new Error("access could not be reviewed", { cause: error });
}

/** Equal for equal attributes, so that it serves as their key. */
function specOf(attributes: Attributes): object {
  const { user, verb } = attributes;
  const extra = Object.entries(user.extra).sort(([one], [other]) => (one < other ? -1 : 1));
  const who = { user: user.name, uid: user.uid, groups: user.groups, extra: Object.fromEntries(extra) };
  if (attributes.type === "path") return { ...who, nonResourceAttributes: { path: attributes.path, verb } };
  const { group, version, resource, subresource, namespace, name } = attributes;
  const selectors = {
    fieldSelector: fieldSelectorAttributes(attributes.fieldSelector),
    labelSelector: labelSelectorAttributes(attributes.labelSelector),
  };
  return { ...who, resourceAttributes: { namespace, verb, group, version, resource, subresource, name, ...selectors } };
}

/** @throws {Error} for an answer that is none, or says yes and no. */
function decisionOf(status: Readonly<Record<string, JSONValue>>): Decision {
  const allowed = claimOf(status.allowed, "a claim that something is allowed");
  const denied = claimOf(status.denied, "a claim that something is denied");
  if (allowed && denied) throw new Error("a review of access says both yes and no");
  return { decision: allowed ? "Allow" : denied ? "Deny" : "NoOpinion", reason: textOf(status.reason, "reason") };
}
