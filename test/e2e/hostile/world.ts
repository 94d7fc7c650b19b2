// The server's state around the requests: who asks, what they ask about, and what nobody asks about.

import type { Sender } from "./connections.ts";
import { collectionOf, NAMES, nameOf, type Stage } from "./corpus.ts";
import type { HostileKind } from "./kinds.ts";
import type { HostileRequest } from "./request.ts";

/** The users: one for everything that the suite itself has to do, and the two that send what is hostile. */
export const TOKENS = {
  root: "root-token",
  /** May do much, in all namespaces. */
  operator: "operator-token",
  /** May do as much in the one namespace of the requests, and nothing elsewhere. */
  guest: "guest-token",
} as const;

export const TOKEN_FILE = `${TOKENS.root},root,,system:masters\n${TOKENS.operator},operator,,\n${TOKENS.guest},guest,,\n`;

/** A namespace that no request names. */
const QUIET = "quiet-house";
const RBAC = "rbac.authorization.k8s.io";
const EVERY_VERB = ["get", "list", "watch", "create", "update", "patch", "delete"];

/** Asks as root. */
export type Ask = (method: string, path: string, body?: object) => Promise<{ readonly status: number; readonly text: string }>;

export function askAsRoot(sender: Sender): Ask {
  return async (method, path, body) => {
    const [place = "", query = ""] = path.split("?");
    const request: HostileRequest = {
      method,
      path: place,
      query,
      headers: [["authorization", `Bearer ${TOKENS.root}`], ...(body === undefined ? [] : [["content-type", "application/json"] as const])],
      body: body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(body)),
    };
    const outcome = await sender.send(request);
    if (outcome.type !== "answer") throw new Error(`${method} ${path}: ${outcome.type}, ${outcome.why}`);
    return { status: outcome.status, text: Buffer.from(outcome.body).toString("utf8") };
  };
}

const groupOf = ({ root }: HostileKind) => (root.startsWith("/apis/") ? (root.split("/")[2] ?? "") : "");

/** What a user of these kinds may do: a rule a kind. */
function rulesOf(kinds: readonly HostileKind[]): object[] {
  return kinds.map((kind) => ({
    apiGroups: [groupOf(kind)],
    resources: [kind.plural, ...kind.subresources.map((name) => `${kind.plural}/${name}`)],
    verbs: kind.isReview ? ["create"] : kind.hasDeleteCollection ? [...EVERY_VERB, "deletecollection"] : EVERY_VERB,
  }));
}

/** Gives the operator rights, and makes a sentinel of each stored kind. */
export async function prepareWorld(ask: Ask, kinds: readonly HostileKind[]): Promise<void> {
  const create = async (path: string, body: object) => {
    const { status, text } = await ask("POST", path, body);
    if (status !== 201) throw new Error(`${path} answered ${status}: ${text}`);
  };
  const rules = [
    ...rulesOf(kinds),
    { apiGroups: [""], resources: ["users", "groups", "serviceaccounts"], verbs: ["impersonate"], resourceNames: ["somebody", "guest"] },
    { apiGroups: ["authentication.k8s.io"], resources: ["userextras/scope", "uids"], verbs: ["impersonate"], resourceNames: ["somebody", "guest"] },
    { apiGroups: [RBAC], resources: ["clusterroles"], verbs: ["bind"], resourceNames: ["view"] },
    { nonResourceURLs: ["*"], verbs: ["get", "head", "post"] },
  ];
  const roleRef = { apiGroup: RBAC, kind: "ClusterRole", name: "hostile-operator" };
  await create(`/apis/${RBAC}/v1/clusterroles`, { metadata: { name: roleRef.name }, rules });
  await create(`/apis/${RBAC}/v1/clusterrolebindings`, {
    metadata: { name: roleRef.name },
    roleRef,
    subjects: [{ kind: "User", apiGroup: RBAC, name: "operator" }],
  });
  await create("/api/v1/namespaces", { metadata: { name: QUIET } });
  const quiet: Stage = { kinds, namespace: QUIET, continueTokens: new Map() };
  for (const kind of storedKinds(kinds)) {
    // Where a collection may be deleted as a whole, whoever names it names the sentinel.
    if (kind.plural === "namespaces" || (!kind.isNamespaced && kind.hasDeleteCollection)) continue;
    await create(collectionOf(kind, quiet), kind.object(nameOf(kind, quiet, "sentinel"), QUIET));
  }
}

