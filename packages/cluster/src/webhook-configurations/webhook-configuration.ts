import { jsonEquals, type KubernetesObject } from "@annex/apimachinery";
import type { AdmissionWebhook } from "@annex/apiserver";
import type { Comparison } from "../kept-objects/index.ts";
import { marksOf } from "../ownership/index.ts";
import type { ServiceReference } from "../registration/api-service.ts";

/** One of admissionregistration.k8s.io/v1, as far as it matters here. */
export interface RegisteredWebhook {
  readonly name: string;
  readonly clientConfig: {
    readonly service?: ServiceReference & { readonly path: string };
    /** Base64 of PEM. */
    readonly caBundle?: string;
  };
  readonly [field: string]: unknown;
}

export interface WebhookConfiguration extends KubernetesObject {
  readonly webhooks?: readonly RegisteredWebhook[] | null;
}

const KINDS = { mutating: "MutatingWebhookConfiguration", validating: "ValidatingWebhookConfiguration" } as const;

/** What there is to be of one type: a configuration for each name, its webhooks in the order given. @param caBundle PEM; undefined leaves the field to others. */
export function wantedConfigurations(
  webhooks: readonly AdmissionWebhook[],
  type: AdmissionWebhook["type"],
  service: ServiceReference,
  caBundle: string | undefined,
): readonly WebhookConfiguration[] {
  const own = webhooks.filter((webhook) => webhook.type === type);
  return [...new Set(own.map(({ configuration }) => configuration))].map((name) => ({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: KINDS[type],
    metadata: { name, ...marksOf(service) },
    webhooks: own.filter(({ configuration }) => configuration === name).map((webhook) => registered(webhook, service, caBundle)),
  }));
}

/** With every field that the kube-apiserver would fill in, so that each edit of one shows. */
function registered(webhook: AdmissionWebhook, { namespace, name, port }: ServiceReference, caBundle: string | undefined): RegisteredWebhook {
  const { failurePolicy, matchPolicy, sideEffects, timeoutSeconds, namespaceSelector, objectSelector, matchConditions } = webhook;
  return {
    name: webhook.name,
    admissionReviewVersions: ["v1"],
    clientConfig: {
      service: { namespace, name, path: webhook.path, port },
      ...(caBundle === undefined ? {} : { caBundle: Buffer.from(caBundle).toString("base64") }),
    },
    rules: webhook.rules.map((rule) => ({ scope: "*", ...rule })),
    failurePolicy,
    matchPolicy,
    sideEffects,
    timeoutSeconds,
    namespaceSelector,
    objectSelector,
    matchConditions,
    ...(webhook.type === "mutating" ? { reinvocationPolicy: webhook.reinvocationPolicy } : {}),
  };
}

/** Fields that are compared. A later Kubernetes may fill in others, which are left as they are. */
const FIELDS = [
  "admissionReviewVersions",
  "clientConfig",
  "rules",
  "failurePolicy",
  "matchPolicy",
  "sideEffects",
  "timeoutSeconds",
  "namespaceSelector",
  "objectSelector",
  "matchConditions",
  "reinvocationPolicy",
] as const;

/** When a configuration is as it is to be. A server without a bundle of its own leaves that to others. */
export const CONFIGURATION_COMPARISON: Comparison<WebhookConfiguration> = {
  differences(wanted, found) {
    const [wish, present] = [wanted.webhooks ?? [], found.webhooks ?? []];
    if (wish.length !== present.length || wish.some(({ name }, index) => present[index]?.name !== name)) return ["webhooks"];
    return wish.flatMap((webhook, index) =>
      FIELDS.filter((field) => !isEqual(field, webhook, present[index] ?? webhook)).map((field) => `${webhook.name}: ${field}`),
    );
  },
  merge(wanted, found) {
    const bundles = new Map(found.webhooks?.map(({ name, clientConfig }) => [name, clientConfig.caBundle]));
    return { ...wanted, webhooks: (wanted.webhooks ?? []).map((webhook) => withBundle(webhook, bundles.get(webhook.name))) };
  },
};

function isEqual(field: (typeof FIELDS)[number], wanted: RegisteredWebhook, found: RegisteredWebhook): boolean {
  if (field === "clientConfig") return jsonEquals(withBundle(wanted, found.clientConfig.caBundle).clientConfig, found.clientConfig);
  return jsonEquals(orAbsent(wanted[field]), orAbsent(found[field]));
}

function withBundle(webhook: RegisteredWebhook, found: string | undefined): RegisteredWebhook {
  const { caBundle = found } = webhook.clientConfig;
  return { ...webhook, clientConfig: { ...webhook.clientConfig, ...(caBundle === undefined ? {} : { caBundle }) } };
}

/** An empty list is not kept by the kube-apiserver. */
const orAbsent = (value: unknown): unknown => (Array.isArray(value) && value.length === 0 ? undefined : (value ?? undefined));
