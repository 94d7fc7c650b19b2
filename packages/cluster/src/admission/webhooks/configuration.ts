import { type AdmissionExpression, compileAdmissionExpression, type KubernetesObject, type LabelSelectorObject } from "@annex/apimachinery";
import { compileConditions, type FailurePolicy, type MatchCondition } from "../matching/match-conditions.ts";
import type { Rule } from "../matching/rule.ts";
import { type CompiledSelector, compileSelector } from "../matching/selectors.ts";

/** Where a webhook is. Source: admissionregistration/v1 WebhookClientConfig. */
export interface WebhookClientConfig {
  readonly url?: string;
  readonly service?: { readonly namespace: string; readonly name: string; readonly path?: string; readonly port?: number };
  /** PEM in base64. */
  readonly caBundle?: string;
}

/** One webhook of a configuration. Source: admissionregistration/v1 MutatingWebhook, ValidatingWebhook. */
interface WebhookObject {
  readonly name: string;
  readonly clientConfig: WebhookClientConfig;
  readonly rules?: readonly Rule[];
  readonly failurePolicy?: string;
  readonly matchPolicy?: string;
  readonly namespaceSelector?: LabelSelectorObject;
  readonly objectSelector?: LabelSelectorObject;
  readonly sideEffects?: string;
  readonly timeoutSeconds?: number;
  readonly admissionReviewVersions?: readonly string[];
  readonly reinvocationPolicy?: string;
  readonly matchConditions?: readonly MatchCondition[];
}

/** A webhook as it is asked: compiled. */
export interface Webhook {
  /** Names are given once in a configuration, but nobody sees to it. */
  readonly uid: string;
  readonly name: string;
  readonly configuration: string;
  readonly client: WebhookClientConfig;
  readonly rules: readonly Rule[];
  readonly failurePolicy: FailurePolicy;
  readonly matchesEquivalents: boolean;
  readonly namespaces: CompiledSelector;
  readonly objects: CompiledSelector;
  readonly conditions: readonly AdmissionExpression[];
  readonly sideEffects: string | undefined;
  readonly timeoutMs: number;
  readonly reviewVersions: readonly string[];
  readonly isReinvoked: boolean;
}

/** The default of the API, which is in every object that it gives. */
const DEFAULT_TIMEOUT_S = 10;
const MAX_TIMEOUT_S = 30;

/** The webhooks of a MutatingWebhookConfiguration or ValidatingWebhookConfiguration, in their order. */
export function compileWebhooks({ metadata: { name: configuration = "" }, webhooks }: KubernetesObject): readonly Webhook[] {
  // Objects of the cluster, whose API has checked them.
  const objects = (webhooks ?? []) as readonly WebhookObject[];
  const seen = new Map<string, number>();
  return objects.map((object) => {
    const count = seen.get(object.name) ?? 0;
    seen.set(object.name, count + 1);
    return { ...compileWebhook(object), uid: `${configuration}/${object.name}/${count}`, configuration };
  });
}

function compileWebhook(object: WebhookObject): Omit<Webhook, "uid" | "configuration"> {
  const { timeoutSeconds = DEFAULT_TIMEOUT_S } = object;
  return {
    name: object.name,
    client: object.clientConfig,
    rules: object.rules ?? [],
    failurePolicy: object.failurePolicy === "Ignore" ? "Ignore" : "Fail",
    matchesEquivalents: object.matchPolicy === "Equivalent",
    namespaces: compileSelector(object.namespaceSelector),
    objects: compileSelector(object.objectSelector),
    conditions: compileConditions(object.matchConditions, (text, types) => compileAdmissionExpression(text, { hasAuthorizer: true }, types)),
    sideEffects: object.sideEffects,
    timeoutMs: Math.min(timeoutSeconds, MAX_TIMEOUT_S) * 1000,
    reviewVersions: object.admissionReviewVersions ?? [],
    isReinvoked: object.reinvocationPolicy === "IfNeeded",
  };
}
