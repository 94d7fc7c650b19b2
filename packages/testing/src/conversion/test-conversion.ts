import {
  encodeJSONText,
  type FieldError,
  isJSONObject,
  type JSONObject,
  type JSONValue,
  type KubernetesObject,
  pruneUnknown,
  tryRules,
} from "@annex/apimachinery";
import { defaultAndPrune, inVersion, LOOPBACK, type Resource, type ResourceVersion, systemMastersAuthorizer } from "@annex/apiserver";
import fc from "fast-check";
import { type FieldValues, valueArbitrary } from "./arbitrary-value.ts";
import { differences, formatField, hasField, isWithin, parseField } from "./difference.ts";

/** A field that a conversion may lose, with everything below it. */
export interface KnownLoss {
  /** The version whose field it is. */
  readonly of: string;
  /** The version that cannot hold it. */
  readonly in: string;
  /** `spec.color`, `spec.items[*].note`, `spec.labels.*` */
  readonly field: string;
}

export interface ConversionTestOptions {
  /** What is known to be lost, and meant to be. Default: nothing. */
  readonly knownLosses?: readonly KnownLoss[];
  /**
   * What stands at fields, by version and path, where the schema does not say it all: `{ v1alpha1: { "spec.ttl": fc.nat().map(String) } }`. Default: whatever the schema allows, as far as
   * the kind's own `validate` accepts it.
   */
  readonly values?: Readonly<Record<string, FieldValues>>;
  /** How many objects of each version are converted. Default 300. */
  readonly runs?: number;
  /** Makes the same objects again. Default: another one each time; a failure tells it. */
  readonly seed?: number;
}

/**
 * Tests a kind's conversions with objects made of its schemas: each version's go to the storage version and back, and the storage version's to each version and back. For the tests of authors,
 * under whatever runs them; it needs fast-check alone.
 *
 * ```ts
 * test("no version loses fields", () => testConversion(Flunder));
 * ```
 *
 * Objects are as a server has them: defaulted, valid by the schema and its rules in CEL, and in the storage version by the kind's `validate`, asked as system:apiserver with nothing
 * forbidden. Others are left out; when that are nearly all, it says so.
 *
 * @throws {Error} naming every field that comes back as another value, or of which a conversion makes something that the version converted to refuses; each with the
 *   smallest object that shows it. Also when a conversion throws, or changes the object that it is given, which others hold.
 * @throws {TypeError} for options that name a version or field that there is not.
 * Source: API conventions and the deprecation policy, rule 2: objects round-trip between the versions of a release without loss.
 */
export function testConversion(resource: Resource, options: ConversionTestOptions = {}): void {
  checkOptions(resource, options);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
  const others = resource.definedVersions.filter((version) => version !== resource.storageVersion);
  const complaints = others.flatMap((version) => [
    ...complaintsOf(resource, version, resource.storageVersion, options, seed),
    ...complaintsOf(resource, resource.storageVersion, version, options, seed),
  ]);
  if (complaints.length > 0) throw new Error(`conversions of ${resource.kind} (seed ${seed}):\n${complaints.join("\n")}`);
}

function checkOptions({ kind, definedVersions }: Resource, { knownLosses = [], values = {} }: ConversionTestOptions): void {
  const versionOf = (name: string) => {
    const version = definedVersions.find((one) => one.name === name);
    if (version === undefined) throw new TypeError(`${kind} has no version ${JSON.stringify(name)}`);
    return version;
  };
  const named = Object.entries(values).flatMap(([of, fields]) => Object.keys(fields).map((field) => ({ of, in: of, field })));
  for (const { of, in: other, field } of [...knownLosses, ...named]) {
    versionOf(other);
    if (!hasField(versionOf(of).schema, parseField(field))) throw new TypeError(`${kind} ${of} has no field ${field}`);
  }
}

/** What goes wrong with one object; `steps` are undefined where it concerns no field. */
interface Fault {
  readonly version: ResourceVersion;
  readonly steps: readonly string[] | undefined;
  readonly text: string;
}

/** How many different faults of one round trip are told. */
const MAX_FAULTS = 50;
/** How many objects may be refused for each that is converted. */
const MAX_REFUSED = 20;

/** Converts objects of one version to another and back until nothing new goes wrong. One of the two is the storage version. */
function complaintsOf(resource: Resource, from: ResourceVersion, to: ResourceVersion, options: ConversionTestOptions, seed: number): string[] {
  const known = (options.knownLosses ?? []).filter((loss) => loss.of === from.name && loss.in === to.name);
  const found: Fault[] = known.map(({ field }) => ({ version: from, steps: parseField(field), text: "" }));
  const isNew = (fault: Fault) =>
    !found.some(
      (one) => one.version === fault.version && (one.steps === undefined || (fault.steps !== undefined && isWithin(fault.steps, one.steps))),
    );
  const newFaults = (sent: JSONObject) => faultsOf(resource, sent, from, to)?.filter(isNew);
  const complaints: string[] = [];
  const objects = objectArbitrary(resource, from, options.values?.[from.name] ?? {});
  while (found.length < MAX_FAULTS + known.length) {
    const outcome = fc.check(
      fc.property(objects, (sent) => {
        const faults = newFaults(sent);
        fc.pre(faults !== undefined);
        return faults.length === 0;
      }),
      { numRuns: options.runs ?? 300, maxSkipsPerRun: MAX_REFUSED, seed },
    );
    const smallest = outcome.counterexample?.[0];
    if (smallest === undefined) {
      if (!outcome.failed) break;
      const refused = `${outcome.numSkips} of ${outcome.numSkips + outcome.numRuns} objects of ${from.name} that were made are refused by the kind's rules`;
      return [...complaints, `- ${from.name} to ${to.name} is hardly tried: ${refused}: give arbitraries in \`values\``];
    }
    const faults = newFaults(smallest) ?? [];
    if (faults.length === 0) return [...complaints, `- ${from.name} to ${to.name} and back is not the same each time\n  of ${shown(smallest)}`];
    for (const fault of faults) {
      found.push(fault);
      complaints.push(`- ${fault.text}\n  of ${shown(smallest)}`);
    }
  }
  return complaints;
}

