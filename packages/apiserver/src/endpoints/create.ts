import { badRequest, type KubernetesObject, methodNotAllowed, OBJECT_OFFERS } from "@annex/apimachinery";
import { decodeObjectBody } from "./decode-body.ts";
import type { APIResponse } from "./http.ts";
import { parseWriteQuery } from "./options.ts";
import { negotiate, respondView } from "./represent.ts";
import type { RequestState } from "./request-state.ts";
import type { Target } from "./target.ts";

/** POST to a collection. */
export async function serveCreate(state: RequestState, target: Target): Promise<APIResponse> {
  const { verbs, namespace, resource, version } = target;
  if (verbs.create === undefined || target.info.name !== "" || (resource.isNamespaced && namespace === "")) throw methodNotAllowed();
  const negotiated = negotiate(state, target, OBJECT_OFFERS);
  const query = parseWriteQuery(state.query, "CreateOptions", state.request.headers["user-agent"]);
  const sent = await decodeObjectBody(state, target, query.fieldValidation);
  const object = inNamespace(sent, target);
  const view = await verbs.create(
    { version: version.name, namespace, object, isDryRun: query.isDryRun, fieldManager: { manager: query.manager, subresource: "" } },
    state.context(),
  );
  return respondView(state, target, negotiated, view, 201);
}

/**
 * The object in the namespace of the path.
 *
 * @throws {APIError} `BadRequest` when it names another one. Source: rest.EnsureObjectNamespaceMatchesRequestNamespace.
 */
export function inNamespace(object: KubernetesObject, { resource, namespace }: Target): KubernetesObject {
  const { namespace: sent, ...rest } = object.metadata;
  // A cluster-scoped object has none; one that was sent is forgotten.
  if (!resource.isNamespaced) return sent === undefined ? object : { ...object, metadata: rest };
  if (sent && sent !== namespace) throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  return { ...object, metadata: { ...object.metadata, namespace } };
}
