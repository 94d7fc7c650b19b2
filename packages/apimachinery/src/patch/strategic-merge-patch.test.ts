import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JSONObject } from "../meta/index.ts";
import type { Schema } from "../schema/schema.ts";
import { applyStrategicMergePatch } from "./index.ts";

const merged = (mergeKey: string, strategy = "merge", items: Schema = { type: "object" }): Schema => ({
  type: "array",
  items,
  "x-kubernetes-patch-strategy": strategy,
  "x-kubernetes-patch-merge-key": mergeKey,
});

// The fields of a container, a pod's spec and a deployment's spec that the cases are about, all in one object; and those of metadata, which the
// function knows by itself.
const schema: Schema = {
  type: "object",
  properties: {
    env: merged("name"),
    args: { type: "array", items: { type: "string" } },
    ports: merged("containerPort"),
    volumeMounts: merged("mountPath"),
    volumes: merged("name", "merge,retainKeys"),
    tolerations: { type: "array", items: { type: "object" } },
    imagePullSecrets: merged("name"),
    hostAliases: merged("ip"),
    nodeSelector: { type: "object", additionalProperties: { type: "string" } },
    securityContext: { type: "object" },
    strategy: { type: "object", "x-kubernetes-patch-strategy": "retainKeys" },
    selector: { type: "object", "x-kubernetes-patch-strategy": "replace" },
    keyless: { type: "array", items: { type: "object" }, "x-kubernetes-patch-strategy": "merge" },
  },
};

interface Case {
  readonly name: string;
  readonly target: JSONObject;
  readonly patch: JSONObject;
}

