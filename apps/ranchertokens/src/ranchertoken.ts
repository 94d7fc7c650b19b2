import { type JSONObject, type JSONValue, type ObjectMeta, t } from "@annex/apimachinery";
import { defineResource, formatTime, LOOPBACK, type ResourceHooks, registryVerbs, type VersionObject, type WriteContext } from "@annex/apiserver";
import { type SecretCodec, type SecretVerbs, secretStore } from "@annex/storage-secrets";
import { equalsInConstantTime, expiryOf, hashPlaintext, macOf, makePlaintext, ttlSeconds } from "./token.ts";

export const TOKEN_GROUP = "tomlebreux.com";
export const TOKEN_SECRET_TYPE = "tomlebreux.com/token";
export const CLUSTER_TOKEN_SECRET_TYPE = "tomlebreux.com/cluster-token";
const FINALIZER = "tomlebreux.com/token";

export interface TokenResourceOptions {
  /** What MACs are made with: at least 32 bytes, the server's own. */
  readonly macKey: Uint8Array;
  /** The namespace of the Secrets of ClusterRancherTokens. */
  readonly clusterTokenNamespace: string;
}

const spec = t.object(
  {
    userID: t.string({ default: "", maxLength: 253, description: "Whose token it is. It cannot be changed." }),
    clusterName: t.string({ default: "", maxLength: 253, description: "Which cluster the token is for. It cannot be changed." }),
    ttl: t.string({
      default: "0",
      maxLength: 15,
      description: "How long the token is valid, in seconds from its creation; 0 or empty: for ever. A number is taken as well.",
    }),
    enabled: t.string({
      default: "true",
      enum: ["true", "false"],
      description: "Whether the token is good for logging in. A boolean is taken as well.",
    }),
  },
  { description: "What the token is to be." },
);

const status = t.object(
  {
    plaintextToken: t.optional(t.string({ description: "The token itself: only in the answer to its creation, and kept nowhere." })),
    hashedToken: t.optional(t.string({ description: "The hash of the token, its algorithm in front." })),
    expiresAt: t.optional(t.string({ format: "date-time", description: "When the token ends; absent when it never does." })),
    expired: t.optional(t.boolean({ description: "Whether the server has recorded the end of the token." })),
    healthy: t.optional(
      t.boolean({
        description:
          "Whether the token's Secret is as the token API wrote it. A token that is not healthy is good for nothing until it is written again.",
      }),
    ),
  },
  { description: "What the server says of the token." },
);

/** The kind, in the version that it is stored in. */
type Token = VersionObject<{ spec: typeof spec; status: typeof status }>;

const versions = {
  v1alpha1: {
    description: "A token for logging in: made, and shown once, when the object is created.",
    schema: { spec, status },
    normalize: normalizeSpec,
    columns: [
      { name: "User", type: "string", jsonPath: ".spec.userID", description: "Whose token it is." },
      { name: "Cluster", type: "string", jsonPath: ".spec.clusterName", description: "Which cluster it is for." },
      { name: "Enabled", type: "string", jsonPath: ".spec.enabled", description: "Whether it is good for logging in." },
      { name: "TTL", type: "string", value: (token: TokenLike, now: number) => timeLeft(token, now), description: "How long it is still valid." },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "How long ago it was created." },
      { name: "Expires", type: "string", jsonPath: ".status.expiresAt", priority: 1, description: "When it ends." },
      {
        name: "Hash",
        type: "string",
        priority: 1,
        value: (token: TokenLike) => token.status.hashedToken?.slice(0, 15),
        description: "The beginning of its hash.",
      },
      { name: "Healthy", type: "boolean", jsonPath: ".status.healthy", priority: 1, description: "Whether its Secret is as the token API wrote it." },
    ],
  },
} as const;

/** What the columns need of a token. */
interface TokenLike {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly ttl: string };
  readonly status: { readonly hashedToken?: string; readonly expired?: boolean };
}

/** RancherToken: a token in a namespace, kept in the Secret of the same name. */
export function rancherToken(options: TokenResourceOptions) {
  return defineResource({
    group: TOKEN_GROUP,
    kind: "RancherToken",
    scope: "Namespaced",
    categories: ["tokens"],
    versions,
    ...hooks(false),
    verbs: tokenVerbs(options, { type: TOKEN_SECRET_TYPE, namespace: undefined }),
  });
}

/** ClusterRancherToken: a token of the whole cluster, kept in a Secret in a namespace of the server's. */
export function clusterRancherToken(options: TokenResourceOptions) {
  return defineResource({
    group: TOKEN_GROUP,
    kind: "ClusterRancherToken",
    scope: "Cluster",
    categories: ["tokens"],
    versions,
    ...hooks(true),
    verbs: tokenVerbs(options, { type: CLUSTER_TOKEN_SECRET_TYPE, namespace: options.clusterTokenNamespace }),
  });
}

/** Numbers and booleans where the schema has strings: the proof of concept's samples write them so. */
function normalizeSpec(object: JSONObject): JSONObject {
  const { spec: sent } = object;
  if (typeof sent !== "object" || sent === null || Array.isArray(sent)) return object;
  const { ttl, enabled } = sent as JSONObject;
  const asText: Record<string, JSONValue> = {};
  if (typeof ttl === "number" || typeof ttl === "bigint") asText["ttl"] = String(ttl);
  if (typeof enabled === "boolean") asText["enabled"] = String(enabled);
  return Object.keys(asText).length === 0 ? object : { ...object, spec: { ...sent, ...asText } };
}

