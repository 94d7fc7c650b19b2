// Objects in the Secrets of a real cluster: two replicas, each with its own way to the kube-apiserver.
import { randomUUID } from "node:crypto";
import type { JSONValue } from "@annex/apimachinery";
import { systemClock } from "@annex/apiserver-node";
import { type ClusterClient, type ClusterConfig, type ClusterRequest, createClusterClient, loadKubeconfig, remoteSecrets } from "@annex/cluster";
import { describeSecretStore, NOTE_SECRET_TYPE } from "@annex/storage-secrets/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { isReady, type Replica, startReplica } from "../../../packages/cluster/src/testing/replica.ts";
import { type Network, startNetwork } from "../../../packages/cluster/src/testing/tls-server.ts";
import {
  changeNote,
  contextOf,
  createNote,
  DELETE,
  listNotes,
  type NoteVerbs,
  namesOf,
  note,
  notesOver,
  ReadWatch,
  withColor,
  withText,
} from "../../../packages/storage-secrets/src/testing/secret-store-harness.ts";
import { BUILD_LIMIT_MS } from "../../controlplane/build.ts";
import { type ControlPlane, startControlPlane, stopControlPlane } from "../../controlplane/control-plane.ts";
import { temporaryFolder } from "../server.ts";

const MINUTE_MS = 60_000;
const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
const never = new AbortController().signal;

let plane: ControlPlane;
let config: ClusterConfig;
let admin: ClusterClient;
let network: Network;
let one: Replica;
let other: Replica;

beforeAll(async () => {
  plane = await startControlPlane(await temporaryFolder(), { log: console.log });
  config = await loadKubeconfig(plane.kubeconfig);
  admin = createClusterClient(config, { clock: systemClock });
  network = await startNetwork(Number(new URL(plane.url).port));
  one = await startReplica({ ...config, server: `https://127.0.0.1:${network.port}` }, [NOTE_SECRET_TYPE], systemClock, silent);
  other = await startReplica(config, [NOTE_SECRET_TYPE], systemClock, silent);
}, BUILD_LIMIT_MS + MINUTE_MS);
afterAll(async () => {
  for (const opened of [other, one, network, admin]) await opened?.[Symbol.asyncDispose]();
  if (plane !== undefined) await stopControlPlane(plane.folder);
}, MINUTE_MS);

const ask = (method: ClusterRequest["method"], path: string, body?: unknown): Promise<JSONValue> => admin.request({ method, path, body }, never);

async function makeNamespace(): Promise<string> {
  const name = `secrets-${randomUUID().slice(0, 8)}`;
  await ask("POST", "/api/v1/namespaces", { metadata: { name } });
  return name;
}

describeSecretStore("a kube-apiserver", async () => ({
  secrets: one.secrets.verbs,
  others: other.secrets.verbs,
  namespaces: [await makeNamespace(), await makeNamespace()],
  clock: systemClock,
  dispose: async () => undefined,
}));

const notesOf = (replica: Replica): NoteVerbs => notesOver(replica.secrets.verbs, systemClock);
const newest = { type: "MostRecent" } as const;
const WAIT = { timeout: 60_000, interval: 50 };

