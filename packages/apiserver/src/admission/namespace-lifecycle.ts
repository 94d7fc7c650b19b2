import { APIError, forbidden, type KubernetesObject, notFound } from "@annex/apimachinery";
import type { WriteContext } from "../definition/resource.ts";
import type { RequestContext, ResourceVerbs } from "../registry/verbs.ts";
import { type AdmissionPlugin, refusedName } from "./admission.ts";

/**
 * Refuses what is created in a namespace that is not there, or is being deleted, and the deletion of namespaces that the server needs.
 *
 * @param namespaces the verbs of core namespaces; asked for each write, since they are there only once all kinds are defined.
 * @param immortal the names of those that cannot be deleted, where they are served here.
 * Source: k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle.
 */
export function namespaceLifecycle(namespaces: () => ResourceVerbs, immortal: Iterable<string> = []): AdmissionPlugin {
  const kept = new Set(immortal);
  return {
    name: "NamespaceLifecycle",
    async mutate({ operation, resource, namespace, name, object }, context) {
      if (operation !== "CREATE" || !resource.isNamespaced) return object;
      const found = await find(namespaces(), namespace, context);
      if (found.metadata.deletionTimestamp !== undefined || isTerminating(found)) {
        throw terminating(resource, refusedName({ name, object }), namespace);
      }
      return object;
    },
    async validate({ operation, resource, name }) {
      const isNamespace = resource.group === "" && resource.resource === "namespaces";
      if (operation === "DELETE" && isNamespace && kept.has(name)) throw forbidden(resource, name, "this namespace may not be deleted");
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

function terminating(resource: Parameters<typeof forbidden>[0], name: string, namespace: string): APIError {
  const refusal = forbidden(resource, name, `unable to create new content in namespace ${namespace} because it is being terminated`);
  const cause = { reason: "NamespaceTerminating", message: `namespace ${namespace} is being terminated`, field: "metadata.namespace" } as const;
  return new APIError("Forbidden", refusal.message, { details: { ...refusal.details, causes: [cause] } });
}
