import type { GroupVersionKind } from "@annex/apimachinery";
import type { Resource } from "../../definition/resource.ts";
import { patchMediaTypes } from "../patch.ts";
import type { ServedResource, ServedSubresource } from "../served-resource.ts";
import type { Operation, Parameter, PathItem, RequestBody, Response } from "./model.ts";
import { definitionName, groupVersionPath, metaName, operationInfix, operationTag } from "./names.ts";
import {
  DELETE_COLLECTION_PARAMETERS,
  DELETE_PARAMETERS,
  GET_PARAMETERS,
  LIST_PARAMETERS,
  PATCH_PARAMETERS,
  PRETTY,
  pathParameters,
  WATCH_PARAMETERS,
  WRITE_PARAMETERS,
} from "./parameters.ts";

export const PRODUCES: readonly string[] = ["application/json", "application/yaml"];
const PRODUCES_STREAM: readonly string[] = [...PRODUCES, "application/json;stream=watch"];
/** What is said to be read: of compiled-in kinds whatever it is, of others JSON and YAML. */
const CONSUMES_ANYTHING: readonly string[] = ["*/*"];
const CONSUMES_TEXT: readonly string[] = PRODUCES;
const DELETE_BODY: RequestBody = { schema: metaName("DeleteOptions"), isRequired: false };

/** One version of a resource, and the words that its operations are made of. */
interface Subject {
  readonly served: ServedResource;
  readonly resource: Resource;
  readonly gvk: GroupVersionKind;
  readonly tag: string;
  readonly infix: string;
  /** `NamespacedFlunder`, or `Fischer`: as operation ids have it. */
  readonly scopedKind: string;
  readonly objectName: string;
  readonly listName: string;
}

/** What of an operation is particular to it. */
interface OperationFields {
  readonly verb: string;
  /** What follows the verb, the group and the version in the id. */
  readonly suffix: string;
  readonly action: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly responses: readonly Response[];
  readonly body?: RequestBody;
  readonly consumes?: readonly string[];
  readonly produces?: readonly string[];
}

/**
 * The paths of one version of a resource, with the operations whose verbs exist, and no others.
 *
 * Source: k8s.io/apiserver/pkg/endpoints, registerResourceHandlers; apiextensions-apiserver/pkg/controller/openapi/builder for parameters and media
 * types where compiled-in kinds and custom resources differ.
 */
export function resourcePaths(served: ServedResource, version: string): PathItem[] {
  const { resource } = served;
  const { group, kind, isNamespaced } = resource;
  const subject: Subject = {
    served,
    resource,
    gvk: { group, version, kind },
    tag: operationTag(group, version),
    infix: operationInfix(group, version),
    scopedKind: isNamespaced ? `Namespaced${kind}` : kind,
    objectName: definitionName(resource, version, kind),
    listName: definitionName(resource, version, resource.listKind),
  };
  const root = groupVersionPath(group, version);
  const place = isNamespaced ? `namespaces/{namespace}/${resource.resource}` : resource.resource;
  const collection = `${root}/${place}`;
  const items: PathItem[] = [
    { path: collection, operations: collectionOperations(subject, collection) },
    { path: `${collection}/{name}`, operations: objectOperations(subject, `${collection}/{name}`) },
    ...(served.subresources.get(version) ?? []).map((below) => subresourcePath(subject, below, `${collection}/{name}/${below.name}`)),
    ...(isNamespaced ? [allNamespaces(subject, `${root}/${resource.resource}`)] : []),
    ...watchPaths(subject, `${root}/watch`, place),
  ];
  return items.filter(({ operations }) => operations.length > 0);
}