/** What a kube-apiserver 1.36 made of these patches of a Deployment, its defaults left out (it also leaves out lists that became empty). */
const recorded: readonly (Case & { readonly want: JSONObject })[] = [
  {
    name: "env merges by name",
    target: {
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
      ],
    },
    patch: {
      env: [
        { name: "B", value: "3" },
        { name: "C", value: "4" },
      ],
    },
    want: {
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "3" },
        { name: "C", value: "4" },
      ],
    },
  },
  {
    name: "env: deletes an element",
    target: {
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
      ],
    },
    patch: { env: [{ name: "A", $patch: "delete" }] },
    want: { env: [{ name: "B", value: "2" }] },
  },
  {
    name: "env: replaces the list",
    target: {
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
      ],
    },
    patch: { env: [{ name: "C", value: "3" }, { $patch: "replace" }] },
    want: { env: [{ name: "C", value: "3" }] },
  },
  {
    name: "env: deletes what is not there",
    target: { env: [{ name: "A", value: "1" }] },
    patch: { env: [{ name: "Z", $patch: "delete" }] },
    want: { env: [{ name: "A", value: "1" }] },
  },
  {
    name: "env: order by setElementOrder",
    target: {
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
        { name: "C", value: "3" },
      ],
    },
    patch: { "$setElementOrder/env": [{ name: "C" }, { name: "A" }], env: [{ name: "A", value: "9" }] },
    want: {
      env: [
        { name: "B", value: "2" },
        { name: "C", value: "3" },
        { name: "A", value: "9" },
      ],
    },
  },
  {
    name: "env: only an order",
    target: {
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
        { name: "C", value: "3" },
      ],
    },
    patch: { "$setElementOrder/env": [{ name: "C" }, { name: "B" }, { name: "A" }] },
    want: {
      env: [
        { name: "C", value: "3" },
        { name: "B", value: "2" },
        { name: "A", value: "1" },
      ],
    },
  },
  {
    name: "env: server-only elements keep their place",
    target: {
      env: [
        { name: "A", value: "1" },
        { name: "S", value: "s" },
        { name: "B", value: "2" },
      ],
    },
    patch: { "$setElementOrder/env": [{ name: "N" }, { name: "A" }, { name: "B" }], env: [{ name: "N", value: "n" }] },
    want: {
      env: [
        { name: "N", value: "n" },
        { name: "A", value: "1" },
        { name: "S", value: "s" },
        { name: "B", value: "2" },
      ],
    },
  },
  {
    name: "env: a new element takes the place of a deleted one",
    target: {
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
        { name: "S", value: "s" },
      ],
    },
    patch: {
      "$setElementOrder/env": [{ name: "B" }, { name: "C" }],
      env: [
        { name: "C", value: "3" },
        { name: "A", $patch: "delete" },
      ],
    },
    want: {
      env: [
        { name: "B", value: "2" },
        { name: "S", value: "s" },
        { name: "C", value: "3" },
      ],
    },
  },
  {
    name: "env: two deleted, three new, one of the server's",
    target: {
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
        { name: "D", value: "4" },
        { name: "S", value: "s" },
      ],
    },
    patch: {
      "$setElementOrder/env": [{ name: "D" }, { name: "X" }, { name: "Y" }, { name: "Z" }],
      env: [
        { name: "X", value: "3" },
        { name: "Y", value: "3" },
        { name: "Z", value: "3" },
        { name: "A", $patch: "delete" },
        { name: "B", $patch: "delete" },
      ],
    },
    want: {
      env: [
        { name: "D", value: "4" },
        { name: "S", value: "s" },
        { name: "X", value: "3" },
        { name: "Y", value: "3" },
        { name: "Z", value: "3" },
      ],
    },
  },
  {
    name: "env: patch elements before those of the server",
    target: {
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
        { name: "C", value: "3" },
      ],
    },
    patch: {
      env: [
        { name: "C", value: "4" },
        { name: "A", value: "5" },
      ],
    },
    want: {
      env: [
        { name: "B", value: "2" },
        { name: "C", value: "4" },
        { name: "A", value: "5" },
      ],
    },
  },
  {
    name: "env: null removes a member of an element",
    target: { env: [{ name: "A", value: "1" }] },
    patch: { env: [{ name: "A", value: null, valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] },
    want: { env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] },
  },
  { name: "env: null removes the list", target: { env: [{ name: "A", value: "1" }] }, patch: { env: null }, want: {} },
  {
    name: "env: new list, its directives dropped",
    target: {},
    patch: {
      env: [
        { name: "A", value: "1" },
        { name: "B", $patch: "delete" },
      ],
    },
    want: { env: [{ name: "A", value: "1" }] },
  },
  { name: "args are replaced", target: { args: ["a", "b"] }, patch: { args: ["c"] }, want: { args: ["c"] } },
  {
    name: "args lose elements by deleteFromPrimitiveList",
    target: { args: ["a", "b", "c", "b"] },
    patch: { "$deleteFromPrimitiveList/args": ["b"] },
    want: { args: ["a", "c"] },
  },
  {
    name: "ports merge by containerPort, a number",
    target: { ports: [{ containerPort: 80, name: "http" }, { containerPort: 81 }] },
    patch: { ports: [{ containerPort: 81, name: "alt" }] },
    want: {
      ports: [
        { name: "http", containerPort: 80 },
        { name: "alt", containerPort: 81 },
      ],
    },
  },
  {
    name: "volumeMounts merge by mountPath",
    target: { volumeMounts: [{ name: "v", mountPath: "/a" }] },
    patch: {
      volumeMounts: [
        { name: "v", mountPath: "/b" },
        { mountPath: "/a", readOnly: true },
      ],
    },
    want: {
      volumeMounts: [
        { name: "v", mountPath: "/b" },
        { name: "v", readOnly: true, mountPath: "/a" },
      ],
    },
  },
  {
    name: "volumes: retainKeys changes the source",
    target: {
      volumes: [
        { name: "v", emptyDir: {} },
        { name: "w", emptyDir: {} },
      ],
    },
    patch: { volumes: [{ name: "v", $retainKeys: ["name", "configMap"], configMap: { name: "c" } }] },
    want: {
      volumes: [
        { name: "v", configMap: { name: "c" } },
        { name: "w", emptyDir: {} },
      ],
    },
  },
  {
    name: "tolerations have no strategy and are replaced",
    target: { tolerations: [{ key: "a", operator: "Exists" }] },
    patch: { tolerations: [{ key: "b", operator: "Exists" }] },
    want: { tolerations: [{ key: "b", operator: "Exists" }] },
  },
  {
    name: "imagePullSecrets merge by name",
    target: { imagePullSecrets: [{ name: "a" }, { name: "b" }] },
    patch: { imagePullSecrets: [{ name: "b" }, { name: "c" }] },
    want: { imagePullSecrets: [{ name: "a" }, { name: "b" }, { name: "c" }] },
  },
  {
    name: "hostAliases merge by ip, hostnames are replaced",
    target: { hostAliases: [{ ip: "1.2.3.4", hostnames: ["a", "b"] }] },
    patch: { hostAliases: [{ ip: "1.2.3.4", hostnames: ["c"] }] },
    want: { hostAliases: [{ ip: "1.2.3.4", hostnames: ["c"] }] },
  },
  {
    name: "nodeSelector: a map, one key removed",
    target: { nodeSelector: { a: "1", b: "2" } },
    patch: { nodeSelector: { a: null, c: "3" } },
    want: { nodeSelector: { b: "2", c: "3" } },
  },
  {
    name: "nodeSelector: replaced",
    target: { nodeSelector: { a: "1", b: "2" } },
    patch: { nodeSelector: { $patch: "replace", c: "3" } },
    want: { nodeSelector: { c: "3" } },
  },
  {
    name: "securityContext: deleted",
    target: { securityContext: { runAsUser: 7 } },
    patch: { securityContext: { $patch: "delete" } },
    want: { securityContext: {} },
  },
  {
    name: "an empty order, new elements",
    target: { imagePullSecrets: [{ name: "a" }, { name: "b" }] },
    patch: { "$setElementOrder/imagePullSecrets": [], imagePullSecrets: [{ name: "c" }, { name: "d" }] },
    want: { imagePullSecrets: [{ name: "a" }, { name: "b" }, { name: "d" }, { name: "c" }] },
  },
  {
    name: "strategy: retainKeys",
    target: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } },
    patch: { strategy: { $retainKeys: ["type"], type: "Recreate" } },
    want: { strategy: { type: "Recreate" } },
  },
  {
    name: "finalizers unite, the patch's first",
    target: { metadata: { finalizers: ["e.com/a", "e.com/b"] } },
    patch: { metadata: { finalizers: ["e.com/c", "e.com/b"] } },
    want: { metadata: { finalizers: ["e.com/c", "e.com/a", "e.com/b"] } },
  },
  {
    name: "finalizers: deleted and added",
    target: { metadata: { finalizers: ["e.com/a", "e.com/b"] } },
    patch: { metadata: { "$deleteFromPrimitiveList/finalizers": ["e.com/a"], finalizers: ["e.com/c"] } },
    want: { metadata: { finalizers: ["e.com/c", "e.com/b"] } },
  },
  {
    name: "finalizers: as kubectl sends them",
    target: { metadata: { finalizers: ["e.com/a", "e.com/s", "e.com/b"] } },
    patch: {
      metadata: {
        "$deleteFromPrimitiveList/finalizers": ["e.com/a"],
        "$setElementOrder/finalizers": ["e.com/b", "e.com/c"],
        finalizers: ["e.com/c"],
      },
    },
    want: { metadata: { finalizers: ["e.com/s", "e.com/b", "e.com/c"] } },
  },
  {
    name: "finalizers: an element twice in the patch",
    target: { metadata: { finalizers: ["e.com/a"] } },
    patch: { metadata: { finalizers: ["e.com/b", "e.com/b", "e.com/a"] } },
    want: { metadata: { finalizers: ["e.com/b", "e.com/a"] } },
  },
  {
    name: "finalizers: null under the directive's name",
    target: { metadata: { finalizers: ["e.com/a"] } },
    patch: { metadata: { "$deleteFromPrimitiveList/finalizers": null } },
    want: { metadata: {} },
  },
  {
    name: "ownerReferences merge by uid",
    target: { metadata: { ownerReferences: [{ apiVersion: "o.example.com/v1", kind: "O", name: "a", uid: "u1" }] } },
    patch: {
      metadata: {
        ownerReferences: [
          { apiVersion: "o.example.com/v1", kind: "O", name: "b", uid: "u2" },
          { uid: "u1", controller: true },
        ],
      },
    },
    want: {
      metadata: {
        ownerReferences: [
          { apiVersion: "o.example.com/v1", kind: "O", name: "b", uid: "u2" },
          { apiVersion: "o.example.com/v1", kind: "O", name: "a", uid: "u1", controller: true },
        ],
      },
    },
  },
  {
    name: "ownerReferences: deleted by uid",
    target: { metadata: { ownerReferences: [{ apiVersion: "o.example.com/v1", kind: "O", name: "a", uid: "u1" }] } },
    patch: { metadata: { ownerReferences: [{ $patch: "delete", uid: "u1" }] } },
    want: { metadata: { ownerReferences: [] } },
  },
  {
    name: "labels: null for what is not there",
    target: { metadata: { labels: { a: "1" } } },
    patch: { metadata: { labels: { b: null, c: "2" } } },
    want: { metadata: { labels: { a: "1", c: "2" } } },
  },
  {
    name: "labels: new, with nulls",
    target: { metadata: {} },
    patch: { metadata: { labels: { b: null, c: "2" } } },
    want: { metadata: { labels: { c: "2" } } },
  },
];

