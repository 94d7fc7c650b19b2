import type { KubernetesObject, ObjectName } from "@annex/apimachinery";
import { LOOPBACK, type UserInfo } from "../authentication/user-info.ts";
import type { Resource, ResourceVersion } from "../definition/resource.ts";
import type { ObjectView } from "../object-view.ts";
import type { Visibility } from "./object-store.ts";
import type { Selection } from "./verbs.ts";

/** Something that selectors can be asked of without decoding it, where that is possible. */
export interface Selectable extends ObjectView {
  readonly labels?: Readonly<Record<string, string>>;
}

type Check = ((view: Selectable) => boolean) | undefined;

/** Compiles what a request may and wants to see; undefined when it is everything. */
export function matcherOf(resource: Resource, selection: Selection, visible: Visibility): Check {
  const { labelSelector, fieldSelector } = selection;
  const checks: NonNullable<Check>[] = [];
  if (!fieldSelector.isEmpty) checks.push((view) => fieldSelector.matches((field) => fieldOf(resource, view, field)));
  if (!labelSelector.isEmpty) checks.push((view) => labelSelector.matches(view.labels ?? view.object.metadata.labels));
  const knows = knowableOf(selection, visible);
  if (knows !== undefined) checks.push(knows);
  return allOf(checks);
}

/**
 * What of a resource there is for a request, whatever its selectors leave out; undefined when it is everything. A page says that there is another one when something of it
 * follows: to find out whether any of that is selected is what the next page is for.
 */
export function knowableOf({ filter }: Selection, visible: Visibility): Check {
  const checks: NonNullable<Check>[] = [];
  if (filter !== undefined) checks.push(filter.matches);
  if (visible !== undefined) checks.push((view) => visible(view.object));
  return allOf(checks);
}

function allOf(checks: readonly NonNullable<Check>[]): Check {
  if (checks.length < 2) return checks[0];
  return (view) => checks.every((check) => check(view));
}

/**
 * Whether a list may say how many objects remain: a count of what a selector leaves out would be wrong, and of what nobody may see would tell.
 * Source: API concepts, remainingItemCount.
 */
export function isCounted({ labelSelector, fieldSelector, filter }: Selection, visible: Visibility): boolean {
  return labelSelector.isEmpty && fieldSelector.isEmpty && visible === undefined && filter?.isCounted !== false;
}

/** The only object that a selection can mean, whether it is there or not; undefined where it can mean several. Source: k8s.io/apiserver registry/generic, ListPredicate. */
export function singleOf(resource: Resource, selection: Pick<Selection, "namespace" | "fieldSelector">): ObjectName | undefined {
  const { fieldSelector } = selection;
  const name = fieldSelector.requiredValue("metadata.name") ?? "";
  const namespace = selection.namespace || (fieldSelector.requiredValue("metadata.namespace") ?? "");
  return name === "" || (namespace === "" && resource.isNamespaced) ? undefined : { namespace, name };
}

/** Whether a compiled-in kind says nothing of its own about field selectors: what goes for metadata goes for it. Source: apimachinery runtime.DefaultMetaV1FieldSelectorConversion. */
export function selectsByMetadataAlone({ isBuiltIn, selectableFields }: Resource): boolean {
  return isBuiltIn && selectableFields.size === 0;
}

/** The field names that a fieldSelector may use in a version, as messages list them. */
export function selectableFieldNames(resource: Resource, { selectableFields }: ResourceVersion): string[] {
  const hasNamespace = resource.isNamespaced || selectsByMetadataAlone(resource);
  return ["metadata.name", ...(hasNamespace ? ["metadata.namespace"] : []), ...selectableFields];
}

function fieldOf(resource: Resource, view: ObjectView, field: string): string {
  if (field === "metadata.name") return view.name;
  if (field === "metadata.namespace") return view.namespace;
  return resource.selectableFields.get(field)?.(view.object) ?? "";
}

/** Who may know of which objects of a resource: undefined when of all. The server itself is no user: it empties namespaces, and collects what has no owner. */
export function visibilityFor(resource: Resource, user: UserInfo): Visibility {
  const { visibleTo } = resource.hooks;
  return visibleTo === undefined || user === LOOPBACK ? undefined : (object: KubernetesObject) => visibleTo({ object, user });
}