function collectionOperations(subject: Subject, path: string): Operation[] {
  const { served, scopedKind, gvk } = subject;
  const { isBuiltIn } = subject.resource;
  const { verbs } = served;
  const operations: Operation[] = [];
  if (verbs.list !== undefined) operations.push(listOperation(subject, path, scopedKind));
  if (verbs.create !== undefined) operations.push(createOperation(subject, path, scopedKind, withArticle(gvk.kind)));
  if (verbs.deleteCollection !== undefined) {
    operations.push(
      operation(subject, "delete", path, {
        verb: "delete",
        suffix: `Collection${scopedKind}`,
        action: "deletecollection",
        description: `delete collection of ${gvk.kind}`,
        // Kubernetes tells of custom resources what is selected by, and nothing else.
        ...(isBuiltIn ? { parameters: DELETE_COLLECTION_PARAMETERS, body: DELETE_BODY } : { parameters: WATCH_PARAMETERS }),
        responses: responses(metaName("Status"), 200),
      }),
    );
  }
  return operations;
}

function allNamespaces(subject: Subject, path: string): PathItem {
  const isListed = subject.served.verbs.list !== undefined;
  return { path, operations: isListed ? [listOperation(subject, path, `${subject.gvk.kind}ForAllNamespaces`)] : [] };
}

function listOperation(subject: Subject, path: string, suffix: string): Operation {
  const isWatchable = subject.served.verbs.watch !== undefined;
  return operation(subject, "get", path, {
    verb: "list",
    suffix,
    action: "list",
    description: `${isWatchable ? "list or watch" : "list"} objects of kind ${subject.gvk.kind}`,
    parameters: isWatchable ? WATCH_PARAMETERS : LIST_PARAMETERS,
    responses: responses(subject.listName, 200),
    produces: isWatchable ? PRODUCES_STREAM : PRODUCES,
  });
}

function objectOperations(subject: Subject, path: string): Operation[] {
  const { served, gvk, scopedKind } = subject;
  const { verbs } = served;
  const operations: Operation[] = [];
  const specified = `the specified ${gvk.kind}`;
  if (verbs.get !== undefined) operations.push(readOperation(subject, path, scopedKind, specified));
  if (verbs.update !== undefined) {
    operations.push(replaceOperation(subject, path, scopedKind, specified), patchOperation(subject, path, scopedKind, specified));
  }
  if (verbs.delete !== undefined) {
    operations.push(
      operation(subject, "delete", path, {
        verb: "delete",
        suffix: scopedKind,
        action: "delete",
        description: `delete ${withArticle(gvk.kind)}`,
        parameters: DELETE_PARAMETERS,
        body: DELETE_BODY,
        responses: responses(metaName("Status"), 200, 202),
      }),
    );
  }
  return operations;
}

/**
 * The words of a subresource's operations are the parent's, the schema is its own. The kind that they name is its own below compiled-in kinds, and the
 * parent's below others: as the two OpenAPI builders of Kubernetes have it.
 */
