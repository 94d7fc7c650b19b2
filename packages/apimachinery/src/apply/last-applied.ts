import { isJSONObject, type JSONObject, type JSONValue, type KubernetesObject, MAX_ANNOTATIONS_BYTES } from "../meta/index.ts";
import { compare } from "./compare.ts";
import type { FieldSet } from "./field-set.ts";
import { fieldSetOf } from "./field-set-of.ts";
import { checkForm, SchemaMismatchError } from "./typed.ts";
import type { TypedValue } from "./updater.ts";
import { formatEncoded } from "./value.ts";

/** Where client-side apply writes down what it applied. Source: core/v1 LastAppliedConfigAnnotation. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

function lastApplied({ metadata }: KubernetesObject): string {
  const text = metadata.annotations?.[LAST_APPLIED];
  return typeof text === "string" ? text : "";
}

/**
 * The fields that client-side apply set and nobody has changed since: kubectl may take them over.
 *
 * @param live the stored object, and `typed` the same as a value of its kind.
 * @returns undefined where the annotation is missing, cannot be read, or is of another version.
 * Source: managedfields lastAppliedManager, allowedConflictsFromLastApplied.
 */
export function clientSideFields(live: KubernetesObject, { value, type, apiVersion }: TypedValue): FieldSet | undefined {
  const applied = parseObject(lastApplied(live));
  if (applied === undefined || applied.apiVersion !== apiVersion || applied.kind !== live.kind) return undefined;
  try {
    checkForm(value, type, { allowsDuplicates: false });
    checkForm(applied, type, { allowsDuplicates: false });
    const { added, modified, removed } = compare(applied, value, type);
    return fieldSetOf(applied, type).difference(modified).difference(added).difference(removed);
  } catch (error) {
    if (error instanceof SchemaMismatchError) return undefined;
    throw error;
  }
}

function parseObject(text: string): JSONObject | undefined {
  try {
    const value = JSON.parse(text) as JSONValue;
    return isJSONObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const encoder = new TextEncoder();

/**
 * An object whose annotation of client-side apply says what was applied now, so that client-side apply can go on from there. One that has no such annotation gets
 * none; one that would have too long annotations loses it.
 *
 * Source: managedfields lastAppliedUpdater.
 */
export function withLastApplied(object: KubernetesObject, configuration: JSONObject): KubernetesObject {
  if (lastApplied(object) === "") return object;
  const { [LAST_APPLIED]: _before, ...others } = object.metadata.annotations ?? {};
  const annotations = { ...others, [LAST_APPLIED]: `${formatEncoded(withoutLastApplied(configuration))}\n` };
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) bytes += encoder.encode(key).length + encoder.encode(String(value)).length;
  return { ...object, metadata: { ...object.metadata, annotations: bytes > MAX_ANNOTATIONS_BYTES ? others : annotations } };
}

function withoutLastApplied(configuration: JSONObject): JSONObject {
  const { metadata } = configuration;
  if (!isJSONObject(metadata) || !isJSONObject(metadata.annotations)) return configuration;
  const { [LAST_APPLIED]: _applied, ...annotations } = metadata.annotations;
  return { ...configuration, metadata: { ...metadata, annotations } };
}
