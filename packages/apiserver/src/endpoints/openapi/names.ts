import type { Resource } from "../../definition/resource.ts";

const META_PREFIX = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/** The name of a definition of meta/v1: `ObjectMeta`, `Status` … */
export function metaName(type: string): string {
  return `${META_PREFIX}${type}`;
}

/** Whether a name is that of a definition of meta/v1. */
export function isMetaName(name: string): boolean {
  return name.startsWith(META_PREFIX);
}

/** A type outside of meta/v1 that WatchEvent refers to. */
export const RAW_EXTENSION_NAME = "io.k8s.apimachinery.pkg.runtime.RawExtension";
export const VERSION_INFO_NAME = "io.k8s.apimachinery.pkg.version.Info";

/**
 * The name of a kind's definition: `com.example.wardle.v1alpha1.Flunder`. Built-in kinds have the names that they have in Kubernetes:
 * `io.k8s.api.core.v1.Secret`.
 *
 * @param kind the resource's kind, or the kind of its lists.
 * Source: apiextensions-apiserver/pkg/controller/openapi/builder, gvkToModelName.
 */
export function definitionName({ group, isBuiltIn }: Pick<Resource, "group" | "isBuiltIn">, version: string, kind: string): string {
  const [firstLabel = "", ...rest] = group.split(".");
  if (group === "") return `io.k8s.api.core.${version}.${kind}`;
  if (isBuiltIn && (rest.length === 0 || group.endsWith(".k8s.io"))) return `io.k8s.api.${firstLabel}.${version}.${kind}`;
  return `${[firstLabel, ...rest].reverse().join(".")}.${version}.${kind}`;
}

/** The path under which a version is served, without a trailing slash. */
export function groupVersionPath(group: string, version: string): string {
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}

/** What stands for a group, or a group's version, inside of operation ids: `WardleExampleComV1alpha1`, `CoreV1`. */
export function operationInfix(group: string, version = ""): string {
  return camelCase(groupWords(group), true) + camelCase(version, true);
}

/** The tag of the operations of a group, or of a group's version: `wardleExampleCom_v1alpha1`, `core_v1`. */
export function operationTag(group: string, version?: string): string {
  const tag = camelCase(groupWords(group), false);
  return version === undefined ? tag : `${tag}_${camelCase(version, false)}`;
}

/** Source: k8s.io/apiserver/pkg/endpoints/openapi, GetOperationIDAndTags. */
function groupWords(group: string): string {
  return group === "" ? "core" : group.replace(/\.k8s\.io$/, "");
}

/** Joins the words of a name, whatever stands between them. Source: k8s.io/apiserver/pkg/endpoints/openapi, ToValidOperationID. */
function camelCase(text: string, isCapitalized: boolean): string {
  const words = text.split(/[^A-Za-z0-9_]+/);
  return words.map((word, i) => (i > 0 || isCapitalized ? word.charAt(0).toUpperCase() + word.slice(1) : word)).join("");
}
