import type { Resource, ResourceVersion } from "../definition/resource.ts";
import type { ResourceVerbs } from "../registry/verbs.ts";
import type { ResourceRequestInfo } from "./request-info.ts";

/** What a resource request is routed to. */
export interface Target {
  readonly info: ResourceRequestInfo;
  /** The kind of the path. */
  readonly parent: Resource;
  /** The version of the path. */
  readonly parentVersion: ResourceVersion;
  /** The kind of the objects that come and go; {@link parent}, but for subresources with a kind of their own. */
  readonly resource: Resource;
  /** The version of these objects; {@link parentVersion}, but for such subresources. */
  readonly version: ResourceVersion;
  readonly verbs: ResourceVerbs;
  /** The namespace of the path; `""` where there is none, also for the kind `Namespace` itself. */
  readonly namespace: string;
}
