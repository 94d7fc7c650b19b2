import type { GroupVersionKind } from "@annex/apimachinery";
import type { Resource } from "../../definition/resource.ts";
import { statusVerbNames } from "../discovery/index.ts";
import type { ServedResource } from "../served-resource.ts";
import type { Operation, Parameter, PathItem, RequestBody, Response } from "./model.ts";
import { definitionName, groupVersionPath, metaName, operationInfix, operationTag } from "./names.ts";
import {
  DELETE_COLLECTION_PARAMETERS,
  DELETE_PARAMETERS,
  GET_PARAMETERS,
  LIST_PARAMETERS,
  PRETTY,
  pathParameters,
  WATCH_PARAMETERS,
  WRITE_PARAMETERS,
} from "./parameters.ts";

export const PRODUCES: readonly string[] = ["application/json", "application/yaml"];
const PRODUCES_STREAM: readonly string[] = [...PRODUCES, "application/json;stream=watch"];
const PROTOBUF = "application/vnd.kubernetes.protobuf";
/** The server reads DeleteOptions in protobuf for every resource: clients send it so. */
const DELETE_BODY: RequestBody = { schema: metaName("DeleteOptions"), mediaTypes: [...PRODUCES, PROTOBUF], isRequired: false };

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
  readonly produces?: readonly string[];
}

/**
 * The paths of one version of a resource, with the operations whose verbs exist, and no others.
 *
 * Source: k8s.io/apiserver/pkg/endpoints, registerResourceHandlers; apiextensions-apiserver/pkg/controller/openapi/builder for parameters and media
 * types where compiled-in kinds and custom resources differ. Parameters that do nothing here (`shardSelector`, `force` without server-side apply,
 * `ignoreStoreReadErrorWithClusterBreakingPotential`) are left out.
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
    { path: `${collection}/{name}/status`, operations: statusOperations(subject, `${collection}/{name}/status`) },
    ...(isNamespaced ? [allNamespaces(subject, `${root}/${resource.resource}`)] : []),
    ...watchPaths(subject, `${root}/watch`, place),
  ];
  return items.filter(({ operations }) => operations.length > 0);
}

function collectionOperations(subject: Subject, path: string): Operation[] {
  const { served, scopedKind, objectName, gvk } = subject;
  const { verbs } = served;
  const operations: Operation[] = [];
  if (verbs.list !== undefined) operations.push(listOperation(subject, path, scopedKind));
  if (verbs.create !== undefined) {
    operations.push(
      operation(subject, "post", path, {
        verb: "create",
        suffix: scopedKind,
        action: "post",
        description: `create ${withArticle(gvk.kind)}`,
        parameters: WRITE_PARAMETERS,
        body: objectBody(subject),
        responses: responses(objectName, 200, 201, 202),
      }),
    );
  }
  if (verbs.deleteCollection !== undefined) {
    operations.push(
      operation(subject, "delete", path, {
        verb: "delete",
        suffix: `Collection${scopedKind}`,
        action: "deletecollection",
        description: `delete collection of ${gvk.kind}`,
        parameters: DELETE_COLLECTION_PARAMETERS,
        body: DELETE_BODY,
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
  if (verbs.get !== undefined) operations.push(readOperation(subject, path, scopedKind, "read the specified"));
  if (verbs.update !== undefined) operations.push(...updateOperations(subject, path, scopedKind, "the specified"));
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

function statusOperations(subject: Subject, path: string): Operation[] {
  const suffix = `${subject.scopedKind}Status`;
  const verbs = statusVerbNames(subject.served);
  return [
    ...(verbs.includes("get") ? [readOperation(subject, path, suffix, "read status of the specified")] : []),
    ...(verbs.includes("update") ? updateOperations(subject, path, suffix, "status of the specified") : []),
  ];
}

function readOperation(subject: Subject, path: string, suffix: string, words: string): Operation {
  return operation(subject, "get", path, {
    verb: "read",
    suffix,
    action: "get",
    description: `${words} ${subject.gvk.kind}`,
    parameters: GET_PARAMETERS,
    responses: responses(subject.objectName, 200),
  });
}

function updateOperations(subject: Subject, path: string, suffix: string, what: string): Operation[] {
  const { gvk, objectName, resource } = subject;
  const patchTypes = ["application/json-patch+json", "application/merge-patch+json"];
  if (resource.allowsStrategicMergePatch) patchTypes.push("application/strategic-merge-patch+json");
  return [
    operation(subject, "put", path, {
      verb: "replace",
      suffix,
      action: "put",
      description: `replace ${what} ${gvk.kind}`,
      parameters: WRITE_PARAMETERS,
      body: objectBody(subject),
      responses: responses(objectName, 200, 201),
    }),
    operation(subject, "patch", path, {
      verb: "patch",
      suffix,
      action: "patch",
      description: `partially update ${what} ${gvk.kind}`,
      parameters: WRITE_PARAMETERS,
      body: { schema: metaName("Patch"), mediaTypes: patchTypes, isRequired: true },
      responses: responses(objectName, 200),
    }),
  ];
}

/** The older form of watches: paths of their own. */
function watchPaths(subject: Subject, root: string, place: string): PathItem[] {
  const { served, resource, scopedKind, gvk } = subject;
  if (served.verbs.watch === undefined) return [];
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
  return {
    method,
    id: `${verb}${subject.infix}${suffix}`,
    tag: subject.tag,
    description,
    action,
    kind: subject.gvk,
    parameters: [...parameters, ...pathParameters(path), PRETTY],
    ...(body === undefined ? {} : { body }),
    responses,
    produces,
  };
}

function responses(schema: string, ...codes: readonly Response["code"][]): Response[] {
  return codes.map((code) => ({ code, schema }));
}

/** Authors' own kinds are JSON and YAML, as custom resources are; clients send built-in ones as protobuf, too. */
function objectBody({ objectName, resource }: Subject): RequestBody {
  return { schema: objectName, mediaTypes: resource.isBuiltIn ? [...PRODUCES, PROTOBUF] : PRODUCES, isRequired: true };
}

function withArticle(kind: string): string {
  return `${/^[AEIOU]/.test(kind) ? "an" : "a"} ${kind}`;
}
