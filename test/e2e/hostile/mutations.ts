// Which changes a request can be given: each is a name and a seed, so that any of them can be left out and the others stay as they were.
import { BYTES_MUTATORS } from "./mutate-bytes.ts";
import { HEADER_MUTATORS } from "./mutate-headers.ts";
import { JSON_MUTATORS, patchOperations } from "./mutate-json.ts";
import { PROTOBUF_MUTATORS } from "./mutate-protobuf.ts";
import { TARGET_MUTATORS } from "./mutate-target.ts";
import { YAML_MUTATORS } from "./mutate-yaml.ts";
import { Random } from "./random.ts";
import { type HostileRequest, headerOf } from "./request.ts";

type Mutator = (request: HostileRequest, random: Random) => HostileRequest;

/** One change, the same whenever it is made. */
export interface Mutation {
  readonly name: string;
  readonly seed: number;
}

const MAX_MUTATIONS = 5;
/** How many requests go out as they are: they show that the corpus is valid, and keep objects coming. */
const UNCHANGED = 0.04;

/** Well beyond what a body may be; what would grow larger stays as it was. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function prefixed(group: string, mutators: Readonly<Record<string, Mutator>>): [string, Mutator][] {
  return Object.entries(mutators).map(([name, mutate]) => [`${group}: ${name}`, mutate]);
}

const onBytes =
  (mutate: (bytes: Uint8Array, random: Random) => Uint8Array): Mutator =>
  (request, random) => ({
    ...request,
    body: mutate(request.body ?? encoder.encode("{}"), random),
  });

const onText = (mutate: (text: string, random: Random) => string): Mutator =>
  onBytes((bytes, random) => encoder.encode(mutate(decoder.decode(bytes), random)));

/** What is no JSON (any more), or nests deeper than this program can go, stays as it is. */
const onJSON = (mutate: (value: unknown, random: Random) => string): Mutator =>
  onText((text, random) => {
    try {
      return mutate(JSON.parse(text), random);
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof RangeError) return text;
      throw error;
    }
  });

const map = <T>(mutators: Readonly<Record<string, T>>, wrap: (mutate: T) => Mutator): Record<string, Mutator> =>
  Object.fromEntries(Object.entries(mutators).map(([name, mutate]) => [name, wrap(mutate)]));

const GROUPS = {
  target: prefixed("target", TARGET_MUTATORS),
  headers: prefixed("headers", HEADER_MUTATORS),
  bytes: prefixed("bytes", map(BYTES_MUTATORS, onBytes)),
  json: prefixed("json", map(JSON_MUTATORS, onJSON)),
  yaml: prefixed("yaml", map(YAML_MUTATORS, onText)),
  protobuf: prefixed("protobuf", map(PROTOBUF_MUTATORS, onBytes)),
  patch: prefixed("patch", { operations: onText((_text, random) => patchOperations(random)) }),
} as const;
const MUTATORS: ReadonlyMap<string, Mutator> = new Map(Object.values(GROUPS).flat());

/** The groups whose changes suit a request; those of its body stand twice. */
function groupsFor(request: HostileRequest): (keyof typeof GROUPS)[] {
  if (request.body === undefined) return ["target", "target", "target", "headers"];
  const type = headerOf(request, "content-type") ?? "";
  const form = type.includes("protobuf") ? "protobuf" : type.includes("yaml") ? "yaml" : "json";
  return ["target", "headers", "bytes", form, form, form, ...(type.includes("json-patch") ? (["patch"] as const) : [])];
}

/** Chooses what a request is to become. */
export function chooseMutations(request: HostileRequest, random: Random): readonly Mutation[] {
  if (random.chance(UNCHANGED)) return [];
  const groups = groupsFor(request);
  const chosen: Mutation[] = [];
  do {
    const [name] = random.pick(GROUPS[random.pick(groups)]);
    chosen.push({ name, seed: random.next() });
  } while (chosen.length < MAX_MUTATIONS && random.chance(0.4));
  return chosen;
}

export function applyMutations(request: HostileRequest, mutations: readonly Mutation[]): HostileRequest {
  let changed = request;
  for (const { name, seed } of mutations) {
    const next = MUTATORS.get(name)?.(changed, new Random(seed)) ?? changed;
    if ((next.body?.length ?? 0) <= MAX_BODY_BYTES) changed = next;
  }
  return changed;
}
