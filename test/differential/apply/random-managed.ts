// Sequences of writes to one object.
import { encodeJSONText, isJSONObject, type JSONObject, type JSONValue, type Schema } from "@annex/apimachinery";
import type { Random } from "../../e2e/hostile/random.ts";
import { FIELDS, mapKey, some, text } from "./alphabet.ts";
import { apiVersionOf, KIND, type ManagedCase, type ManagedOp, type VersionDef } from "./cases.ts";
import { randomFields } from "./random-fields.ts";
import { structSchema } from "./random-schema.ts";
import { changedValue, fieldSchema, type Mischief } from "./random-value.ts";

const RULES = { depth: 2, isFree: false };
const OPERATIONS = 24;
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

export function randomManagedCase(random: Random): ManagedCase {
  const versions = randomVersions(random);
  const writer = new Writer(random, versions);
  return { kind: "managed", versions, dropsUnknown: random.chance(0.5), ops: Array.from({ length: OPERATIONS }, () => writer.next()) };
}

function randomVersions(random: Random): readonly VersionDef[] {
  const spec = structSchema(random, RULES);
  const hasStatus = random.chance(0.5);
  const first = versionDef("v1", spec, structSchema(random, { ...RULES, depth: 1 }), hasStatus);
  if (random.chance(0.4)) return [first];
  const second = random.chance(0.3) ? { ...first, name: "v2" } : otherVersion(random, first);
  return random.chance(0.3) ? [first, second, { ...second, name: "v3" }] : [first, second];
}

function versionDef(name: string, spec: Schema, status: Schema, hasStatus: boolean): VersionDef {
  return { name, schema: { type: "object", properties: { spec, status } }, renames: {}, drops: [], hasStatus };
}

/** A version with other names for some fields, and without some. */
function otherVersion(random: Random, { schema, hasStatus }: VersionDef): VersionDef {
  const { spec = {}, status = {} } = schema.properties ?? {};
  const names = Object.keys(spec.properties ?? {});
  const drops = names.filter(() => random.chance(0.15));
  const renames = Object.fromEntries(names.filter((name) => !drops.includes(name) && random.chance(0.4)).map((name) => [name, `${name}2`]));
  const kept = Object.entries(spec.properties ?? {}).filter(([name]) => !drops.includes(name));
  const properties = Object.fromEntries(kept.map(([name, property]) => [renames[name] ?? name, property]));
  const other = versionDef("v2", { ...spec, properties }, status, hasStatus && random.chance(0.9));
  return { ...other, renames, drops };
}

/** Makes one operation after the other, each about what the earlier ones were about. */
class Writer {
  private readonly random: Random;
  private readonly mischief: Mischief;
  private readonly managers: readonly string[];
  /** Operations of one second are told apart by other rules, and with many managers those of Go lose fields (docs/differences.md, `ancient-changes`). */
  private readonly isSlow: boolean;
  private versions: readonly VersionDef[];
  private second = 0;
  /** About what each version's spec and status are by now. */
  private readonly drafts = new Map<string, JSONValue>();
  /** What each manager applied last. */
  private readonly applied = new Map<string, JSONObject>();

  constructor(random: Random, versions: readonly VersionDef[]) {
    this.random = random;
    this.versions = versions;
    this.mischief = random.pick([0, 0, 0.01, 0.04]);
    this.isSlow = random.chance(0.3);
    this.managers = this.isSlow ? Array.from({ length: 16 }, (_, index) => `m${index}`) : ["m", "n", "kubectl", "kubectl", "", 'ö"<m>'];
  }

  next(): ManagedOp {
    const { random } = this;
    this.second += this.isSlow ? 1 + random.below(3) : random.pick([0, 0, 1, 60]);
    const dice = random.below(100);
    if (dice < 2) return { op: "delete", second: this.second };
    if (dice < 4) return this.redefine();
    if (dice < 60) return this.apply();
    return dice < 78 ? this.replace() : this.patch();
  }

  /** Mostly what the manager applied the time before, changed in a few places. */
  private apply(): ManagedOp {
    const { random } = this;
    const { version, ...write } = this.write();
    const key = `${version.name} ${write.manager} ${write.subresource}`;
    const before = this.applied.get(key) ?? {};
    const names = write.subresource === "status" && random.chance(0.9) ? ["status"] : random.chance(0.9) ? ["spec"] : ["spec", "status"];
    const fields = names.map((name) => [name, this.configuration(version, name, before[name])] as const);
    const { metadata: metadataBefore } = before;
    const metadata = {
      name: "n",
      ...(random.chance(0.5) && isJSONObject(metadataBefore) ? metadataBefore : random.chance(0.5) ? this.metadata() : {}),
    };
    const object = {
      ...this.type(version),
      metadata: random.chance(this.mischief) ? { ...metadata, managedFields: random.pick([[], [{}]]) } : metadata,
      ...Object.fromEntries(fields),
    };
    this.applied.set(key, object);
    return { op: "apply", version: version.name, ...write, force: random.chance(0.4), object };
  }