test.each(recorded)("$name", ({ target, patch, want }) => {
  const before = structuredClone([target, patch]);
  expect(applyStrategicMergePatch(target, patch, schema)).toEqual(want);
  expect([target, patch]).toEqual(before);
});

/** Refused by the kube-apiserver as well: with these sentences where it answers 400, with a 500 where it shows Go's types. */
const refused: readonly (Case & { readonly code: number; readonly message: string })[] = [
  {
    name: "volumes: a member that retainKeys does not name",
    target: { volumes: [{ name: "v", emptyDir: {} }] },
    patch: { volumes: [{ name: "v", $retainKeys: ["name"], configMap: { name: "c" } }] },
    code: 400,
    message: "invalid patch format of retainKeys",
  },
  {
    name: "an element without its merge key",
    target: { imagePullSecrets: [{ name: "a" }] },
    patch: { imagePullSecrets: [{ nam: "b" }] },
    code: 400,
    message: "an element of a list does not contain declared merge key: name",
  },
  {
    name: "an unknown directive in an object",
    target: { nodeSelector: { a: "1" } },
    patch: { nodeSelector: { $patch: "bogus" } },
    code: 400,
    message: 'unknown patch type: "bogus"',
  },
  {
    name: "an unknown directive in an element",
    target: { imagePullSecrets: [{ name: "a" }] },
    patch: { imagePullSecrets: [{ name: "a", $patch: "bogus" }] },
    code: 400,
    message: "unknown patch type: bogus",
  },
  {
    name: "merge is no directive for an element",
    target: { imagePullSecrets: [{ name: "a" }] },
    patch: { imagePullSecrets: [{ name: "a", $patch: "merge" }] },
    code: 400,
    message: "merging lists cannot yet be specified in the patch",
  },
  {
    name: "an order that lacks an element of the patch",
    target: { imagePullSecrets: [{ name: "a" }] },
    patch: { "$setElementOrder/imagePullSecrets": [{ name: "a" }], imagePullSecrets: [{ name: "b" }] },
    code: 400,
    message: "The order in patch list doesn't match $setElementOrder list",
  },
  {
    name: "an order other than the patch's",
    target: { imagePullSecrets: [{ name: "a" }] },
    patch: { "$setElementOrder/imagePullSecrets": [{ name: "a" }, { name: "b" }], imagePullSecrets: [{ name: "b" }, { name: "a" }] },
    code: 400,
    message: "The order in patch list doesn't match $setElementOrder list",
  },
  {
    name: "an order that is no list",
    target: { imagePullSecrets: [{ name: "a" }] },
    patch: { "$setElementOrder/imagePullSecrets": "a" },
    code: 400,
    message: "invalid patch format of setElementOrder list",
  },
  {
    name: "strategy: retainKeys must be a list",
    target: { strategy: { type: "Recreate" } },
    patch: { strategy: { $retainKeys: "type" } },
    code: 400,
    message: "invalid patch format of retainKeys",
  },
  {
    name: "finalizers: a bad name of the directive",
    target: { metadata: { finalizers: ["e.com/a"] } },
    patch: { metadata: { $deleteFromPrimitiveList: ["e.com/a"] } },
    code: 400,
    message: "invalid patch format of primitive list",
  },
  {
    name: "finalizers: lists of lists",
    target: { metadata: { finalizers: ["e.com/a"] } },
    patch: { metadata: { finalizers: [["e.com/b"]] } },
    code: 422,
    message: "the server rejected our request due to an error in our request",
  },
  {
    name: "a list without a merge key",
    target: { keyless: [{ a: 1 }] },
    patch: { keyless: [{ a: 2 }] },
    code: 400,
    message: "cannot merge lists without merge key",
  },
];