function hooks(defaultsToCaller: boolean): ResourceHooks<Token> {
  return {
    prepare: ({ object, previous, user }) => {
      const userID = object.spec.userID === "" && defaultsToCaller && previous === undefined ? user.name : object.spec.userID;
      // Status is the server's alone, whatever was sent.
      return { ...object, spec: { ...object.spec, userID }, status: previous?.status ?? {} };
    },
    validate: ({ object, previous, invalid }) => {
      if (object.spec.userID === "") invalid("spec.userID", "", { reason: "FieldValueRequired" });
      if (object.spec.ttl !== "" && !/^\d+$/.test(object.spec.ttl)) invalid("spec.ttl", "must be a whole number of seconds, 0 or more");
      if (previous === undefined) return;
      if (object.spec.userID !== previous.spec.userID) invalid("spec.userID", "field is immutable");
      if (object.spec.clusterName !== previous.spec.clusterName) invalid("spec.clusterName", "field is immutable");
    },
    admit: async ({ operation, object, forbidden, ...context }) => {
      if (operation !== "CREATE" || object === undefined || object.spec.userID === context.user.name) return;
      if (!(await mayActAs(object.spec.userID, context)))
        throw forbidden(`User ${JSON.stringify(context.user.name)} cannot make a token for user ${JSON.stringify(object.spec.userID)}`);
    },
  };
}

/** Whether somebody may make a token for somebody else: the verb `impersonate` on `users.tomlebreux.com` of that name. */
async function mayActAs(name: string, { authorizer, user, signal }: WriteContext): Promise<boolean> {
  const attributes = {
    type: "resource",
    user,
    verb: "impersonate",
    group: TOKEN_GROUP,
    version: "*",
    resource: "users",
    subresource: "",
    namespace: "",
    name,
  } as const;
  return (await authorizer.authorize(attributes, signal)).decision === "Allow";
}

function tokenVerbs({ macKey }: TokenResourceOptions, { type, namespace }: Pick<SecretCodec, "type" | "namespace">) {
  return ((resource, { admission, random, clock, authorizer, verbsOf }) => {
    const codec = tokenCodec(macKey, { type, namespace, apiVersion: resource.storageVersion.apiVersion, kind: resource.kind });
    const context = (signal: AbortSignal) => ({ user: LOOPBACK, now: clock.now(), signal, authorizer, warn: () => undefined });
    // Secrets are served with every verb.
    const store = secretStore({ resource, codec, secrets: () => verbsOf("", "secrets") as SecretVerbs, context });
    return registryVerbs({ resource, store, admission, random });
  }) satisfies Parameters<typeof defineResource>[0]["verbs"];
}

/** How tokens lie in Secrets: the values of the proof of concept, beside them when the end was recorded, and the MAC over all that matters. */
export function tokenCodec(macKey: Uint8Array, place: Pick<SecretCodec, "type" | "namespace" | "apiVersion" | "kind">): SecretCodec {
  return {
    ...place,
    finalizer: FINALIZER,
    encode(object, isNew) {
      // The registry has checked it against the schema.
      const token = object as unknown as Token;
      const { userID, clusterName, ttl, enabled } = token.spec;
      const name = { namespace: token.metadata.namespace ?? "", name: token.metadata.name ?? "" };
      const plaintext = isNew ? makePlaintext(name) : undefined;
      const hashedToken = plaintext === undefined ? (token.status.hashedToken ?? "") : hashPlaintext(plaintext);
      const facts = { ...name, uid: token.metadata.uid ?? "", userID, clusterName, hashedToken, ttl, enabled };
      const data = {
        userID,
        clusterName,
        ttl,
        enabled,
        hashedToken,
        mac: macOf(facts, macKey),
        ...(token.status.expired === true ? { expired: "true" } : {}),
      };
      if (plaintext === undefined) return { data };
      const told = { ...statusOf(token.metadata, { ttl, hashedToken, expired: false, healthy: true }), plaintextToken: plaintext };
      return { data, answer: { ...object, status: told } };
    },
    decode(read, metadata) {
      const [userID = "", clusterName = "", ttl = "", enabled = "", hashedToken = ""] = [
        "userID",
        "clusterName",
        "ttl",
        "enabled",
        "hashedToken",
      ].map(read);
      const name = { namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
      const facts = { ...name, uid: metadata.uid ?? "", userID, clusterName, hashedToken, ttl, enabled };
      const healthy = equalsInConstantTime(read("mac") ?? "", macOf(facts, macKey));
      return {
        spec: { userID, clusterName, ttl, enabled },
        status: statusOf(metadata, { ttl, hashedToken, expired: read("expired") === "true", healthy }),
      };
    },
  };
}

function statusOf(
  metadata: ObjectMeta,
  facts: { readonly ttl: string; readonly hashedToken: string; readonly expired: boolean; readonly healthy: boolean },
): Token["status"] {
  const expiry = expiryOf(metadata.creationTimestamp ?? "", facts.ttl);
  return {
    hashedToken: facts.hashedToken,
    ...(expiry === undefined ? {} : { expiresAt: formatTime(expiry) }),
    expired: facts.expired,
    healthy: facts.healthy,
  };
}

/** What the table shows of a token's lifetime: what is left of it. */
function timeLeft({ metadata, spec: { ttl }, status: { expired } }: TokenLike, now: number): string {
  if (ttlSeconds(ttl) === undefined) return "never";
  const expiry = expiryOf(metadata.creationTimestamp ?? "", ttl);
  if (expiry === undefined) return "<unknown>";
  const seconds = Math.floor((expiry - now) / 1000);
  return expired === true || seconds <= 0 ? "expired" : humanSeconds(seconds);
}

function humanSeconds(seconds: number): string {
  const units = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "m"],
  ] as const;
  for (const [length, unit] of units) if (seconds >= 2 * length) return `${Math.floor(seconds / length)}${unit}`;
  return `${seconds}s`;
}
