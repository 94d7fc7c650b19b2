// The same objects of the same random kinds, written to two servers: who refuses what, with which causes, and what is stored.
import type { JSONValue } from "@annex/apimachinery";
import { CRDError, resourceFromCRD } from "@annex/apiserver";
import type { Client } from "../client.ts";
import { Random } from "../hostile/random.ts";
import { randomObject, type SchemaJSON } from "./random-schema.ts";
import { mutated, randomValue } from "./random-value.ts";

/** A kind whose version v1 takes anything, and whose version v2 has a random schema: what v1 stores, v2 need not allow. */
export interface RandomKind {
  readonly seed: number;
  readonly plural: string;
  readonly crd: CRDJSON;
  /** Of `spec`, in v2. */
  readonly spec: SchemaJSON;
}

interface CRDJSON {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

/** @param group of the kinds: `schema.example.com`. */
export function randomKind(seed: number, group: string): RandomKind {
  const plural = `randoms${seed}`;
  const spec = randomObject(new Random(seed), 0);
  const version = (name: string, schema: SchemaJSON, isStorage: boolean) => ({
    name,
    served: true,
    storage: isStorage,
    subresources: { status: {} },
    schema: { openAPIV3Schema: { type: "object", properties: { spec: schema, status: schema } } },
  });
  const free = { "x-kubernetes-preserve-unknown-fields": true };
  return {
    seed,
    plural,
    spec,
    crd: {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: "Cluster",
        names: { plural, singular: `random${seed}`, kind: `Random${seed}`, listKind: `Random${seed}List` },
        versions: [version("v1", free, true), version("v2", spec, false)],
      },
    },
  };
}

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const ESTABLISHED_LIMIT_MS = 30_000;

/**
 * Creates the definition in a kube-apiserver, and waits until its kind is served.
 *
 * @returns the faults of a definition that is refused, sorted: `field: message`.
 */