  private configuration(version: VersionDef, name: string, before: JSONValue | undefined): JSONValue {
    const { random } = this;
    const schema = fieldSchema(version.schema, name);
    // What others wrote, too: then nothing is in conflict.
    const base = random.chance(0.3) ? this.drafts.get(`${version.name}.${name}`) : before;
    return withoutLarge(random.chance(0.2) && base !== undefined ? base : changedValue(random, base, schema, this.mischief / 2));
  }

  private type({ name }: VersionDef): JSONObject {
    const { random } = this;
    if (!random.chance(this.mischief)) return { apiVersion: apiVersionOf(name), kind: KIND };
    return { apiVersion: random.pick([apiVersionOf("v9"), "other/v1", "v1", apiVersionOf(name)]), kind: random.pick([KIND, "Thong"]) };
  }

  private redefine(): ManagedOp {
    const { random } = this;
    const [first, ...others] = this.versions.map((version) => ({ ...version, schema: changedBelow(random, version.schema) }));
    if (first !== undefined) this.versions = [first, ...others.filter(() => random.chance(0.6))];
    return { op: "redefine", second: this.second, versions: this.versions };
  }

  private replace(): ManagedOp {
    const { version, ...write } = this.write();
    const metadata: JSONObject = { name: "n", ...this.metadata(), ...this.managedFields() };
    const object = { apiVersion: apiVersionOf(version.name), kind: KIND, metadata, ...this.fields(version) };
    return { op: "replace", version: version.name, ...write, object, keepsManagedFields: !("managedFields" in metadata) && this.random.chance(0.7) };
  }

  private patch(): ManagedOp {
    const { random } = this;
    const { version, ...write } = this.write();
    const changes = Object.fromEntries(
      Object.entries(this.fields(version)).flatMap(([name, value]) => (random.chance(0.8) ? [[name, partOf(random, value)] as const] : [])),
    );
    const metadata = { ...(random.chance(0.4) ? this.metadata() : {}), ...this.managedFields() };
    return { op: "patch", version: version.name, ...write, object: Object.keys(metadata).length > 0 ? { ...changes, metadata } : changes };
  }

  private write() {
    const { random } = this;
    const version = random.pick(this.versions);
    const subresource = version.hasStatus && random.chance(0.25) ? ("status" as const) : ("" as const);
    return { version, subresource, manager: random.pick(this.managers), second: this.second };
  }

  /** Of the object as a whole, mostly what there was, changed in a few places. */
  private fields(version: VersionDef): JSONObject {
    const named = ["spec", "status"].filter((name) => name === "spec" || this.random.chance(0.6));
    return Object.fromEntries(named.map((name) => [name, this.draft(version, name)]));
  }

  private draft({ name, schema }: VersionDef, field: string): JSONValue {
    const key = `${name}.${field}`;
    const value = withoutLarge(changedValue(this.random, this.drafts.get(key), fieldSchema(schema, field), this.mischief));
    this.drafts.set(key, value);
    return value;
  }

  private metadata(): JSONObject {
    const { random } = this;
    const texts = () => Object.fromEntries(some(random, 2, () => [mapKey(random), random.chance(this.mischief) ? 1 : text(random)] as const));
    return {
      ...(random.chance(0.5) ? { labels: texts() } : {}),
      ...(random.chance(0.3) ? { annotations: random.chance(0.5) ? texts() : { ...texts(), [LAST_APPLIED]: this.lastApplied() } } : {}),
      ...(random.chance(0.3) ? { finalizers: some(random, 3, () => random.pick(["f", "g", "h"])) } : {}),
      ...(random.chance(0.2) ? { ownerReferences: some(random, 2, () => this.ownerReference()) } : {}),
      ...(random.chance(0.1) ? { generation: random.below(3) } : {}),
    };
  }

