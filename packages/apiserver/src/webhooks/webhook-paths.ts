import type { Authorizer, Decision } from "../authorization/authorizer.ts";
import { NO_OPINION } from "../authorization/authorizer.ts";
import type { AdmissionWebhook } from "./admission-webhook.ts";

const ALLOWED: Decision = { decision: "Allow", reason: "allowed to everyone: an admission webhook" };

/**
 * Lets everyone `post` to the very paths of these webhooks, and nothing else: a kube-apiserver calls webhooks anonymously, unless its administrator gave it credentials for each
 * (`kubeConfigFile` of WebhookAdmissionConfiguration).
 */
export function webhookPathsAuthorizer(webhooks: readonly Pick<AdmissionWebhook, "path">[]): Authorizer {
  const paths = new Set(webhooks.map(({ path }) => path));
  return {
    authorize: (attributes) => (attributes.type === "path" && attributes.verb === "post" && paths.has(attributes.path) ? ALLOWED : NO_OPINION),
  };
}
