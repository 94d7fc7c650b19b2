import { type AuthorizationAnswers, forbidden, type KubernetesObject } from "@annex/apimachinery";
import type { AdmissionAttributes, AdmissionContext, Logger } from "@annex/apiserver";
import { logAnnotations } from "../audit.ts";
import { admissionInput, type VersionedObjects } from "../matching/admission-input.ts";
import { conditionsMatch } from "../matching/match-conditions.ts";
import { ruleMatches } from "../matching/rule.ts";
import { type NamespaceReader, namespaceSelected, objectsSelected } from "../matching/selectors.ts";
import { equivalentVersions, type WriteVersions } from "../matching/write-versions.ts";
import type { Webhook } from "./configuration.ts";
import { dryRunUnsupported, WebhookCallError, webhookRefusal } from "./errors.ts";
import { createReview, type ReviewAnswer, readAnswer } from "./review.ts";
import type { WebhookClient } from "./webhook-client.ts";

/** A write, while webhooks are asked about it. */
export interface AskedWrite {
  readonly attributes: AdmissionAttributes;
  readonly context: AdmissionContext;
  readonly versions: WriteVersions;
  readonly authorizer: AuthorizationAnswers;
  /** As it is now, in whatever version the last webhook saw it. Undefined in a deletion. */
  readonly object: KubernetesObject | undefined;
}

/** What mutating and validating webhooks have in common: which of them are asked, and how. */
export class WebhookCalls {
  readonly #client: WebhookClient;
  readonly #namespaces: NamespaceReader;
  readonly #log: Logger;

  constructor(options: { readonly client: WebhookClient; readonly namespaces: NamespaceReader; readonly log: Logger }) {
    this.#client = options.client;
    this.#namespaces = options.namespaces;
    this.#log = options.log;
  }

  /**
   * Whether a webhook is about a write.
   *
   * @returns the version in which it is to see the objects; undefined when it is not asked.
   * @throws {APIError} when nobody can tell.
   * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/generic, ShouldCallHook.
   */
  async versionFor(webhook: Webhook, write: AskedWrite): Promise<VersionedObjects | undefined> {
    const { attributes, context, object } = write;
    const version = matchingVersion(webhook, attributes);
    if (version === undefined || !objectsSelected(webhook.objects, [object, attributes.previous])) return undefined;
    if (!(await namespaceSelected(webhook.namespaces, attributes.namespace, this.#namespaces, context.signal))) return undefined;
    const objects = { version, object: write.versions.in(version, object), previous: write.versions.in(version, attributes.previous) };
    if (webhook.conditions.length === 0) return objects;
    const input = { ...admissionInput(attributes, objects, context), authorizer: write.authorizer };
    const { matches, error } = await conditionsMatch(webhook.conditions, webhook.failurePolicy, input);
    if (error !== undefined) throw forbidden(attributes.resource, attributes.name, error);
    return matches ? objects : undefined;
  }

  /**
   * Asks a webhook.
   *
   * @returns its consent.
   * @throws {WebhookCallError} when it could not be asked, or answered nonsense.
   * @throws {APIError} its refusal.
   */
  async ask(webhook: Webhook, objects: VersionedObjects, { attributes, context }: AskedWrite, isMutating: boolean): Promise<ReviewAnswer> {
    if (context.isDryRun && webhook.sideEffects !== "None" && webhook.sideEffects !== "NoneOnDryRun") throw dryRunUnsupported(webhook.name);
    const review = createReview(webhook, attributes, objects, context);
    const answer = readAnswer(webhook.name, review, await this.#client.call(webhook, review.body, context.signal), isMutating);
    logAnnotations(this.#log, attributes, webhook.name, Object.entries(answer.auditAnnotations));
    for (const warning of answer.warnings) context.warn(warning);
    if (!answer.isAllowed) throw webhookRefusal(webhook.name, answer.status);
    return answer;
  }

  /**
   * What is done about a webhook that failed: nothing where its failure policy says so.
   *
   * @throws {APIError} otherwise.
   */
  failed(webhook: Webhook, error: unknown): void {
    if (!(error instanceof WebhookCallError)) throw error;
    const isIgnored = webhook.failurePolicy === "Ignore";
    this.#log.warn(
      { err: error, webhook: webhook.uid },
      isIgnored
        ? "a webhook of the cluster could not be asked: the write goes on"
        : "a webhook of the cluster could not be asked: the write is refused",
    );
    if (!isIgnored) throw error.toAPIError();
  }
}

/** The version of the first rule that is about the write; where the webhook wants equivalents, that of another version of the same objects. */
function matchingVersion({ rules, matchesEquivalents }: Webhook, attributes: AdmissionAttributes): string | undefined {
  const { version } = attributes;
  if (rules.some((rule) => ruleMatches(rule, attributes, version))) return version;
  if (!matchesEquivalents) return undefined;
  const others = equivalentVersions(attributes);
  for (const rule of rules) {
    const other = others.find((one) => ruleMatches(rule, attributes, one));
    if (other !== undefined) return other;
  }
  return undefined;
}
