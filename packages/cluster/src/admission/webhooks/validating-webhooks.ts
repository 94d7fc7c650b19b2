import type { AdmissionPlugin } from "@annex/apiserver";
import { isExempt } from "../exempt.ts";
import type { VersionedObjects } from "../matching/admission-input.ts";
import { authorizationAnswers } from "../matching/authorization.ts";
import { WriteVersions } from "../matching/write-versions.ts";
import type { Webhook } from "./configuration.ts";
import type { WebhooksOptions } from "./mutating-webhooks.ts";
import type { AskedWrite } from "./webhook-calls.ts";

/**
 * Asks the cluster's validating webhooks, all at the same time. All are waited for; who refuses first is heard.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/validating/dispatcher.go.
 */
export function validatingWebhooks({ configurations, calls, authorizer }: WebhooksOptions): AdmissionPlugin {
  return {
    name: "ValidatingAdmissionWebhook",
    async validate(attributes, context) {
      if (isExempt(attributes.resource)) return;
      await configurations.whenReady(attributes, context.signal);
      const { object } = attributes;
      const answers = authorizationAnswers(authorizer, context.signal);
      const write: AskedWrite = { attributes, context, versions: new WriteVersions(attributes), authorizer: answers, object };
      const asked: { readonly webhook: Webhook; readonly objects: VersionedObjects }[] = [];
      for (const webhook of configurations.all.flat()) {
        const objects = await calls.versionFor(webhook, write);
        if (objects !== undefined) asked.push({ webhook, objects });
      }
      const refusals: unknown[] = [];
      await Promise.all(
        asked.map(async ({ webhook, objects }) => {
          try {
            await calls.ask(webhook, objects, write, false).catch((error: unknown) => calls.failed(webhook, error));
          } catch (error) {
            refusals.push(error);
          }
        }),
      );
      context.signal.throwIfAborted();
      if (refusals.length > 0) throw refusals[0];
    },
  };
}
