// A version that lacks fields of another, also within what is atomic. What somebody just applied is there, what others applied in the same version stays, and what
// nobody names any more goes, whoever owns something in whichever version; Go refuses such applies.
import { t } from "@annex/apimachinery";
import { type Harness, startHarness } from "@annex/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { defineResource, type Resource, resourceFromCRD } from "../definition/index.ts";

const text = { type: "string" };
/** Nobody owns the default: it goes with what it is in. */
const probe = { type: "object", required: ["path"], properties: { path: text, period: { type: "string", default: "10" } } };
const rules = (properties: object) => ({ type: "array", items: { type: "object", properties: { path: text, ...properties } } });
const items = (properties: object) => ({
  type: "array",
  nullable: true,
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["name"],
  items: { type: "object", required: ["name"], properties: { name: text, ...properties } },
});
// Nullable: what an apply takes all from is null in a custom resource, as in Go, and would be refused.
const version = (name: string, isStorage: boolean, spec: object) => ({
  name,
  served: true,
  storage: isStorage,
  schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", nullable: true, properties: spec } } } },
});
const Beast = resourceFromCRD({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "beasts.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "beasts", singular: "beast", kind: "Beast", listKind: "BeastList" },
    versions: [
      version("v1", true, {
        title: text,
        size: text,
        nest: { type: "object", nullable: true, properties: { a: text, b: text } },
        parts: items({ v: text, w: text }),
        rules: rules({ port: text }),
        probe,
      }),
      version("v1beta1", false, {
        size: text,
        nest: { type: "object", nullable: true, properties: { a: text } },
        parts: items({ v: text }),
        rules: rules({}),
        probe,
      }),
      version("v1alpha1", false, { title: text }),
    ],
  },
} as never);

const nest = { a: t.optional(t.string()), b: t.optional(t.string()) };
const rule = { path: t.optional(t.string()), port: t.optional(t.string()) };
const typedProbe = t.optional(t.object({ path: t.string(), period: t.string({ default: "10" }) }));
/** The same by an author's functions. */
const Brute = defineResource({
  group: "example.com",
  kind: "Beast",
  scope: "Namespaced",
  versions: {
    v1: {
      storage: true,
      schema: {
        spec: t.object({
          title: t.optional(t.string()),
          size: t.optional(t.string()),
          nest: t.optional(t.object(nest)),
          parts: t.optional(t.listMap(t.object({ name: t.string(), v: t.optional(t.string()), w: t.optional(t.string()) }), { keys: ["name"] })),
          rules: t.optional(t.array(t.object(rule))),
          probe: typedProbe,
        }),
      },
    },
    v1beta1: {
      schema: {
        spec: t.object({
          size: t.optional(t.string()),
          nest: t.optional(t.object({ a: nest.a })),
          parts: t.optional(t.listMap(t.object({ name: t.string(), v: t.optional(t.string()) }), { keys: ["name"] })),
          rules: t.optional(t.array(t.object({ path: rule.path }))),
          probe: typedProbe,
        }),
      },
      toStorage: ({ spec }) => ({ spec }),
      fromStorage: ({ spec: { size, nest: inner, parts, rules: all, probe: one } }) => ({
        spec: {
          ...(size !== undefined && { size }),
          ...(inner !== undefined && { nest: inner.a === undefined ? {} : { a: inner.a } }),
          ...(parts !== undefined && { parts: parts.map(({ name, v }) => ({ name, ...(v !== undefined && { v }) })) }),
          ...(all !== undefined && { rules: all.map(({ path }) => (path === undefined ? {} : { path })) }),
          ...(one !== undefined && { probe: one }),
        },
      }),
    },
    v1alpha1: {
      schema: { spec: t.object({ title: t.optional(t.string()) }) },
      toStorage: ({ spec }) => ({ spec }),
      fromStorage: ({ spec: { title } }) => ({ spec: title === undefined ? {} : { title } }),
    },
  },
});

interface Spec {
  readonly title?: string;
  readonly size?: string;
  readonly nest?: Readonly<Record<string, string>>;
  readonly parts?: readonly Readonly<Record<string, string>>[];
  readonly rules?: readonly Readonly<Record<string, string>>[];
  readonly probe?: Readonly<Record<string, string>>;
}
const some = fc.constantFrom("1", "2");
const optional = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] });
const part = (fields: Record<string, fc.Arbitrary<string>>) =>
  fc.uniqueArray(fc.record({ name: fc.constantFrom("p", "q"), ...fields }, { requiredKeys: ["name"] }), {
    selector: ({ name }) => name,
    minLength: 1,
    maxLength: 2,
  });
