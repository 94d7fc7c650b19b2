import type { Resource } from "../definition/resource.ts";
import type { ResourceVerbs } from "../registry/verbs.ts";

/** A kind and what it can do: what discovery, OpenAPI and the router are made of. */
export interface ServedResource {
  readonly resource: Resource;
  readonly verbs: ResourceVerbs;
}

/** The verbs as discovery names them, sorted. */
export function verbNames({ verbs }: ServedResource): string[] {
  const names: string[] = [];
  if (verbs.create !== undefined) names.push("create");
  if (verbs.delete !== undefined) names.push("delete");
  if (verbs.deleteCollection !== undefined) names.push("deletecollection");
  if (verbs.get !== undefined) names.push("get");
  if (verbs.list !== undefined) names.push("list");
  if (verbs.update !== undefined) names.push("patch", "update");
  if (verbs.watch !== undefined) names.push("watch");
  return names;
}
