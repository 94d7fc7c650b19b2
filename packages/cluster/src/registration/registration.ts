import type { AdmissionWebhook, Clock, HealthCheck, Logger } from "@annex/apiserver";
import type { ServingCertificates } from "@annex/apiserver-node";
import type { ClusterClient } from "../client/index.ts";
import { ObjectKeeper } from "../kept-objects/index.ts";
import { type LeaderElectionOptions, runWhileLeading } from "../leader-election/index.ts";
import { keptWebhookConfigurations } from "../webhook-configurations/index.ts";
import { DEFAULT_PRIORITIES, type GroupVersions, type RegistrationPriorities, type ServiceReference, wantedAPIServices } from "./api-service.ts";
import { KeptAPIServices } from "./kept-api-services.ts";

export interface RegistrationOptions {
  readonly client: ClusterClient;
  readonly groups: readonly GroupVersions[];
  /** Admission webhooks that the server serves. Default: none; then the configurations of those that an earlier version served are removed. */
  readonly webhooks?: readonly AdmissionWebhook[];
  /** What APIServices and webhook configurations point to. It is not made here. */
  readonly service: ServiceReference;
  /** Who vouches for the server; changes are taken at once. */
  readonly certificates: Pick<ServingCertificates, "caBundle" | "onChange">;
  readonly priorities?: Partial<RegistrationPriorities>;
  /** Of this replica, and of no other: `POD_RANDOM`. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: those of {@link LeaderElectionOptions}. */
  readonly durations?: NonNullable<LeaderElectionOptions["durations"]>;
}

/** How the cluster knows of this server. */
export interface Registration {
  /** For readiness: fails while a group version, or a webhook configuration, is registered for somebody else. */
  readonly healthCheck: HealthCheck;
  /** Registers, repairs and tells until the signal aborts; what is registered stays. It does not reject. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Keeps an APIService for every version of every group, and the configurations of its webhooks: created, repaired when somebody edits them, with the caBundle of now. What somebody
 * else made, or stands for a CustomResourceDefinition, is never touched; a line in the log says whose it is.
 *
 * All replicas follow these objects and tell of them. One at a time writes, by a Lease, so that replicas of two versions of a program, or with two bundles, never undo
 * each other's writes; each write is at the resourceVersion that was seen. What is not served any more is removed by whoever writes.
 */
export function registration(options: RegistrationOptions): Registration {
  const { groups, service, priorities, certificates, webhooks = [], log } = options;
  const wanted = () => wantedAPIServices(groups, service, { ...DEFAULT_PRIORITIES, ...priorities }, certificates.caBundle());
  const configurations = keptWebhookConfigurations({ webhooks, service, caBundle: () => certificates.caBundle(), log });
  const keepers = [
    new ObjectKeeper(options, new KeptAPIServices({ service, log, wanted })),
    ...configurations.map((collection) => new ObjectKeeper(options, collection)),
  ];
  const lead = async (signal: AbortSignal) => void (await Promise.all(keepers.map((keeper) => keeper.keep(signal))));
  return {
    healthCheck: {
      name: "registration",
      check: () => {
        for (const keeper of keepers) keeper.check();
      },
    },
    async run(signal) {
      const ignore = certificates.onChange(() => {
        for (const keeper of keepers) keeper.wake();
      });
      await Promise.all([...keepers.map((keeper) => keeper.follow(signal)), runWhileLeading(options, lead, signal)]);
      ignore();
    },
  };
}