const rulesOf = (fields: Record<string, fc.Arbitrary<string>>) => fc.array(optional(fields), { minLength: 1, maxLength: 2 });
const specs: Readonly<Record<"v1" | "v1beta1", fc.Arbitrary<Spec | undefined>>> = {
  v1: optional({
    title: some,
    size: some,
    // Who owns an empty object owns it in one version, while in another it holds something.
    nest: optional({ a: some, b: some }).filter((one) => Object.keys(one).length > 0),
    parts: part({ v: some, w: some }),
    rules: rulesOf({ path: some, port: some }),
    probe: fc.record({ path: some }),
  }) as fc.Arbitrary<Spec>,
  v1beta1: optional({
    size: some,
    nest: fc.record({ a: some }),
    parts: part({ v: some }),
    rules: rulesOf({ path: some }),
    probe: fc.record({ path: some }),
  }) as fc.Arbitrary<Spec>,
};
type Version = "v1" | "v1beta1" | "v1alpha1";
const apply = (name: "v1" | "v1beta1") =>
  fc.record({ version: fc.constant<Version>(name), manager: fc.constantFrom("one", "two", "three"), spec: specs[name] });
const label = fc.record({
  version: fc.constantFrom<Version>("v1beta1", "v1alpha1"),
  manager: fc.constantFrom("one", "labels"),
  spec: fc.constant(undefined),
});
const steps = fc.array(fc.oneof({ weight: 4, arbitrary: apply("v1") }, { weight: 2, arbitrary: apply("v1beta1") }, label), {
  minLength: 2,
  maxLength: 8,
});

test.each<{ what: string; resource: Resource }>([
  { what: "a CustomResourceDefinition", resource: Beast },
  { what: "an author's conversions", resource: Brute },
])("what is applied is there, what others applied stays, what nobody names goes: $what", { timeout: 60_000 }, async ({ resource }) => {
  await using server = await startHarness([resource]);
  let runs = 0;
  let [stayed, gone] = [0, 0];
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const name = `beast-${++runs}`;
      const at = (one: string) => `/apis/example.com/${one}/namespaces/default/beasts/${name}`;
      const mentioned = (one: string, spec: unknown) => ({ apiVersion: `example.com/${one}`, kind: "Beast", metadata: { name }, spec });
      const first = await server.request("POST", at("v1beta1").replace(/\/[^/]*$/, ""), { body: mentioned("v1beta1", { size: "1" }) });
      expect(first.status).toBe(201);
      const claims = new Claims();
      for (const [index, { version: one, manager, spec }] of all.entries()) {
        if (spec === undefined) {
          const body = { metadata: { labels: { step: String(index) } } };
          const headers = { "content-type": "application/merge-patch+json" };
          expect((await server.request("PATCH", `${at(one)}?fieldManager=${manager}`, { body, headers })).status).toBe(200);
          claims.write(one);
          continue;
        }
        const headers = { "content-type": "application/apply-patch+yaml" };
        const answer = await server.request("PATCH", `${at(one)}?fieldManager=${manager}&force=true`, { body: mentioned(one, spec), headers });
        expect(answer.status, answer.text).toBe(200);
        const { here, away } = claims.apply(manager, one, leavesOf(spec));
        stayed += here.size - leavesOf(spec).size;
        gone += away.length;
        for (const told of [answer.json(), (await server.request("GET", at(one))).json()]) {
          const leaves = leavesOf(told.spec ?? {});
          for (const [path, value] of here) expect(leaves.get(path), path).toBe(value);
          for (const path of away) expect(leaves.has(path), `${path} is still there`).toBe(false);
          if (away.includes("probe.path")) expect(told.spec?.probe).toBeUndefined();
        }
      }
    }),
    { numRuns: 200 },
  );
  // Otherwise nothing was looked at.
  expect(stayed).toBeGreaterThan(50);
  expect(gone).toBeGreaterThan(50);
});

/** The scalars of a spec, elements of lists by their names, and what is atomic as one, each by its path. */
function leavesOf({ title, size, nest: inner, parts, rules: all, probe: one }: Spec): Map<string, string> {
  const leaves = new Map<string, string>();
  if (title !== undefined) leaves.set("title", title);
  if (size !== undefined) leaves.set("size", size);
  for (const [field, value] of Object.entries(inner ?? {})) leaves.set(`nest.${field}`, value);
  for (const { name, ...fields } of parts ?? []) {
    leaves.set(`parts.${name}`, "");
    for (const [field, value] of Object.entries(fields)) leaves.set(`parts.${name}.${field}`, value);
  }
  if (one?.path !== undefined) leaves.set("probe.path", one.path);
  if (all !== undefined) leaves.set("rules", JSON.stringify(all.map((one) => Object.entries(one).sort())));
  return leaves;
}

