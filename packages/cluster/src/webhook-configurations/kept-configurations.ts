import type { AdmissionWebhook, Logger } from "@annex/apiserver";
import { type KeptCollection, nameOf } from "../kept-objects/index.ts";
import { isOwnedBy } from "../ownership/index.ts";
import type { ServiceReference } from "../registration/api-service.ts";
import { CONFIGURATION_COMPARISON, type WebhookConfiguration, wantedConfigurations } from "./webhook-configuration.ts";

const GROUP = "/apis/admissionregistration.k8s.io/v1";

/** Where the configurations of each type lie. */
export const CONFIGURATION_COLLECTIONS: Readonly<Record<AdmissionWebhook["type"], string>> = {
  mutating: `${GROUP}/mutatingwebhookconfigurations`,
  validating: `${GROUP}/validatingwebhookconfigurations`,
};

export interface KeptConfigurationsOptions {
  readonly webhooks: readonly AdmissionWebhook[];
  /** Where the kube-apiserver reaches them. */
  readonly service: ServiceReference;
  /** PEM, as of now. */
  readonly caBundle: () => string | undefined;
  readonly log: Logger;
}

/** The configurations of both types, also where webhooks are of one, or there are none: what an earlier version of the program had is removed. */
export function keptWebhookConfigurations(options: KeptConfigurationsOptions): readonly KeptCollection<WebhookConfiguration>[] {
  return (["mutating", "validating"] as const).map((type) => keptConfigurations(type, options));
}

function keptConfigurations(
  type: AdmissionWebhook["type"],
  { webhooks, service, caBundle, log }: KeptConfigurationsOptions,
): KeptCollection<WebhookConfiguration> {
  const toldForeign = new Set<string>();
  return {
    path: CONFIGURATION_COLLECTIONS[type],
    logKey: `${type}WebhookConfiguration`,
    wanted: () => wantedConfigurations(webhooks, type, service, caBundle()),
    comparison: CONFIGURATION_COMPARISON,
    seen(object) {
      const name = nameOf(object);
      if (isOwnedBy(object, service)) toldForeign.delete(name);
      else if (!toldForeign.has(name)) {
        toldForeign.add(name);
        const look = `kubectl get ${type}webhookconfiguration ${name} -o yaml`;
        log.error({ [`${type}WebhookConfiguration`]: name, look, remedy: REMEDY }, "a webhook configuration of this name was made by somebody else");
      }
    },
    gone: (name) => void toldForeign.delete(name),
    fault: (object) => (isOwnedBy(object, service) ? undefined : `the ${type} webhook configuration ${nameOf(object)} is not this server's`),
  };
}

const REMEDY = "if nobody needs it, delete it; it comes again for this server";
