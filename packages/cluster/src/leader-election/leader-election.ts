import { APIError, type KubernetesObject } from "@annex/apimachinery";
import { type Clock, JoinedSignal, type Logger } from "@annex/apiserver";
import type { ClusterClient } from "../client/index.ts";
import { TimeLimit } from "../client/time-limit.ts";
import { isOwnedBy, marksOf, type ServiceName, serviceText } from "../ownership/index.ts";

export interface LeaderElectionOptions {
  readonly client: ClusterClient;
  /** Whose replicas these are. The Lease `NAME-registration` lies beside this Service. */
  readonly service: ServiceName;
  /** Of this replica, and of no other: `POD_RANDOM`. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly durations?: Partial<LeaseDurations>;
}

/** In milliseconds, each longer than the next. */
export interface LeaseDurations {
  /** How long the others wait for a holder of whom nothing is heard. Default 30 s. */
  readonly leaseMs: number;
  /** How long a holder goes on that cannot renew. Default 20 s. */
  readonly renewDeadlineMs: number;
  /** How often it is renewed, or looked at. Default 5 s. */
  readonly retryMs: number;
}

/** Twice those of client-go: nothing here is so urgent that each replica should ask every two seconds. */
const DEFAULT_DURATIONS: LeaseDurations = { leaseMs: 30_000, renewDeadlineMs: 20_000, retryMs: 5_000 };

const RELEASE_LIMIT_MS = 2_000;
const RELEASE_ATTEMPTS = 3;

export const leaseName = ({ name }: ServiceName): string => `${name}-registration`;
export const leasePath = (service: ServiceName): string => `/apis/coordination.k8s.io/v1/namespaces/${service.namespace}/leases`;

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/**
 * Does something while this replica holds the Lease, and no other does as long as clocks run alike. Whoever ends gives it back, so that the next need not wait.
 *
 * @param lead ends soon after its signal aborts, and does not reject. It may be called again.
 * @returns when the signal aborts; it does not reject.
 * Source: client-go tools/leaderelection.
 */
export async function runWhileLeading(
  options: LeaderElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const candidate = new Candidate(options);
  while (!signal.aborted) {
    if (!(await candidate.acquireOrRenew(signal))) {
      await candidate.pause(signal);
      continue;
    }
    using term = new JoinedSignal(signal);
    const leading = lead(term.signal);
    await candidate.holdOn(signal);
    term.abort();
    await leading;
  }
  await candidate.release();
}

class Candidate {
  readonly #options: LeaderElectionOptions;
  readonly #durations: LeaseDurations;
  /** What was seen of somebody else's Lease, and when that was new: their clock may be another. */
  #seen: { readonly renewal: string; readonly atMs: number } | undefined;
  #isHolder = false;
  /** When the last renewal that succeeded began. */
  #renewedMs = Number.NEGATIVE_INFINITY;
  #told: string | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#durations = { ...DEFAULT_DURATIONS, ...options.durations };
  }

  async pause(signal: AbortSignal): Promise<void> {
    // Not all at once.
    await this.#options.clock.sleep(this.#durations.retryMs * (1 + Math.random() * 0.2), signal).catch(() => undefined);
  }