/** Fields that a version lacks: a write in it loses them, whoever owns them. */
const LACKING: Readonly<Record<Version, RegExp>> = {
  v1: /^$/,
  v1beta1: /^(title|nest\.b|parts\.[pq]\.w)$/,
  v1alpha1: /^(?!title$)/,
};

/** What each manager applied last, as far as nobody took it or lost it since. */
class Claims {
  readonly #byManager = new Map<string, { readonly version: Version; readonly leaves: Map<string, string> }>();
  /** Who ever applied what: whether it owns that still is for the server to know. */
  readonly #appliers = new Map<string, Set<string>>();

  write(version: Version): void {
    for (const claim of this.#byManager.values()) {
      for (const path of claim.leaves.keys()) {
        const isCut = path === "rules" && claim.version !== version;
        if (isCut || LACKING[version].test(path)) claim.leaves.delete(path);
      }
    }
  }

  /** @returns what has to be there in the version of the apply, and what not. */
  apply(manager: string, version: Version, leaves: Map<string, string>): { readonly here: Map<string, string>; readonly away: readonly string[] } {
    this.write(version);
    const before = this.#byManager.get(manager);
    for (const path of leaves.keys()) this.#appliers.set(path, (this.#appliers.get(path) ?? new Set()).add(manager));
    // `size` is what the object was created with.
    const isNobodys = (path: string) => path !== "size" && !leaves.has(path) && this.#appliers.get(path)?.size === 1;
    const away = before?.version === version ? [...before.leaves.keys()].filter(isNobodys) : [];
    this.#byManager.set(manager, { version, leaves: new Map(leaves) });
    const here = new Map(leaves);
    for (const [other, claim] of this.#byManager) {
      if (other === manager) continue;
      for (const [path, value] of claim.leaves) {
        if (leaves.has(path) && leaves.get(path) !== value) claim.leaves.delete(path);
        else if (claim.version === version) here.set(path, value);
      }
    }
    return { here, away };
  }
}

const APPLY = "apply-patch+yaml";
const MERGE = "merge-patch+json";
interface Sent {
  readonly version: string;
  readonly kind: string;
  readonly manager: string;
  readonly type?: string;
}

/** Sends a patch of the one object of a kind that is cluster scoped: a forced apply of a spec, or a patch of another type as it is. */
async function patch(server: Harness, { version: one, kind, manager, type = APPLY }: Sent, body: object) {
  const sent = type === APPLY ? { apiVersion: `example.com/${one}`, kind, metadata: { name: "one" }, spec: body } : body;
  const path = `/apis/example.com/${one}/${kind.toLowerCase()}s/one?fieldManager=${manager}${type === APPLY ? "&force=true" : ""}`;
  const answer = await server.request("PATCH", path, { body: sent, headers: { "content-type": `application/${type}` } });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.json();
}

test("a value that another version rounds stays as it was applied", async () => {
  const Timer = defineResource({
    group: "example.com",
    kind: "Timer",
    scope: "Cluster",
    versions: {
      v1: {
        storage: true,
        schema: { spec: t.object({ millis: t.optional(t.integer()), title: t.optional(t.string()), host: t.optional(t.string()) }) },
      },
      v1beta1: {
        schema: { spec: t.object({ seconds: t.optional(t.integer()), title: t.optional(t.string()), host: t.optional(t.string()) }) },
        toStorage: ({ spec: { seconds, ...rest } }) => ({ spec: { ...rest, ...(seconds !== undefined && { millis: seconds * 1000 }) } }),
        fromStorage: ({ spec: { millis, ...rest } }) => ({ spec: { ...rest, ...(millis !== undefined && { seconds: Math.floor(millis / 1000) }) } }),
      },
    },
  });
  await using server = await startHarness([Timer]);
  const apply = (one: string, manager: string, spec: object) => patch(server, { version: one, kind: "Timer", manager }, spec);
  await apply("v1beta1", "one", { title: "a", host: "h" });
  await apply("v1", "two", { millis: 1500 });
  // It goes to another version, and lets go of the title.
  const answer = await apply("v1", "one", { host: "h" });
  expect(answer.spec).toEqual({ millis: 1500, host: "h" });
  expect(answer.metadata.managedFields).toContainEqual(expect.objectContaining({ manager: "two", fieldsV1: { "f:spec": { "f:millis": {} } } }));
  await apply("v1beta1", "two", { seconds: 1, title: "b" });
  expect((await apply("v1", "two", { millis: 1700 })).spec).toEqual({ millis: 1700, host: "h" });
});

