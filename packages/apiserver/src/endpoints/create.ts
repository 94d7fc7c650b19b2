import { type KubernetesObject, methodNotAllowed } from "@annex/apimachinery";
import { inRequestNamespace, withoutDuplicateOwners } from "../registry/metadata.ts";
import { bodyFormat, decodeObjectBody } from "./decode-body.ts";
import type { APIResponse } from "./http.ts";
import { parseWriteQuery } from "./options.ts";
import { negotiateWrite, respondView } from "./represent.ts";
import type { RequestState } from "./request-state.ts";
import type { Target } from "./target.ts";

/** POST to a collection, or to a subresource of an object. */
export async function serveCreate(state: RequestState, target: Target): Promise<APIResponse> {
  const { verbs, namespace, parent, version, info } = target;
  const isOfObject = info.name !== "" && info.subresource === "";
  if (verbs.create === undefined || isOfObject || (parent.isNamespaced && namespace === "")) throw methodNotAllowed();
  const negotiated = negotiateWrite(state, target, "object");
  bodyFormat(state, target.resource); // unlike an update, a create tells of the media type before it tells of its options
  const query = parseWriteQuery(state.query, "CreateOptions", state.request.headers["user-agent"]);
  const sent = await decodeObjectBody(state, target, query.fieldValidation);
  const object = withoutDuplicateOwners(inNamespace(sent, target), (text) => state.warn(text), "sent");
  const view = await verbs.create(
    {
      version: version.name,
      namespace,
      name: info.name,
      object,
      isDryRun: query.isDryRun,
      fieldManager: { manager: query.manager, subresource: info.subresource },
      sentOptions: query.sent,
    },
    state,
  );
  return respondView(state, target, negotiated, view, 201);
}

/**
 * The object in the namespace of the path.
 *
 * @throws {APIError} `BadRequest` when it names another one. Source: rest.EnsureObjectNamespaceMatchesRequestNamespace.
 */
export function inNamespace(object: KubernetesObject, { parent, namespace }: Target): KubernetesObject {
  return inRequestNamespace(object, parent, namespace);
}