  /** Renews until that fails for too long, somebody else holds it, or the signal aborts. */
  async holdOn(signal: AbortSignal): Promise<void> {
    const { clock, log, service } = this.#options;
    log.info({ lease: `${service.namespace}/${leaseName(service)}` }, "this replica registers");
    while (!signal.aborted) {
      await this.pause(signal);
      if (signal.aborted) return;
      const leftMs = this.#renewedMs + this.#durations.renewDeadlineMs - clock.now();
      const isRenewed = leftMs > 0 && (await this.acquireOrRenew(signal, leftMs));
      if (!isRenewed && (!this.#isHolder || clock.now() - this.#renewedMs >= this.#durations.renewDeadlineMs)) {
        const why = this.#isHolder ? "the Lease could not be renewed: this replica registers no longer" : "another replica registers";
        log.warn({ lease: `${service.namespace}/${leaseName(service)}` }, why);
        return;
      }
    }
  }

  /**
   * @param leftMs how long an attempt may take.
   * @returns whether this replica holds the Lease now.
   */
  async acquireOrRenew(signal: AbortSignal, leftMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    // An answer that comes later than that is of no use.
    using limit = new TimeLimit(signal, Math.min(leftMs, this.#durations.renewDeadlineMs / 2));
    // The others count from the write, which is not before this.
    const startedMs = this.#options.clock.now();
    try {
      const present = await this.#read(limit.signal);
      const isHeld = present !== undefined && this.#isHeldByAnother(present);
      if (!isHeld) {
        await this.#write(present, limit.signal);
        this.#renewedMs = startedMs;
      }
      this.#isHolder = !isHeld;
      this.#told = undefined;
      return !isHeld;
    } catch (error) {
      // Somebody was faster: the next look tells who.
      if (signal.aborted || APIError.is(error, "Conflict", "AlreadyExists")) return false;
      this.#tell(error);
      return false;
    }
  }

  /** Gives the Lease back, if this replica holds it. Whoever waits finds out in time without it, so what fails is of no matter. */
  async release(): Promise<void> {
    using limit = new TimeLimit(new AbortController().signal, RELEASE_LIMIT_MS);
    for (let attempt = 1; attempt <= RELEASE_ATTEMPTS; attempt++) {
      const present = await this.#read(limit.signal).catch(() => undefined);
      const spec = (present?.spec ?? {}) as LeaseSpec;
      if (present === undefined || spec.holderIdentity !== this.#options.identity) return;
      const body = { ...present, spec: { ...spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: this.#now() } };
      try {
        await this.#options.client.request({ method: "PUT", path: this.#path(), body }, limit.signal);
        return;
      } catch (error) {
        // A renewal that was cut off by the end may have been carried out.
        if (!APIError.is(error, "Conflict")) return;
      }
    }
  }

  #isHeldByAnother(lease: KubernetesObject): boolean {
    const { holderIdentity = "", renewTime = "", leaseDurationSeconds = 0 } = (lease.spec ?? {}) as LeaseSpec;
    if (holderIdentity === "" || holderIdentity === this.#options.identity) return false;
    const nowMs = this.#options.clock.now();
    const renewal = `${holderIdentity} ${renewTime}`;
    if (this.#seen?.renewal !== renewal) this.#seen = { renewal, atMs: nowMs };
    return nowMs < this.#seen.atMs + leaseDurationSeconds * 1000;
  }

  async #read(signal: AbortSignal): Promise<KubernetesObject | undefined> {
    try {
      const lease = (await this.#options.client.request({ method: "GET", path: this.#path() }, signal)) as unknown as KubernetesObject;
      if (isOwnedBy(lease, this.#options.service)) return lease;
    } catch (error) {
      if (APIError.is(error, "NotFound")) return undefined;
      throw error;
    }
    throw new Error(`the Lease ${leaseName(this.#options.service)} was not made by this server: remove or rename it`);
  }

  async #write(present: KubernetesObject | undefined, signal: AbortSignal): Promise<void> {
    const { service, identity, client } = this.#options;
    const former = (present?.spec ?? {}) as LeaseSpec;
    const isOurs = former.holderIdentity === identity;
    const now = this.#now();
    const spec: LeaseSpec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#durations.leaseMs / 1000),
      acquireTime: isOurs ? (former.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (former.leaseTransitions ?? 0) + (isOurs || present === undefined ? 0 : 1),
    };
    const metadata = { ...present?.metadata, name: leaseName(service), namespace: service.namespace, ...marksOf(service, present?.metadata) };
    const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec };
    const target = present === undefined ? { method: "POST" as const, path: leasePath(service) } : { method: "PUT" as const, path: this.#path() };
    await client.request({ ...target, body }, signal);
  }

  /** meta/v1 MicroTime. */
  #now(): string {
    return new Date(this.#options.clock.now()).toISOString().replace("Z", "000Z");
  }

  #path(): string {
    return `${leasePath(this.#options.service)}/${leaseName(this.#options.service)}`;
  }

  #tell(error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error);
    if (problem !== this.#told)
      this.#options.log.warn({ problem, service: serviceText(this.#options.service) }, "which replica registers cannot be settled; trying again");
    this.#told = problem;
  }
}

/** Who holds a Lease that was renewed lately, by the clock of here. */
export function isLeaseHeld({ spec }: KubernetesObject, nowMs: number): string | undefined {
  const { holderIdentity = "", renewTime = "", leaseDurationSeconds = 0 } = (spec ?? {}) as LeaseSpec;
  return holderIdentity !== "" && nowMs < Date.parse(renewTime) + leaseDurationSeconds * 1000 ? holderIdentity : undefined;
}