export async function install(kind: RandomKind, server: Client): Promise<readonly string[]> {
  const { status, text } = await server.request("POST", `${DEFINITIONS}?fieldValidation=Strict`, kind.crd);
  const { details } = JSON.parse(text) as { readonly details?: { readonly causes?: readonly Cause[] } };
  if (status !== 201) return (details?.causes ?? [{ field: "", message: text }]).map(asLine).sort();
  const until = Date.now() + ESTABLISHED_LIMIT_MS;
  for (;;) {
    const read = await server.request("GET", `${DEFINITIONS}/${kind.crd.metadata.name}`);
    const { status: state } = JSON.parse(read.text) as { readonly status?: { readonly conditions?: readonly { type: string; status: string }[] } };
    if (state?.conditions?.some((condition) => condition.type === "Established" && condition.status === "True") === true) return [];
    if (Date.now() > until) throw new Error(`${kind.crd.metadata.name} is not established: ${read.text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What of a definition this server refuses, in the same form. */
export function refusals(kind: RandomKind): readonly string[] {
  try {
    resourceFromCRD(kind.crd as unknown as JSONValue); // it is JSON all through
    return [];
  } catch (error) {
    if (!(error instanceof CRDError)) throw error;
    return error.faults.map(asLine).sort();
  }
}

/** Go shows a rule with the names of its own fields, and invents a name for the type of `self` each time. */
function asLine({ field, message = "" }: Cause): string {
  return `${field}: ${message.replace(/^Invalid value: \{"rule":.*?\}: /is, "Invalid value: {…}: ").replace(/selfType\d*/g, "selfType")}`;
}

interface Operation {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Divergence {
  readonly seed: number;
  readonly operation: Operation;
  readonly left: unknown;
  readonly right: unknown;
}

/** How many operations were answered how, by method and status: a comparison in which everything is refused compares little. */
export type Tally = Map<string, number>;

/**
 * Creates and changes objects of a kind on both servers, and compares every answer.
 *
 * @param left the one that is right.
 * @returns the first answer that differs; undefined when none does.
 */
export async function compareKind(
  kind: RandomKind,
  group: string,
  left: Client,
  right: Client,
  objects: number,
  tally: Tally,
): Promise<Divergence | undefined> {
  const random = new Random(kind.seed, 1);
  const base = (version: string) => `/apis/${group}/${version}/${kind.plural}`;
  const ask = async (operation: Operation): Promise<{ divergence?: Divergence; left: Answered; right: Answered }> => {
    const [one, other] = await Promise.all([send(left, operation), send(right, operation)]);
    const key = `${operation.what} ${one.status}`;
    tally.set(key, (tally.get(key) ?? 0) + 1);
    const same = JSON.stringify(one.normal) === JSON.stringify(other.normal);
    return { left: one, right: other, ...(same ? {} : { divergence: { seed: kind.seed, operation, left: one.normal, right: other.normal } }) };
  };
  for (let index = 0; index < objects; index++) {
    const name = `o${index}`;
    const object = (version: string) => ({
      apiVersion: `${group}/${version}`,
      kind: `Random${kind.seed}`,
      metadata: { name },
      spec: randomValue(random, kind.spec),
    });
    const created = await ask({ what: "create", method: "POST", path: base("v2"), body: object("v2") });
    if (created.divergence !== undefined) return created.divergence;
    if (created.left.status !== 201) {
      const free = await ask({ what: "create v1", method: "POST", path: base("v1"), body: object("v1") });
      if (free.divergence !== undefined) return free.divergence;
      if (free.left.status !== 201) continue;
    }
    for (let change = 0; change < 3; change++) {
      const at = `${base("v2")}/${name}`;
      const read = await ask({ what: "get", method: "GET", path: at });
      if (read.divergence !== undefined) return read.divergence;
      const { spec, status } = JSON.parse(read.left.text) as { readonly spec?: unknown; readonly status?: unknown };
      const isStatus = random.chance(0.3);
      const value = mutated(random, isStatus ? (status ?? spec) : spec, kind.spec) ?? null;
      // A patch: each server would want the resourceVersion that it gave itself.
      const updated = await ask({
        what: isStatus ? "status" : "update",
        method: "PATCH",
        path: isStatus ? `${at}/status` : at,
        body: [{ op: "add", path: isStatus ? "/status" : "/spec", value }],
        headers: { "content-type": "application/json-patch+json" },
      });
      if (updated.divergence !== undefined) return updated.divergence;
    }
  }
  return undefined;
}

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly normal: unknown;
}

async function send(client: Client, { method, path, body, headers }: Operation): Promise<Answered> {
  const { status, text, headers: answered } = await client.request(method, path, body, headers);
  const warnings =
    answered.warning === undefined
      ? []
      : String(answered.warning)
          .split(/, (?=299 )/)
          .sort();
  return { status, text, normal: { status, warnings, body: normalised(JSON.parse(text)) } };
}

/** The last two are told apart in docs/differences.md: of versions that lack fields of another the servers count and own differently. */
const OF_THE_SERVER: ReadonlySet<string> = new Set(["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"]);

/** Without what no two servers agree on; keys and causes in an order of ours: Go's maps have none. */
function normalised(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalised);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([key]) => !OF_THE_SERVER.has(key));
  fields.sort(([one], [other]) => (one < other ? -1 : 1));
  const result = Object.fromEntries(fields.map(([key, field]) => [key, key === "causes" ? sortedCauses(field) : normalised(field)]));
  // The sentence tells the causes over again.
  if (result.kind === "Status" && result.details !== undefined) return { ...result, message: "" };
  return typeof result.message === "string" ? { ...result, message: withoutField(result.message) } : result;
}

interface Cause {
  readonly field?: string;
  readonly message?: string;
}

/** A fault that is told without its field; the message then names it. */
const OF_NO_FIELD = /^Invalid value: "": ("|Checked value)/;

/** By field; of one field in the order in which they were told. Those of no field may be of any. */
function sortedCauses(causes: unknown): unknown {
  const list = (causes as readonly Cause[]).map(withoutObject); // the wire format under test
  const key = ({ field = "", message = "" }: Cause) => (OF_NO_FIELD.test(message) ? `${field} ${message}` : field);
  return list.sort((one, other) => (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0));
}

/** The fault of a patch whose result cannot be read tells the whole object, as each server has it, and one of the fields at fault. */
function withoutObject(cause: Cause): Cause {
  return cause.field === "patch" ? { ...cause, message: withoutField(cause.message ?? "") } : cause;
}

/** Of several fields that cannot be read Go tells any, and perhaps the type in Go that it was to be. */
function withoutField(sentence: string): string {
  return UNREADABLE.test(sentence) ? "a field cannot be read" : sentence;
}

const UNREADABLE = /json: cannot unmarshal |Invalid value: .*: must be a string$/s;