/** Objects as clients send them: what the schema has defaults for may be missing. */
function objectArbitrary(resource: Resource, version: ResourceVersion, values: FieldValues): fc.Arbitrary<JSONObject> {
  const { "x-kubernetes-validations": _rules, ...schema } = version.schema; // they may be about metadata
  const { metadata: _metadata, apiVersion: _apiVersion, kind: _kind, ...properties } = schema.properties ?? {};
  const required = (schema.required ?? []).filter((field) => Object.hasOwn(properties, field));
  const fields = valueArbitrary({ ...schema, properties, required }, "", values) as fc.Arbitrary<JSONObject>; // of an object's schema
  const text = fc.stringMatching(/^[a-z]{1,4}$/);
  const annotations = values["metadata.annotations"] ?? fc.dictionary(text, text, { noNullPrototype: true, maxKeys: 2 });
  return fc.tuple(fields, fc.option(annotations, { nil: undefined })).map(([own, notes]) => ({
    apiVersion: version.apiVersion,
    kind: resource.kind,
    metadata: {
      name: "a",
      ...(resource.isNamespaced ? { namespace: "default" } : {}),
      // No annotations and an empty map of them are the same.
      ...(isJSONObject(notes) && Object.keys(notes).length > 0 ? { annotations: notes } : {}),
    },
    ...own,
  }));
}

/** What goes wrong with an object on its way to another version and back; undefined for one that a server refuses. */
function faultsOf(resource: Resource, sent: JSONObject, from: ResourceVersion, to: ResourceVersion): readonly Fault[] | undefined {
  // Everything made of it is shared between requests, and so frozen here.
  const object = frozen(defaultAndPrune(sent, from).object) as unknown as KubernetesObject; // it has type and metadata
  if (schemaFaults(object, from).length > 0) return undefined;
  const isStored = from === resource.storageVersion;
  if (isStored && !isAccepted(resource, object)) return undefined;
  let converted: KubernetesObject | undefined;
  let back: KubernetesObject;
  try {
    converted = frozen(asJSON(inVersion(resource, object, to)));
    back = asJSON(inVersion(resource, converted, from));
  } catch (error) {
    const way = converted === undefined ? `${from.name} to ${to.name}` : `${to.name} to ${from.name}`;
    return [{ version: to, steps: undefined, text: `${way} throws ${String(error)}` }];
  }
  if (!isStored && !isAccepted(resource, converted)) return undefined;
  const losses = differences(object as unknown as JSONObject, back as unknown as JSONObject, from.schema).map(({ steps, before, after }) => ({
    version: from,
    steps,
    text: `${from.name} loses ${formatField(steps)} in ${to.name}: ${shown(before)} comes back as ${shown(after)}`,
  }));
  return [...losses, ...refusals(converted, from, to)];
}

/** What a version's schema has against an object; its rules in CEL are asked of one that has the form. */
function schemaFaults(object: KubernetesObject, { rules, validate }: ResourceVersion): readonly FieldError[] {
  const faults = validate(object, undefined, "");
  if (faults.length > 0 || rules === undefined) return faults;
  return tryRules(rules, object as unknown as JSONObject, undefined, false).faults;
}

/** Whether the kind's own rules let an object of the storage version be created. */
function isAccepted({ hooks }: Resource, object: KubernetesObject): boolean {
  let isValid = true;
  const invalid = () => {
    isValid = false;
  };
  const { signal } = new AbortController();
  hooks.validate?.({
    object,
    previous: undefined,
    subresource: "",
    invalid,
    user: LOOPBACK,
    now: 0,
    isDryRun: false,
    signal,
    authorizer: systemMastersAuthorizer,
  });
  return isValid;
}

/** What a version refuses of an object that was converted to it: who reads it could not write it back. */
function refusals(converted: KubernetesObject, from: ResourceVersion, to: ResourceVersion): Fault[] {
  const { unknown } = pruneUnknown(converted as unknown as JSONObject, to.schema);
  const fault = (field: string, text: string): Fault => ({ version: to, steps: parseField(field), text: `${from.name} to ${to.name} ${text}` });
  return [
    ...unknown.map((field) => fault(field, `makes ${field}, which ${to.name} does not have`)),
    ...schemaFaults(converted, to).map(({ field, message }) => fault(field, `makes what ${to.name} refuses: ${field}: ${message}`)),
  ];
}

/** As it comes out of an encoder: without what is `undefined`. */
function asJSON(object: KubernetesObject): KubernetesObject {
  return withoutUndefined(object as unknown as JSONValue) as unknown as KubernetesObject;
}

function withoutUndefined(value: JSONValue): JSONValue {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (!isJSONObject(value)) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, inner]) => (inner === undefined ? [] : [[name, withoutUndefined(inner)]])));
}

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) frozen(inner);
  return value;
}

/** As JSON, where there is something. */
function shown(value: JSONValue | undefined): string {
  return value === undefined ? "nothing" : encodeJSONText(value);
}