test.each(refused)("refuses $name", ({ target, patch, code, message }) => {
  expect(() => applyStrategicMergePatch(target, patch, schema)).toThrow(expect.objectContaining({ code, message }));
});

describe("what a live server cannot show", () => {
  test("an object whose strategy is replace", () => {
    const patched = applyStrategicMergePatch({ selector: { a: 1 } }, { selector: { b: 2, c: null } }, schema);
    expect(patched).toEqual({ selector: { b: 2 } });
  });

  test("unknown fields: objects merge, lists are replaced", () => {
    const patched = applyStrategicMergePatch({ x: { a: 1 }, y: [1, 2] }, { x: { b: 2 }, y: [3] }, schema);
    expect(patched).toEqual({ x: { a: 1, b: 2 }, y: [3] });
  });

  test("null is the patch that changes nothing, a list is none at all", () => {
    expect(applyStrategicMergePatch({ a: 1 }, null, schema)).toEqual({ a: 1 });
    expect(() => applyStrategicMergePatch({ a: 1 }, [], schema)).toThrow(expect.objectContaining({ code: 400 }));
  });

  test("__proto__ is a key like others", () => {
    const patch = JSON.parse('{"__proto__": {"polluted": true}, "nodeSelector": {"__proto__": "x"}}');
    const patched = applyStrategicMergePatch({ nodeSelector: { a: "1" } }, patch, schema);
    expect(JSON.stringify(patched)).toBe('{"nodeSelector":{"a":"1","__proto__":"x"},"__proto__":{"polluted":true}}');
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  test("nesting has a limit", () => {
    const deep = JSON.parse(`${'{"a":'.repeat(1_001)}1${"}".repeat(1_001)}`);
    expect(() => applyStrategicMergePatch({}, deep, schema)).toThrow(expect.objectContaining({ code: 400 }));
  });

  test("a patch applied twice is a patch applied once", () => {
    const list = fc.uniqueArray(fc.record({ name: fc.constantFrom("a", "b", "c", "d"), value: fc.string() }), { selector: ({ name }) => name });
    fc.assert(
      fc.property(list, list, (original, env) => {
        const once = applyStrategicMergePatch({ env: original }, { env }, schema);
        expect(applyStrategicMergePatch(once, { env }, schema)).toEqual(once);
      }),
    );
  });
});
