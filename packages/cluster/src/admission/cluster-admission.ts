import { APIError, type KubernetesObject } from "@annex/apimachinery";
import type { AdmissionPlugin, Authorizer, Clock, HealthCheck, Logger } from "@annex/apiserver";
import type { ClusterClient } from "../client/index.ts";
import type { ClusterNamespaces } from "../namespaces/cluster-namespaces.ts";
import { mutatingPolicies } from "./policies/mutating-policies.ts";
import { ParamKinds } from "./policies/param-kinds.ts";
import { compileBinding, compileMutatingPolicy, compileValidatingPolicy } from "./policies/policy.ts";
import { PolicySet } from "./policies/policy-set.ts";
import { validatingPolicies } from "./policies/validating-policies.ts";
import { WatchedConfigurations } from "./watched-configurations.ts";
import { compileWebhooks } from "./webhooks/configuration.ts";
import { mutatingWebhooks } from "./webhooks/mutating-webhooks.ts";
import { clusterDNSResolver, type ServiceResolver } from "./webhooks/service-resolver.ts";
import { validatingWebhooks } from "./webhooks/validating-webhooks.ts";
import { WebhookCalls } from "./webhooks/webhook-calls.ts";
import { createWebhookClient } from "./webhooks/webhook-client.ts";

export interface ClusterAdmissionOptions {
  /** Who may get, list and watch the configurations of admission. */
  readonly client: ClusterClient;
  readonly namespaces: Pick<ClusterNamespaces, "read">;
  /** What expressions ask. */
  readonly authorizer: Authorizer;
  /** How Services are found. Default: by the cluster's DNS. */
  readonly resolver?: ServiceResolver;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the cluster's administrators have to say about writes. */
export interface ClusterAdmission {
  /** In Go's order; to stand behind those that the server has itself. */
  readonly plugins: readonly AdmissionPlugin[];
  /** Fails until the configurations were read once. Until then writes wait, ten seconds at most, and are refused. */
  readonly ready: HealthCheck;
  /** Follows the cluster until the signal aborts, and then lets go of all connections. */
  run(signal: AbortSignal): Promise<void>;
}

type WatchedMore = { readonly isOptional?: boolean; readonly changed?: () => void };

const API = "/apis/admissionregistration.k8s.io/v1";

/** Has the admission webhooks of a cluster asked about the writes of this server, as its kube-apiserver does. */
export function clusterAdmission({
  client,
  namespaces,
  authorizer,
  resolver = clusterDNSResolver,
  clock,
  log,
}: ClusterAdmissionOptions): ClusterAdmission {
  const params = new ParamKinds({ client, clock, log });
  const watched = <Compiled>(resource: string, compile: (object: KubernetesObject) => Compiled, more: WatchedMore = {}) =>
    new WatchedConfigurations({ client, clock, log, path: `${API}/${resource}`, compile, ...more });
  const policiesMore = { isOptional: true, changed: () => params.changed() };
  const mutating = watched("mutatingwebhookconfigurations", compileWebhooks);
  const validating = watched("validatingwebhookconfigurations", compileWebhooks);
  const validatingSet = new PolicySet({
    policies: watched("validatingadmissionpolicies", compileValidatingPolicy, policiesMore),
    bindings: watched("validatingadmissionpolicybindings", compileBinding, policiesMore),
    params,
    namespaces: namespaces.read,
  });
  const mutatingSet = new PolicySet({
    policies: watched("mutatingadmissionpolicies", compileMutatingPolicy, policiesMore),
    bindings: watched("mutatingadmissionpolicybindings", compileBinding, policiesMore),
    params,
    namespaces: namespaces.read,
  });
  const all = [mutating, validating, validatingSet.policies, validatingSet.bindings, mutatingSet.policies, mutatingSet.bindings];
  const paramKinds = () => [...mutatingSet.paramKinds, ...validatingSet.paramKinds];
  const webhooks = createWebhookClient({ clock, resolver });
  const calls = new WebhookCalls({ client: webhooks, namespaces: namespaces.read, log });
  return {
    plugins: [
      mutatingPolicies({ set: mutatingSet, namespaces: namespaces.read, authorizer }),
      mutatingWebhooks({ configurations: mutating, calls, authorizer }),
      validatingPolicies({ set: validatingSet, namespaces: namespaces.read, authorizer, log }),
      validatingWebhooks({ configurations: validating, calls, authorizer }),
    ],
    ready: {
      name: "admission-configurations",
      check: () => {
        const missing = all.find(({ isReady }) => !isReady);
        if (missing !== undefined) throw new APIError("ServiceUnavailable", `${missing.path} of the cluster was not read yet`);
      },
    },
    async run(signal) {
      await Promise.all([...all.map((one) => one.run(signal)), params.run(paramKinds, signal)]);
      await webhooks[Symbol.asyncDispose]();
    },
  };
}