/** A cluster scoped Beast. */
function beastOf(versions: readonly ReturnType<typeof version>[]): Resource {
  const plural = { plural: "beasts", singular: "beast", kind: "Beast", listKind: "BeastList" };
  const spec = { group: "example.com", scope: "Cluster", names: plural, versions };
  return resourceFromCRD({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "beasts.example.com" },
    spec,
  } as never);
}

// As a kube-apiserver answers.
test.each<{ what: string; steps: readonly (readonly [version: "v1" | "v2", manager: string, spec: object, isApply?: boolean])[]; spec: object }>([
  {
    what: "an element of a set",
    steps: [
      ["v2", "m", {}],
      ["v1", "o", { s: ["g"] }],
      ["v1", "o", { s: ["h"] }],
    ],
    spec: { s: ["g", "h"] },
  },
  {
    what: "all of an object",
    steps: [
      ["v1", "o", { o: { x: "y", y: "y" } }],
      ["v2", "u", { s: ["g"] }, false],
      ["v1", "o", { o: {} }],
    ],
    spec: { o: { x: "y", y: "y" }, s: ["g"] },
  },
  {
    what: "a field of an object",
    steps: [
      ["v1", "o", { o: { x: "y", y: "y" }, a: "x" }],
      ["v2", "u", { a: "x" }],
      ["v1", "o", { o: { x: "z" } }],
    ],
    spec: { o: { x: "z", y: "y" }, a: "x" },
  },
])("versions that lack nothing, one of which owns as a whole what the other owns in parts: $what", async ({ steps: all, spec }) => {
  const own = (isWhole: boolean) => ({
    a: text,
    s: { type: "array", items: text, "x-kubernetes-list-type": isWhole ? "atomic" : "set" },
    o: { type: "object", properties: { x: text, y: text }, "x-kubernetes-map-type": isWhole ? "atomic" : "granular" },
  });
  const versions = [version("v1", true, own(false)), version("v2", false, own(true))];
  await using server = await startHarness([beastOf(versions)]);
  let answer: { readonly spec?: object } = {};
  for (const [one, manager, wanted, isApply = true] of all) {
    answer = await (isApply
      ? patch(server, { version: one, kind: "Beast", manager }, wanted)
      : patch(server, { version: one, kind: "Beast", manager, type: MERGE }, { spec: wanted }));
  }
  expect(answer.spec).toEqual(spec);
});

const words = () => t.optional(t.string());
const names = t.optional(t.listMap(t.object({ name: t.string() }), { keys: ["name"] }));
const ONLY_V1 = "example.com/only-v1";
/** Of a part of an object its conversions make something else than of the whole. */
const Puzzle = defineResource({
  group: "example.com",
  kind: "Puzzle",
  scope: "Cluster",
  versions: {
    v1: {
      storage: true,
      schema: {
        spec: t.object({
          title: words(),
          first: words(),
          last: words(),
          extra: words(),
          ports: t.optional(t.listMap(t.object({ name: t.string(), proto: words() }), { keys: ["name"] })),
          parts: t.optional(t.listMap(t.object({ name: t.string(), v: words(), w: words() }), { keys: ["name"] })),
        }),
      },
    },
    // One text of two, two lists of one, and what it has no field for in an annotation.
    v1beta1: {
      schema: {
        spec: t.object({
          title: words(),
          name: words(),
          tcp: names,
          udp: names,
          parts: t.optional(t.listMap(t.object({ name: t.string(), v: words() }), { keys: ["name"] })),
        }),
      },
      toStorage: ({ metadata, spec: { name, tcp = [], udp = [], ...rest } }) => {
        const { [ONLY_V1]: extra, ...annotations } = metadata.annotations ?? {};
        const [first, last] = name?.split(" ") ?? [];
        const ports = [...tcp, ...udp.map((port) => ({ ...port, proto: "udp" }))];
        return {
          metadata: { ...metadata, annotations },
          spec: { ...rest, ...(first && { first }), ...(last && { last }), ...(extra && { extra }), ...(ports.length > 0 && { ports }) },
        };
      },
      fromStorage: ({ metadata, spec: { first, last, extra, ports = [], parts, ...rest } }) => {
        const [tcp, udp] = ["tcp", "udp"].map((proto) => ports.filter((port) => (port.proto ?? "tcp") === proto).map(({ name }) => ({ name })));
        return {
          metadata: { ...metadata, annotations: { ...metadata.annotations, ...(extra && { [ONLY_V1]: extra }) } },
          spec: {
            ...rest,
            ...(first && last && { name: `${first} ${last}` }),
            ...(tcp?.length && { tcp }),
            ...(udp?.length && { udp }),
            ...(parts && { parts: parts.map(({ name, v }) => ({ name, ...(v && { v }) })) }),
          },
        };
      },
    },
    v1alpha1: {
      schema: { spec: t.object({ title: words(), weights: t.optional(t.record(t.string())) }) },
      toStorage: ({ metadata, spec: { weights, ...rest } }) => ({
        metadata,
        spec: { ...rest, ...(weights && { parts: Object.entries(weights).map(([name, w]) => ({ name, w })) }) },
      }),
      fromStorage: ({ metadata, spec: { title, parts } }) => ({
        metadata,
        spec: { ...(title && { title }), ...(parts && { weights: Object.fromEntries(parts.flatMap(({ name, w }) => (w ? [[name, w]] : []))) }) },
      }),
    },
  },
});

