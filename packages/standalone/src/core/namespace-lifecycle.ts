import { APIError, forbidden, type KubernetesObject, notFound } from "@annex/apimachinery";
import type { AdmissionPlugin, RequestContext, ResourceVerbs, WriteContext } from "@annex/apiserver";

/**
 * Refuses what is created in a namespace that is not there, or is being deleted.
 *
 * @param namespaces the verbs of core namespaces; asked for each write, since they are there only once all kinds are defined.
 * Source: k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle.
 */
export function namespaceLifecycle(namespaces: () => ResourceVerbs): AdmissionPlugin {
  return {
    name: "NamespaceLifecycle",
    async mutate({ operation, resource, namespace, object }, context) {
      if (operation !== "CREATE" || !resource.isNamespaced) return object;
      const found = await find(namespaces(), namespace, context);
      if (found.metadata.deletionTimestamp !== undefined || isTerminating(found)) throw terminating(resource, object, namespace);
      return object;
    },
  };
}

async function find(verbs: ResourceVerbs, name: string, context: WriteContext): Promise<KubernetesObject> {
  const request: RequestContext = { ...context, warn: () => undefined };
  const view = await verbs.get?.({ namespace: "", name }, { type: "MostRecent" }, request);
  if (view === undefined) throw notFound({ group: "", resource: "namespaces" }, name);
  return view.object;
}

function isTerminating({ status }: KubernetesObject): boolean {
  return (status as { readonly phase?: string } | undefined)?.phase === "Terminating";
}

function terminating(resource: Parameters<typeof forbidden>[0], { metadata }: KubernetesObject, namespace: string): APIError {
  const refusal = forbidden(resource, metadata.name ?? "", `unable to create new content in namespace ${namespace} because it is being terminated`);
  const cause = { reason: "NamespaceTerminating", message: `namespace ${namespace} is being terminated`, field: "metadata.namespace" } as const;
  return new APIError("Forbidden", refusal.message, { details: { ...refusal.details, causes: [cause] } });
}