function subresourcePath(parent: Subject, { name, resource, version, verbNames }: ServedSubresource, path: string): PathItem {
  const gvk = parent.resource.isBuiltIn ? { group: resource.group, version: version.name, kind: resource.kind } : parent.gvk;
  const subject = { ...parent, gvk, objectName: definitionName(resource, version.name, resource.kind) };
  const suffix = `${parent.scopedKind}${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  const { kind } = parent.gvk;
  const operations: Operation[] = [];
  if (verbNames.includes("get")) operations.push(readOperation(subject, path, suffix, `${name} of the specified ${kind}`));
  if (verbNames.includes("update")) operations.push(replaceOperation(subject, path, suffix, `${name} of the specified ${kind}`));
  if (verbNames.includes("create")) operations.push(createOperation(subject, path, suffix, `${name} of ${withArticle(kind)}`));
  if (verbNames.includes("patch")) operations.push(patchOperation(subject, path, suffix, `${name} of the specified ${kind}`));
  return { path, operations };
}

function createOperation(subject: Subject, path: string, suffix: string, what: string): Operation {
  return operation(subject, "post", path, {
    verb: "create",
    suffix,
    action: "post",
    description: `create ${what}`,
    parameters: WRITE_PARAMETERS,
    body: { schema: subject.objectName, isRequired: true },
    responses: responses(subject.objectName, 200, 201, 202),
  });
}

function readOperation(subject: Subject, path: string, suffix: string, what: string): Operation {
  return operation(subject, "get", path, {
    verb: "read",
    suffix,
    action: "get",
    description: `read ${what}`,
    parameters: subject.resource.isBuiltIn ? [] : GET_PARAMETERS,
    responses: responses(subject.objectName, 200),
  });
}

function replaceOperation(subject: Subject, path: string, suffix: string, what: string): Operation {
  return operation(subject, "put", path, {
    verb: "replace",
    suffix,
    action: "put",
    description: `replace ${what}`,
    parameters: WRITE_PARAMETERS,
    body: { schema: subject.objectName, isRequired: true },
    responses: responses(subject.objectName, 200, 201),
  });
}

/** The media types are those of the parent, for its subresources too. */
function patchOperation(subject: Subject, path: string, suffix: string, what: string): Operation {
  const { allowsStrategicMergePatch, isBuiltIn } = subject.served.resource;
  return operation(subject, "patch", path, {
    verb: "patch",
    suffix,
    action: "patch",
    description: `partially update ${what}`,
    parameters: PATCH_PARAMETERS,
    body: { schema: metaName("Patch"), isRequired: true },
    consumes: patchMediaTypes(allowsStrategicMergePatch),
    // An apply creates; Kubernetes tells so of compiled-in kinds alone.
    responses: isBuiltIn ? responses(subject.objectName, 200, 201) : responses(subject.objectName, 200),
  });
}

/** The older form of watches: paths of their own. All kinds have them; Kubernetes tells of those of compiled-in kinds. */
function watchPaths(subject: Subject, root: string, place: string): PathItem[] {
  const { served, resource, scopedKind, gvk } = subject;
  if (served.verbs.watch === undefined || !resource.isBuiltIn) return [];
  const instead = "deprecated: use the 'watch' parameter with a list operation instead";
  const ofList = `watch individual changes to a list of ${gvk.kind}. ${instead}.`;
  const ofObject = `watch changes to an object of kind ${gvk.kind}. ${instead}, filtered to a single item with the 'fieldSelector' parameter.`;
  const item = (path: string, suffix: string, action: string, description: string): PathItem => ({
    path,
    operations: [
      operation(subject, "get", path, {
        verb: "watch",
        suffix,
        action,
        description,
        parameters: WATCH_PARAMETERS,
        responses: responses(metaName("WatchEvent"), 200),
        produces: PRODUCES_STREAM,
      }),
    ],
  });
  return [
    item(`${root}/${place}`, `${scopedKind}List`, "watchlist", ofList),
    item(`${root}/${place}/{name}`, scopedKind, "watch", ofObject),
    ...(resource.isNamespaced ? [item(`${root}/${resource.resource}`, `${gvk.kind}ListForAllNamespaces`, "watchlist", ofList)] : []),
  ];
}

function operation(subject: Subject, method: Operation["method"], path: string, fields: OperationFields): Operation {
  const { verb, suffix, action, description, parameters, responses, body, produces = PRODUCES } = fields;
  const { consumes = subject.resource.isBuiltIn ? CONSUMES_ANYTHING : CONSUMES_TEXT } = fields;
  return {
    method,
    id: `${verb}${subject.infix}${suffix}`,
    tag: subject.tag,
    description,
    action,
    kind: subject.gvk,
    parameters: [...parameters, ...pathParameters(path), PRETTY],
    ...(body === undefined ? {} : { body }),
    consumes,
    responses,
    produces,
  };
}

function responses(schema: string, ...codes: readonly Response["code"][]): Response[] {
  return codes.map((code) => ({ code, schema }));
}

function withArticle(kind: string): string {
  return `${/^[AEIOU]/.test(kind) ? "an" : "a"} ${kind}`;
}