test.each<{ what: string; steps: readonly (readonly [version: string, manager: string, spec: object])[]; spec: object }>([
  {
    what: "the applied half of what was one",
    steps: [
      ["v1beta1", "one", { name: "F L", title: "t" }],
      ["v1", "one", { first: "F", title: "t" }],
    ],
    spec: { first: "F", title: "t" },
  },
  {
    what: "another's half of what was one",
    steps: [
      ["v1beta1", "one", { name: "F L", title: "t" }],
      ["v1", "two", { last: "L" }],
      ["v1", "one", { title: "t" }],
    ],
    spec: { last: "L", title: "t" },
  },
  {
    what: "what another's half is seen as",
    steps: [
      ["v1beta1", "one", { name: "F L", title: "t" }],
      ["v1", "two", { last: "L" }],
      ["v1beta1", "one", { title: "t" }],
    ],
    spec: { name: "F L", title: "t" },
  },
  {
    what: "an applied element that goes to another list",
    steps: [
      ["v1beta1", "one", { title: "t" }],
      ["v1", "two", { ports: [{ name: "a", proto: "udp" }] }],
      ["v1", "two", { ports: [{ name: "a" }] }],
    ],
    spec: { ports: [{ name: "a" }], title: "t" },
  },
  {
    what: "what is owned in a third version",
    steps: [
      ["v1beta1", "one", { parts: [{ name: "p", v: "1" }], title: "t" }],
      ["v1alpha1", "two", { weights: { p: "5" } }],
      ["v1beta1", "one", { parts: [{ name: "p", v: "1" }], title: "t" }],
      ["v1alpha1", "two", { weights: { p: "5" } }],
      ["v1", "one", { title: "t" }],
    ],
    spec: { parts: [{ name: "p", w: "5" }], title: "t" },
  },
  {
    what: "nothing that nobody owns, although another version has it in an annotation",
    steps: [
      ["v1beta1", "one", { title: "t" }],
      ["v1", "two", { ports: [{ name: "a" }], extra: "e" }],
      ["v1", "two", { ports: [{ name: "a" }] }],
    ],
    spec: { ports: [{ name: "a" }], title: "t" },
  },
])("an author's functions that make of a part what they do not make of the whole leave $what", async ({ steps: all, spec }) => {
  await using server = await startHarness([Puzzle]);
  let answer: { readonly spec?: object } = {};
  for (const [one, manager, wanted] of all) answer = await patch(server, { version: one, kind: "Puzzle", manager }, wanted);
  expect(answer.spec).toEqual(spec);
});

