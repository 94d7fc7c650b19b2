import { APIError, internalError, type JSONPatchOperation, jsonEquals, jsonPatchFault, type KubernetesObject, quoteGo } from "@annex/apimachinery";
import type { AdmissionAttributes, AdmissionContext, AdmissionPlugin, Authorizer, Reinvocation, Resource } from "@annex/apiserver";
import { isExempt } from "../exempt.ts";
import { authorizationAnswers } from "../matching/authorization.ts";
import { asJSON, defaulted, objectVersion, patchedObject } from "../matching/patched-object.ts";
import { MutationRounds } from "../matching/rounds.ts";
import { WriteVersions } from "../matching/write-versions.ts";
import type { WatchedConfigurations } from "../watched-configurations.ts";
import type { Webhook } from "./configuration.ts";
import type { AskedWrite, WebhookCalls } from "./webhook-calls.ts";

export interface WebhooksOptions {
  readonly configurations: WatchedConfigurations<readonly Webhook[]>;
  readonly calls: WebhookCalls;
  readonly authorizer: Authorizer;
}

/**
 * Asks the cluster's mutating webhooks, one after the other in the order of their configurations' names.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/mutating/dispatcher.go.
 */
export function mutatingWebhooks({ configurations, calls, authorizer }: WebhooksOptions): AdmissionPlugin {
  const askAll = async (attributes: AdmissionAttributes, context: AdmissionContext, rounds: MutationRounds, reinvocation?: Reinvocation) => {
    const versions = new WriteVersions(attributes);
    let write: AskedWrite = {
      attributes,
      context,
      versions,
      authorizer: authorizationAnswers(authorizer, context.signal),
      object: attributes.object,
    };
    for (const webhook of configurations.all.flat()) {
      const objects = await calls.versionFor(webhook, write);
      if (objects === undefined || (reinvocation?.isReinvocation === true && !rounds.isAskedAgain(webhook.uid))) continue;
      const before = objects.object ?? undefined;
      let patched: Patched | undefined;
      try {
        const { patch } = await calls.ask(webhook, objects, write, true);
        patched = applied(webhook, before, patch, attributes, objects.version);
      } catch (error) {
        calls.failed(webhook, error);
      }
      if (patched?.isChanged === true) {
        rounds.changed();
        reinvocation?.request();
      }
      if (webhook.isReinvoked) rounds.asked(webhook.uid);
      if (patched !== undefined) write = { ...write, object: patched.object };
    }
    const { object } = write;
    return object === attributes.object ? object : (versions.in(attributes.version, object) ?? undefined);
  };
  const plugin: AdmissionPlugin = {
    name: "MutatingAdmissionWebhook",
    async mutate(attributes, context, reinvocation) {
      if (isExempt(attributes.resource)) return attributes.object;
      await configurations.whenReady(attributes, context.signal);
      const rounds = reinvocation.memory(plugin, () => new MutationRounds());
      if (reinvocation.isReinvocation) rounds.begin(attributes.object);
      const object = (await askAll(attributes, context, rounds, reinvocation)) ?? attributes.object;
      rounds.output = object;
      return object;
    },
    async beforeDeletion(attributes, context) {
      if (isExempt(attributes.resource)) return;
      await configurations.whenReady(attributes, context.signal);
      await askAll(attributes, context, new MutationRounds());
    },
  };
  return plugin;
}

interface Patched {
  readonly object: KubernetesObject;
  readonly isChanged: boolean;
}

/**
 * What a webhook's patch makes of the object that it was shown.
 *
 * @returns undefined when there is nothing to do.
 * @throws {APIError} `InternalError` for a patch that cannot be applied, or makes no object of it: also where the webhook's failures are ignored.
 */
function applied(
  { name }: Webhook,
  object: KubernetesObject | undefined,
  patch: readonly JSONPatchOperation[],
  attributes: AdmissionAttributes,
  version: string,
): Patched | undefined {
  if (patch.length === 0) return undefined;
  if (object === undefined)
    throw internalError(`admission webhook ${quoteGo(name)} attempted to modify the object, which is not supported for this operation`);
  const patched = tried(object, patch, attributes.resource);
  return { object: defaulted(patched, objectVersion(attributes, version)), isChanged: !jsonEquals(asJSON(object), asJSON(patched)) };
}

function tried(object: KubernetesObject, patch: readonly JSONPatchOperation[], resource: Resource): KubernetesObject {
  try {
    return patchedObject(object, patch, resource);
  } catch (error) {
    throw APIError.is(error, "InternalError") ? error : internalError(jsonPatchFault(error), error);
  }
}
