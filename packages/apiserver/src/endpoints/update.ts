import { badRequest, type KubernetesObject, methodNotAllowed } from "@annex/apimachinery";
import { withoutDuplicateOwners } from "../registry/metadata.ts";
import { inNamespace } from "./create.ts";
import { decodeObjectBody } from "./decode-body.ts";
import type { APIResponse } from "./http.ts";
import { parseWriteQuery } from "./options.ts";
import { negotiateWrite, respondView } from "./represent.ts";
import type { RequestState } from "./request-state.ts";
import type { Target } from "./target.ts";

/** PUT of an object, or of its status. */
export async function serveUpdate(state: RequestState, target: Target): Promise<APIResponse> {
  const { verbs, namespace, info, version } = target;
  if (verbs.update === undefined || info.name === "") throw methodNotAllowed();
  const negotiated = negotiateWrite(state, target, "object");
  const query = parseWriteQuery(state.query, "UpdateOptions", state.request.headers["user-agent"]);
  const sent = inNamespace(await decodeObjectBody(state, target, query.fieldValidation), target);
  const object = withoutDuplicateOwners(sent, (text) => state.warn(text), "sent");
  checkName(object, info.name);
  const { view, isCreated } = await verbs.update(
    {
      version: version.name,
      target: { namespace, name: info.name },
      isDryRun: query.isDryRun,
      fieldManager: { manager: query.manager, subresource: info.subresource },
      sentOptions: query.sent,
      isPatch: false,
      transform: () => object,
    },
    state,
  );
  return respondView(state, target, negotiated, view, isCreated ? 201 : 200);
}

/** @throws {APIError} `BadRequest` for an object of another name than that of the path. Source: k8s.io/apiserver endpoints/handlers, checkName. */
export function checkName({ metadata }: KubernetesObject, name: string): void {
  if (!metadata.name) throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (metadata.name !== name) throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
}