/** One version names what the other steers by a field, and its functions take no part of an address. */
const Route = defineResource({
  group: "example.com",
  kind: "Route",
  scope: "Cluster",
  versions: {
    v1: {
      storage: true,
      schema: { spec: t.object({ title: words(), type: words(), tcp: words(), udp: words(), host: words(), port: words(), extra: words() }) },
    },
    v1beta1: {
      schema: { spec: t.object({ title: words(), type: words(), target: words(), url: t.string() }) },
      toStorage: ({ spec: { type, target, url, ...rest } }) => {
        const { hostname, port } = new URL(url);
        return {
          spec: {
            ...rest,
            ...(type && { type }),
            ...(target && { [type ?? "tcp"]: target }),
            host: hostname,
            port,
          },
        };
      },
      fromStorage: ({ spec: { title, type, tcp, udp, host, port } }) => {
        const target = type === "udp" ? udp : tcp;
        return {
          spec: {
            ...(title && { title }),
            ...(type && { type }),
            ...(target && { target }),
            url: `http://${host ?? "h"}:${port ?? "8080"}/`,
          },
        };
      },
    },
  },
});

test.each<{ what: string; steps: readonly (readonly [version: string, manager: string, spec: object])[]; owners?: object; spec: object }>([
  {
    what: "what the field of another steers",
    steps: [
      ["v1beta1", "two", { type: "udp", url: "http://h:8080/" }],
      ["v1", "one", { udp: "u", title: "t" }],
      ["v1", "one", { title: "t" }],
    ],
    spec: { type: "udp", host: "h", port: "8080", title: "t" },
  },
  {
    what: "what another version has no field for, where nothing that is owned there can be converted alone",
    steps: [
      ["v1", "one", { host: "h", port: "8080", extra: "e" }],
      ["v1beta1", "two", { url: "http://h:8080/" }],
      ["v1", "one", { host: "h", port: "8080", extra: "e" }],
      ["v1", "one", { host: "h", port: "8080" }],
    ],
    spec: { host: "h", port: "8080" },
  },
  {
    what: "a field, whoever is said to own the type",
    steps: [
      ["v1", "one", { title: "t", extra: "e" }],
      ["v1", "one", { title: "t" }],
    ],
    owners: { "f:apiVersion": {} },
    spec: { title: "t" },
  },
])("an applier lets go of $what", async ({ steps: all, owners, spec }) => {
  const { resource, kind } = owners === undefined ? { resource: Route, kind: "Route" } : { resource: Puzzle, kind: "Puzzle" };
  await using server = await startHarness([resource]);
  const inV1 = { version: "v1", kind, manager: "one" };
  let answer: { readonly spec?: object } = {};
  for (const [index, [one, manager, wanted]] of all.entries()) {
    if (index === all.length - 1) {
      // Somebody owns something in the other version.
      await patch(server, { version: "v1beta1", kind, manager: "labels", type: MERGE }, { metadata: { labels: { a: "b" } } });
      const { metadata } = await patch(server, { ...inV1, type: MERGE }, {});
      const entry = { manager: "said", operation: "Apply", apiVersion: "example.com/v1beta1", fieldsType: "FieldsV1", fieldsV1: owners };
      if (owners) await patch(server, { ...inV1, type: MERGE }, { metadata: { managedFields: [entry, ...(metadata.managedFields ?? [])] } });
      else await patch(server, inV1, all.at(-2)?.[2] ?? {});
    }
    answer = await patch(server, { version: one, kind, manager }, wanted);
  }
  expect(answer.spec).toEqual(spec);
});

test("what steers another's field stays, and so does the whole of an element of which another owns a part", async () => {
  const ports = { type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] };
  const port = { type: "object", properties: { name: { type: "string", default: "main" }, number: text, v: text } };
  const spec = { title: text, ports: { ...ports, items: port } };
  const versions = [version("v1", true, { ...spec, extra: text }), version("v1beta1", false, spec)];
  await using server = await startHarness([Route, beastOf(versions)]);
  const send = (one: string, kind: string, manager: string, wanted: object) => patch(server, { version: one, kind, manager }, wanted);
  const url = "http://h:8080/";
  await send("v1beta1", "Route", "one", { type: "udp", title: "t", url });
  await send("v1", "Route", "two", { udp: "u" });
  expect((await send("v1beta1", "Route", "one", { title: "t", url })).spec).toEqual({ type: "udp", target: "u", title: "t", url });

  const [first, second] = [{ name: "z" }, { name: "a", number: "80", v: "1" }];
  await send("v1", "Beast", "one", { ports: [first, second] });
  await patch(server, { version: "v1beta1", kind: "Beast", manager: "two", type: MERGE }, { spec: { ports: [first, { ...second, v: "2" }] } });
  await send("v1", "Beast", "three", { extra: "e" });
  expect((await send("v1", "Beast", "one", { ports: [first] })).spec).toEqual({ ports: [first, { ...second, v: "2" }], extra: "e" });
});
