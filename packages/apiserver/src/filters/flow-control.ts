import type { UserInfo } from "../authentication/user-info.ts";
import { type Awaitable, whenReady } from "../awaitable.ts";
import type { Cancellation } from "../cancellation.ts";
import type { Clock } from "../clock.ts";
import type { InflightKind, RequestMetrics } from "../metrics.ts";
import { FairQueue, tooBusy } from "./fair-queue.ts";

export interface FlowControlOptions {
  /** How many requests that only read run at once. Default 400; 0 for no limit, here and in the two that follow. */
  readonly maxInflight?: number | undefined;
  /** How many requests that change something run at once, beside those that read. Default 200. */
  readonly maxMutatingInflight?: number | undefined;
  /** How many watches are open at once. Default 20,000. */
  readonly maxWatches?: number | undefined;
  /** How many watches one user has open at once. Default: half of `maxWatches`. */
  readonly maxWatchesPerUser?: number | undefined;
  /** How many requests of all users wait for a place, of each of the two kinds. Default 1,000. 0: nobody waits. */
  readonly maxQueued?: number | undefined;
  /** How many requests of one user wait, of each of the two kinds. Default 100. */
  readonly maxQueuedPerUser?: number | undefined;
  /** The longest that a request waits, in milliseconds. Default 3,000. */
  readonly maxWaitMs?: number | undefined;
  readonly clock: Clock;
  /** Told how many run, each time that it changes; exempt ones included, waiting ones not. */
  readonly metrics?: Pick<RequestMetrics, "setInflight"> | undefined;
}

/** What flow control goes by. */
export interface FlowControlRequest {
  readonly user: UserInfo;
  readonly kind: InflightKind;
  /** Health checks and system:masters: they always run at once, and take nobody's place. */
  readonly isExempt: boolean;
}

export interface FlowControl {
  /**
   * Lets a request run, if need be after a wait.
   *
   * @param cancellation of the request: when it comes while the request waits, the wait is over.
   * @returns what gives the place back: to be called when the request is done, whatever its end. Calling it again does nothing. Without a promise when nobody waits.
   * @throws {APIError} `TooManyRequests`, to be tried again after a second.
   * @throws the signal's reason.
   */
  acquire(request: FlowControlRequest, cancellation: Cancellation): Awaitable<() => void>;
}

/**
 * Keeps the server from doing too much at once. Requests that read, requests that write and watches each have places of their own. When all are taken, a
 * request waits a little; users are served in turn, so that nobody's flood keeps others out. A watch does not wait: the others will be open for minutes.
 *
 * The bounds hold for non-exempt requests. What waits is one small object and one timer a request.
 *
 * @throws {RangeError} for a bound that is not a whole number from 0 on, or a wait that is not a finite one.
 * Source: kube-apiserver's --max-requests-inflight and --max-mutating-requests-inflight; the fairness is what KEP-1040 asks for, per user.
 */
export function createFlowControl(options: FlowControlOptions): FlowControl {
  const { clock, metrics, maxWaitMs = 3_000 } = options;
  if (!Number.isFinite(maxWaitMs) || maxWaitMs < 0) throw new RangeError(`maxWaitMs must be a time in milliseconds, not ${maxWaitMs}`);
  const line = {
    maxQueued: count("maxQueued", options.maxQueued ?? 1_000),
    maxQueuedPerUser: count("maxQueuedPerUser", options.maxQueuedPerUser ?? 100),
  };
  const queue = (limit: number) => queueLimiter(new FairQueue({ ...line, limit, maxWaitMs, clock }));
  const maxWatches = limitOf("maxWatches", options.maxWatches ?? 20_000);
  const limiters: Readonly<Record<InflightKind, Limiter>> = {
    readOnly: queue(limitOf("maxInflight", options.maxInflight ?? 400)),
    mutating: queue(limitOf("maxMutatingInflight", options.maxMutatingInflight ?? 200)),
    watch: watchLimiter(maxWatches, limitOf("maxWatchesPerUser", options.maxWatchesPerUser ?? Math.ceil(finite(maxWatches) / 2))),
  };
  const inflight: Record<InflightKind, number> = { readOnly: 0, mutating: 0, watch: 0 };
  const change = (kind: InflightKind, by: 1 | -1) => {
    inflight[kind] += by;
    metrics?.setInflight(kind, inflight[kind]);
  };

  const run = (kind: InflightKind, release: () => void) => {
    change(kind, 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      release();
      change(kind, -1);
    };
  };

  return {
    acquire: ({ user, kind, isExempt }, cancellation) =>
      isExempt ? run(kind, NO_PLACE) : whenReady(limiters[kind](user.name, cancellation), (release) => run(kind, release)),
  };
}

const NO_PLACE = () => undefined;

type Limiter = (user: string, cancellation: Cancellation) => Awaitable<() => void>;

function queueLimiter(queue: FairQueue): Limiter {
  return (user, cancellation) => {
    const release = () => queue.release(user);
    return whenReady(queue.acquire(user, cancellation), () => release);
  };
}

function watchLimiter(limit: number, limitPerUser: number): Limiter {
  const byUser = new Map<string, number>();
  let running = 0;
  return (user, cancellation) => {
    cancellation.signal.throwIfAborted();
    const own = byUser.get(user) ?? 0;
    if (running >= limit || own >= limitPerUser) throw tooBusy();
    running++;
    byUser.set(user, own + 1);
    return () => {
      running--;
      const left = (byUser.get(user) ?? 1) - 1;
      if (left === 0) byUser.delete(user);
      else byUser.set(user, left);
    };
  };
}

function limitOf(name: string, value: number): number {
  return count(name, value) === 0 ? Number.POSITIVE_INFINITY : value;
}

/** 0, which stands for no limit, when there is none. */
function finite(limit: number): number {
  return Number.isFinite(limit) ? limit : 0;
}

function count(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} must be a whole number from 0 on, not ${value}`);
  return value;
}
