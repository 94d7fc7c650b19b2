import type { Resource, ResourceVersion } from "../definition/resource.ts";
import type { ResourceVerbs } from "../registry/verbs.ts";
import type { ResourceRequestInfo } from "./request-info.ts";

/** What a resource request is routed to. */
export interface Target {
  readonly info: ResourceRequestInfo;
  readonly resource: Resource;
  /** The version of the path. */
  readonly version: ResourceVersion;
  readonly verbs: ResourceVerbs;
  /** The namespace of the path; `""` where there is none, also for the kind `Namespace` itself. */
  readonly namespace: string;
}