describe("what the kube-apiserver refuses is told of the object", () => {
  test("a right that the server lacks", async () => {
    const namespace = await makeNamespace();
    const alice = { ...config, tls: { ca: config.tls.ca ?? "" }, authorization: () => Promise.resolve(`Bearer ${plane.tokens.alice}`) };
    const client = createClusterClient(alice, { clock: systemClock });
    const { verbs } = remoteSecrets({ client, types: [NOTE_SECRET_TYPE], clock: systemClock, log: silent });
    const notes = notesOver(verbs, systemClock);
    const why = (verb: string) => `User "alice" cannot ${verb} resource "secrets" in API group "" in the namespace "${namespace}"`;
    await expect((async () => notes.get({ namespace, name: "a" }, newest, contextOf(systemClock)))()).rejects.toMatchObject({
      code: 403,
      message: `notes.example.com "a" is forbidden: ${why("get")}`,
    });
    await expect(createNote(notes, systemClock, note("a", namespace))).rejects.toMatchObject({
      code: 403,
      message: `notes.example.com is forbidden: ${why("create")}`,
      details: { group: "example.com", kind: "notes" },
    });
    await expect(listNotes(notes, systemClock, namespace)).rejects.toMatchObject({ message: `notes.example.com is forbidden: ${why("list")}` });
    await client[Symbol.asyncDispose]();
  });

  test("a quota", async () => {
    const namespace = await makeNamespace();
    const quotas = `/api/v1/namespaces/${namespace}/resourcequotas`;
    const quota = { metadata: { name: "q" }, spec: { hard: { "count/secrets": "1" } } };
    await ask("POST", quotas, quota);
    // No controller counts here.
    const live = (await ask("GET", `${quotas}/q`)) as object;
    await ask("PUT", `${quotas}/q/status`, { ...live, status: { hard: { "count/secrets": "1" }, used: { "count/secrets": "1" } } });
    const message = expect.stringMatching(/^notes\.example\.com "a" is forbidden: exceeded quota: q, requested: count\/secrets=1/);
    await vi.waitFor(async () => {
      for (const isDryRun of [true, false])
        await expect(createNote(notesOf(one), systemClock, note("a", namespace), isDryRun)).rejects.toMatchObject({ code: 403, message });
    }, WAIT);
  });

  test("a namespace in deletion", async () => {
    const namespace = await makeNamespace();
    await createNote(notesOf(one), systemClock, note("held", namespace, { metadata: { finalizers: ["example.com/hold"] } }));
    await ask("DELETE", `/api/v1/namespaces/${namespace}`);
    await expect(createNote(notesOf(other), systemClock, note("a", namespace))).rejects.toMatchObject({
      code: 403,
      message: `notes.example.com "a" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
      details: { causes: [{ reason: "NamespaceTerminating" }] },
    });
    // The namespace's end deletes the Secret, and so the note, which its finalizer holds; then both go.
    const target = { namespace, name: "held" };
    await vi.waitFor(async () => {
      const { object } = await notesOf(other).get(target, newest, contextOf(systemClock));
      expect(object.metadata.deletionTimestamp).toEqual(expect.any(String));
    }, WAIT);
    await changeNote(notesOf(one), systemClock, target, ({ metadata: { finalizers: _done, ...metadata }, ...rest }) => ({ ...rest, metadata }));
    await vi.waitFor(async () => expect(namesOf(await listNotes(notesOf(other), systemClock, namespace))).toEqual([]), WAIT);
  });

  test("a policy of the cluster's", async () => {
    const namespace = await makeNamespace();
    const group = "/apis/admissionregistration.k8s.io/v1";
    const rule = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["secrets"] };
    const spec = {
      matchConstraints: { resourceRules: [rule], namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } },
      validations: [{ expression: "!has(object.metadata.labels) || !('no' in object.metadata.labels)", message: "no" }],
    };
    await ask("POST", `${group}/validatingadmissionpolicies`, { metadata: { name: namespace }, spec });
    const binding = { metadata: { name: namespace }, spec: { policyName: namespace, validationActions: ["Deny"] } };
    await ask("POST", `${group}/validatingadmissionpolicybindings`, binding);
    const message = `notes.example.com "a" is forbidden: ValidatingAdmissionPolicy '${namespace}' with binding '${namespace}' denied request: no`;
    const labelled = note("a", namespace, { metadata: { labels: { no: "1" } } });
    await vi.waitFor(async () => expect(createNote(notesOf(one), systemClock, labelled, true)).rejects.toMatchObject({ code: 422, message }), WAIT);
    await createNote(notesOf(one), systemClock, note("a", namespace));
    const change = changeNote(notesOf(one), systemClock, { namespace, name: "a" }, (live) => ({
      ...live,
      metadata: { ...live.metadata, labels: { no: "1" } },
    }));
    await expect(change).rejects.toMatchObject({ code: 422, message });
  });
});

test("while the kube-apiserver cannot be reached nothing is lost, and nothing told twice", async () => {
  const namespace = await makeNamespace();
  const [away, there] = [notesOf(one), notesOf(other)];
  const target = { namespace, name: "a" };
  const { resourceVersion } = await createNote(there, systemClock, note("a", namespace));
  await listNotes(away, systemClock, namespace, { consistency: { type: "NotOlderThan", resourceVersion } });
  await using watch = await ReadWatch.begin(away, systemClock, namespace, { resourceVersion });
  await network.cut();
  await vi.waitFor(() => expect(isReady(one.secrets)).toBe(false), WAIT);
  expect(isReady(other.secrets)).toBe(true);
  await expect(createNote(away, systemClock, note("b", namespace))).rejects.toMatchObject({ code: 503, reason: "ServiceUnavailable" });
  await expect(listNotes(away, systemClock, namespace)).rejects.toMatchObject({ code: 503 });
  expect(namesOf(await listNotes(away, systemClock, namespace, { consistency: { type: "Any" } }))).toEqual(["a"]);
  for (const color of ["red", "blue"]) await changeNote(there, systemClock, target, (live) => withColor(live, color));
  await createNote(there, systemClock, note("c", namespace));
  await there.delete(target, DELETE, contextOf(systemClock));
  await network.mend();
  await vi.waitFor(() => expect(isReady(one.secrets)).toBe(true), WAIT);
  await createNote(away, systemClock, note("d", namespace));
  expect(await watch.take(5)).toEqual(["MODIFIED a@red", "MODIFIED a@blue", "ADDED c@white", "DELETED a@blue", "ADDED d@white"]);
});

test("5,000 Secrets come in pages, and what replica A writes B reads at once", async () => {
  const namespace = await makeNamespace();
  const names = Array.from({ length: 5_000 }, (_, index) => `n${String(index).padStart(4, "0")}`);
  const path = `/api/v1/namespaces/${namespace}/secrets`;
  for (let at = 0; at < names.length; at += 50) {
    const made = names.slice(at, at + 50).map((name) => ask("POST", path, { metadata: { name }, type: NOTE_SECRET_TYPE }));
    await Promise.all(made);
  }
  expect(namesOf(await listNotes(notesOf(one), systemClock, namespace))).toEqual(names);
  const any = { consistency: { type: "Any" } } as const;
  for (const replica of [one, other])
    await vi.waitFor(async () => expect((await listNotes(notesOf(replica), systemClock, namespace, any)).items).toHaveLength(names.length), WAIT);
  const seen: string[] = [];
  for (let token = ""; ; ) {
    const page = await listNotes(notesOf(seen.length % 1_000 === 0 ? one : other), systemClock, namespace, { limit: 500, continue: token });
    seen.push(...namesOf(page));
    token = page.continue;
    if (token === "") break;
    expect(page.remainingItemCount).toBe(names.length - seen.length);
  }
  expect(seen).toEqual(names);
  for (const [writer, reader] of [
    [one, other],
    [other, one],
  ] as const) {
    for (let index = 0; index < 20; index++) {
      const target = { namespace, name: names[index] ?? "" };
      const text = `${index} ${writer === one}`;
      const { resourceVersion } = await changeNote(notesOf(writer), systemClock, target, (live) => withText(live, text));
      expect((await notesOf(reader).get(target, newest, contextOf(systemClock))).resourceVersion).toBe(resourceVersion);
    }
  }
}, 180_000);

test("Secrets of a megabyte, more than one answer takes, are listed and followed", async () => {
  const namespace = await makeNamespace();
  const data = { text: Buffer.alloc(1024 * 1024, "x").toString("base64") };
  const path = `/api/v1/namespaces/${namespace}/secrets`;
  const names = Array.from({ length: 50 }, (_, index) => `n${String(index).padStart(2, "0")}`);
  for (const name of names) await ask("POST", path, { metadata: { name }, type: NOTE_SECRET_TYPE, data });
  expect(namesOf(await listNotes(notesOf(one), systemClock, namespace))).toEqual(names);
  const fresh = await startReplica(config, [NOTE_SECRET_TYPE], systemClock, silent);
  expect(namesOf(await listNotes(notesOf(fresh), systemClock, namespace, { consistency: { type: "Any" } }))).toEqual(names);
  await fresh[Symbol.asyncDispose]();
}, 120_000);