  /** What kubectl applied client-side, as it writes it down: of something that was written, mostly. */
  private lastApplied(): string {
    const { random } = this;
    if (random.chance(0.05)) return random.pick(["", "{", "[]", "null", '{"apiVersion":"v1"}']);
    const version = random.pick(this.versions);
    const spec = this.drafts.get(`${version.name}.spec`) ?? {};
    return encodeJSONText({ ...this.type(version), metadata: { name: "n", ...(random.chance(0.3) ? { labels: { x: "s" } } : {}) }, spec });
  }

  private ownerReference(): JSONObject {
    const { random } = this;
    return {
      apiVersion: "v1",
      kind: "Owner",
      name: random.pick(["o", "p"]),
      ...(random.chance(1 - this.mischief) ? { uid: random.pick(["1", "2"]) } : {}),
    };
  }

  /** Now and then a client sends managedFields of its own making. Not where many managers are: times may then be older than what was joined. */
  private managedFields(): JSONObject {
    const { random } = this;
    if (this.isSlow || random.chance(0.93)) return {};
    return { managedFields: random.pick([[], [{}], null, "none", [{ manager: "" }], some(random, 3, () => this.entry())]) };
  }

  private entry(): JSONObject {
    const { random } = this;
    const isBroken = random.chance(0.15);
    return {
      manager: random.pick(["m", "n", "stranger"]),
      operation: isBroken && random.chance(0.3) ? "Own" : random.pick(["Apply", "Update"]),
      apiVersion: isBroken && random.chance(0.3) ? "" : apiVersionOf(random.pick(["v1", "v1", "v2", "v9"])),
      ...(random.chance(0.8) ? { time: isBroken && random.chance(0.3) ? "noon" : `2000-01-01T00:0${random.below(3)}:00Z` } : {}),
      fieldsType: isBroken && random.chance(0.3) ? "FieldsV2" : "FieldsV1",
      fieldsV1: { "f:spec": { ".": {}, ...randomFields(random, 2, isBroken ? 0.1 : 0) } },
      ...(random.chance(0.2) ? { subresource: "status" } : {}),
    };
  }
}

/** Large integers that name elements of lists keep their digits in our managedFields, and lose them in Go's with the next write (docs/differences.md). */
function withoutLarge(value: JSONValue): JSONValue {
  if (typeof value === "bigint") return Number(value % 1000n);
  if (Array.isArray(value)) return value.map(withoutLarge);
  if (!isJSONObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, child = null]) => [name, withoutLarge(child)]));
}

/** A merge patch: some of the fields, and null for some. */
function partOf(random: Random, value: JSONValue | undefined): JSONValue {
  if (!isJSONObject(value)) return value ?? null;
  const kept = Object.entries(value).filter(() => random.chance(0.6));
  const removed = random.chance(0.4) ? [[random.pick(FIELDS), null] as const] : [];
  return Object.fromEntries([
    ...kept.map(([name, child]) => [name, random.chance(0.5) ? (child ?? null) : partOf(random, child)] as const),
    ...removed,
  ]);
}

function changedBelow(random: Random, schema: Schema): Schema {
  const properties = Object.entries(schema.properties ?? {}).map(([name, property]) => [name, otherOwnership(random, property)] as const);
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** The same schema, in which some lists and objects are owned in another way. */
function otherOwnership(random: Random, schema: Schema): Schema {
  const { "x-kubernetes-list-type": listType, "x-kubernetes-map-type": mapType, "x-kubernetes-list-map-keys": keys, ...rest } = schema;
  const changes = random.chance(0.25);
  const ownList =
    listType === undefined ? {} : { "x-kubernetes-list-type": listType, ...(keys === undefined ? {} : { "x-kubernetes-list-map-keys": keys }) };
  const ownMap = mapType === undefined ? {} : { "x-kubernetes-map-type": mapType };
  return {
    ...rest,
    ...(!changes
      ? ownList
      : schema.type === "array" && listType === undefined && isScalar(schema.items)
        ? { "x-kubernetes-list-type": "set" as const }
        : {}),
    ...(!changes ? ownMap : schema.type === "object" && mapType !== "atomic" ? { "x-kubernetes-map-type": "atomic" as const } : {}),
    ...(schema.items === undefined ? {} : { items: otherOwnership(random, schema.items) }),
    ...(schema.properties === undefined ? {} : { properties: changedBelow(random, schema).properties ?? {} }),
    ...(typeof schema.additionalProperties === "object" ? { additionalProperties: otherOwnership(random, schema.additionalProperties) } : {}),
  };
}

function isScalar(schema: Schema | undefined): boolean {
  return schema?.type !== undefined && schema.type !== "object" && schema.type !== "array";
}
