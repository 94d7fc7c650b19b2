import { conflict, type KubernetesObject } from "@annex/apimachinery";
import { forbiddenError } from "../authorization/forbidden-message.ts";
import type { Resource } from "../definition/resource.ts";
import type { RequestContext, UpdateInput } from "./verbs.ts";

/** Who may update may not therefore create. @throws {APIError} `Forbidden`. Source: k8s.io/apiserver endpoints/handlers, withAuthorization. */
export async function requireCreate(resource: Resource, { target, version }: UpdateInput, context: RequestContext): Promise<void> {
  const { group, resource: plural } = resource;
  const { user } = context;
  const attributes = { type: "resource", user, verb: "create", group, version, resource: plural, subresource: "", ...target } as const;
  const { decision, reason } = await context.authorizer.authorize(attributes, context);
  if (decision !== "Allow") throw forbiddenError(attributes, reason);
}

/** An apply that means an object by its uid creates no other. @throws {APIError} `Conflict`. Source: k8s.io/apiserver endpoints/handlers, patcher. */
export function checkNewUID(resource: Resource, { metadata: { name = "", uid } }: KubernetesObject): void {
  if (uid) throw conflict(resource, name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
}