/** Each resource once, whatever its versions. */
function storedKinds(kinds: readonly HostileKind[]): HostileKind[] {
  const byName = new Map(kinds.filter(({ isReview }) => !isReview).map((kind) => [`${groupOf(kind)}/${kind.plural}`, kind]));
  return [...byName.values()];
}

/** Makes a namespace of its own for the next requests, with the objects that they are about; the guest may do everything in it. */
export async function openStage(ask: Ask, kinds: readonly HostileKind[], namespace: string): Promise<Stage> {
  const empty: Stage = { kinds, namespace, continueTokens: new Map() };
  await ask("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
  const namespaced = kinds.filter(({ isNamespaced }) => isNamespaced);
  await ask("POST", `/apis/${RBAC}/v1/namespaces/${namespace}/roles`, { metadata: { name: "guest" }, rules: rulesOf(namespaced) });
  await ask("POST", `/apis/${RBAC}/v1/namespaces/${namespace}/rolebindings`, {
    metadata: { name: "guest" },
    roleRef: { apiGroup: RBAC, kind: "Role", name: "guest" },
    subjects: [{ kind: "User", apiGroup: RBAC, name: "guest" }],
  });
  const continueTokens = new Map<string, string>();
  for (const kind of storedKinds(kinds)) {
    const collection = collectionOf(kind, empty);
    const made = await Promise.all(NAMES.map((name) => ask("POST", collection, kind.object(nameOf(kind, empty, name), namespace))));
    const refused = made.find(({ status }) => status !== 201);
    if (refused !== undefined) throw new Error(`${collection} answered ${refused.status}: ${refused.text}`);
    const page = JSON.parse((await ask("GET", `${collection}?limit=1`)).text) as { readonly metadata: { readonly continue?: string } };
    if (page.metadata.continue !== undefined) continueTokens.set(collection, page.metadata.continue);
  }
  return { ...empty, continueTokens };
}

/** The namespace and all in it go; what is cluster-scoped and bears its name, too. Nobody waits for it. */
export async function closeStage(ask: Ask, { kinds, namespace }: Stage): Promise<void> {
  const clusterScoped = storedKinds(kinds).filter(({ isNamespaced }) => !isNamespaced);
  for (const kind of clusterScoped) {
    await Promise.all(NAMES.map((name) => ask("DELETE", `${kind.root}/${kind.plural}/${namespace}-${name}`)));
  }
  await ask("DELETE", `/api/v1/namespaces/${namespace}`);
}

/** Every object that there is, as the JSON that a list has of it, by kind, namespace and name. */
export async function snapshot(ask: Ask, kinds: readonly HostileKind[]): Promise<ReadonlyMap<string, string>> {
  const objects = new Map<string, string>();
  for (const kind of storedKinds(kinds)) {
    const { status, text } = await ask("GET", `${kind.root}/${kind.plural}`);
    if (status !== 200) throw new Error(`${kind.plural} answered ${status}: ${text}`);
    const { items } = JSON.parse(text) as {
      readonly items: readonly { readonly metadata: { readonly name: string; readonly namespace?: string } }[];
    };
    for (const item of items) objects.set(`${kind.plural} ${item.metadata.namespace ?? ""}/${item.metadata.name}`, JSON.stringify(item));
  }
  return objects;
}

/** What happened to objects that no request named: those of the first snapshot, and what lies beside them in their namespaces. */
export function differencesOf(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly string[] {
  const changed = [...before]
    .filter(([key, text]) => after.get(key) !== text)
    .map(([key, text]) => `${key}:\n  was ${text}\n  is  ${after.get(key) ?? "gone"}`);
  const quietPlaces = new Set(
    [...before.keys()].map((key) => /^\S+ ([^/]+)\//.exec(key)?.[1]).filter((place) => place !== undefined && place !== "annex-system"),
  );
  const isBeside = (key: string) => quietPlaces.has(/^\S+ ([^/]+)\//.exec(key)?.[1]);
  return [...changed, ...[...after.keys()].filter((key) => !before.has(key) && isBeside(key)).map((key) => `${key}: is new`)];
}
