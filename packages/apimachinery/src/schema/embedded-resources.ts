import { type FieldError, isJSONObject, type JSONObject, type JSONValue, type ObjectMeta, parseAPIVersion } from "../meta/index.ts";
import { validateObjectMeta } from "../meta/names.ts";
import { hasField } from "./accepts.ts";
import { compileNode, type Node } from "./compile.ts";
import { explain } from "./explain.ts";
import type { Faults } from "./faults.ts";
import { OBJECT_META_SCHEMA } from "./object-meta.ts";

const DNS_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const DNS_LABEL_MAX_LENGTH = 63;
const DNS_LABEL_RULE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/**
 * Checks `apiVersion`, `kind` and `metadata` of objects within the object (`x-kubernetes-embedded-resource`).
 *
 * Source: apiextensions-apiserver pkg/apiserver/schema/objectmeta.
 */
export function explainEmbeddedResources(node: Node, value: unknown, path: string, faults: Faults): void {
  if (!node.hasEmbeddedResources || faults.isFull) return;
  if (Array.isArray(value)) {
    const { items } = node;
    if (items !== undefined) {
      for (const [index, element] of value.entries()) explainEmbeddedResources(items, element, `${path}[${index}]`, faults);
    }
  } else if (isJSONObject(value)) {
    if (node.isEmbeddedResource) explainResource(value, path, faults);
    for (const name in value) {
      const property = node.properties.get(name);
      if (property !== undefined) explainEmbeddedResources(property, value[name], child(path, name), faults);
      else if (typeof node.additional === "object") explainEmbeddedResources(node.additional, value[name], `${path}[${name}]`, faults);
    }
  }
}

const child = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

function explainResource(object: JSONObject, path: string, faults: Faults): void {
  for (const name of ["apiVersion", "kind"]) if (!hasField(object, name)) faults.add("FieldValueRequired", child(path, name), undefined, "");
  const { apiVersion, kind, metadata } = object;
  const complain = (name: string, detail: string) => faults.add("FieldValueInvalid", child(path, name), object[name], detail);
  if (apiVersion !== undefined) {
    if (typeof apiVersion !== "string") complain("apiVersion", "must be a string");
    else if (apiVersion === "") complain("apiVersion", "must not be empty");
    else if (parseAPIVersion(apiVersion) === undefined) complain("apiVersion", `unexpected GroupVersion string: ${apiVersion}`);
  }
  if (kind !== undefined) {
    if (typeof kind !== "string") complain("kind", "must be a string");
    else if (kind === "") complain("kind", "must not be empty");
    else explainKind(kind.toLowerCase(), (rule) => complain("kind", `may have mixed case, but should otherwise match: ${rule}`));
  }
  if (metadata !== undefined && metadata !== null) explainMetadata(metadata, child(path, "metadata"), faults);
}

const METADATA = compileNode(OBJECT_META_SCHEMA);

function explainMetadata(metadata: JSONValue, path: string, faults: Faults): void {
  // A field of metadata that is null is absent.
  const present = isJSONObject(metadata) ? Object.fromEntries(Object.entries(metadata).filter(([, field]) => field !== null)) : metadata;
  const wrong = faults.fork();
  explain(METADATA, present, path, wrong);
  const types = wrong.list.filter(({ reason }) => reason === "FieldValueTypeInvalid");
  faults.tell(types.length > 0 ? types : metadataFaults(present as ObjectMeta, faults.at(path))); // `as`: the schema vouches for the types
}

/** What is missing is told in the words of metadata; it may lack a name, and lie in a namespace or not. */
function metadataFaults(metadata: ObjectMeta, path: string): FieldError[] {
  const isNamespaced = (metadata.namespace ?? "") !== "";
  return validateObjectMeta(metadata, { isNamespaced, nameRule: "pathSegment", isNameOptional: true, path });
}

function explainKind(name: string, complain: (rule: string) => void): void {
  const rules = [];
  if (name.length > DNS_LABEL_MAX_LENGTH) rules.push(`must be no more than ${DNS_LABEL_MAX_LENGTH} bytes`);
  if (!DNS_LABEL.test(name)) rules.push(DNS_LABEL_RULE);
  if (rules.length > 0) complain(rules.join(","));
}
