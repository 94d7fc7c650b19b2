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
