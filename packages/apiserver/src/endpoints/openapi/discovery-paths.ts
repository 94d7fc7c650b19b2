import type { ServedGroup, ServedGroupVersion } from "../discovery/index.ts";
import type { Operation, PathItem } from "./model.ts";
import { groupVersionPath, metaName, operationInfix, operationTag, VERSION_INFO_NAME } from "./names.ts";
import { PRODUCES } from "./resource-paths.ts";

const JSON_ALONE: readonly string[] = ["application/json"];
/** Nothing is sent, but Kubernetes says so. */
const CONSUMES: readonly string[] = [...PRODUCES, "application/vnd.kubernetes.protobuf"];

function item(path: string, tag: string, id: string, description: string, schema: string, produces = PRODUCES, consumes = CONSUMES): PathItem {
  const get: Operation = { method: "get", id, tag, description, parameters: [], responses: [{ code: 200, schema }], consumes, produces };
  return { path, operations: [get] };
}

/** `/api/`, which is there if anything is served in the core group. */
export const coreVersionsPath = (): PathItem => item("/api/", "core", "getCoreAPIVersions", "get available API versions", metaName("APIVersions"));

/** `/apis/`. */
export const groupsPath = (): PathItem => item("/apis/", "apis", "getAPIVersions", "get available API versions", metaName("APIGroupList"));

/** `/version/`. */
export const versionPath = (): PathItem =>
  item("/version/", "version", "getCodeVersion", "get the version information for this server", VERSION_INFO_NAME, JSON_ALONE, JSON_ALONE);

/** `/apis/GROUP/`. */
export function groupPath({ name }: ServedGroup): PathItem {
  return item(`/apis/${name}/`, operationTag(name), `get${operationInfix(name)}APIGroup`, "get information of a group", metaName("APIGroup"));
}

/** `/api/v1/` and `/apis/GROUP/VERSION/`. */
export function resourcesPath({ group, version }: ServedGroupVersion): PathItem {
  const id = `get${operationInfix(group, version)}APIResources`;
  return item(`${groupVersionPath(group, version)}/`, operationTag(group, version), id, "get available resources", metaName("APIResourceList"));
}
