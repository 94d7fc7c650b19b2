import { t } from "@annex/apimachinery";
import type { Converted, VersionObject } from "@annex/apiserver";
import { conditions } from "./conditions.ts";
import { ttlSeconds } from "./token.ts";
import { MAX_NAME_LENGTH, MAX_TTL_LENGTH, type Token, timeLeft } from "./v1alpha1.ts";

/** Where a v1alpha1 object has what v1 calls `spec.description`: it has no field for it, and whoever writes it back as it was read loses nothing. */
export const DESCRIPTION_ANNOTATION = "tomlebreux.com/description";
/** In characters. */
export const MAX_DESCRIPTION_LENGTH = 1024;

const spec = t.object(
  {
    userID: t.string({ default: "", maxLength: MAX_NAME_LENGTH, description: "Whose token it is. It cannot be changed." }),
    clusterName: t.string({ default: "", maxLength: MAX_NAME_LENGTH, description: "Which cluster the token is for. It cannot be changed." }),
    ttlSeconds: t.integer({
      default: 0,
      minimum: 0,
      maximum: 10 ** MAX_TTL_LENGTH - 1,
      description: "How long the token is valid, in seconds from its creation; 0: for ever.",
    }),
    enabled: t.boolean({ default: true, description: "Whether the token is good for logging in." }),
    description: t.optional(t.string({ maxLength: MAX_DESCRIPTION_LENGTH, description: "What the token is for, in words of one's own." })),
  },
  { description: "What the token is to be." },
);

const status = t.object(
  {
    plaintextToken: t.optional(t.string({ description: "The token itself: only in the answer to its creation, and kept nowhere." })),
    hash: t.optional(t.string({ description: "The hash of the token, its algorithm in front." })),
    expiresAt: t.optional(t.string({ format: "date-time", description: "When the token ends; absent when it never does." })),
    expired: t.optional(t.boolean({ description: "Whether the server has recorded the end of the token." })),
    conditions: t.optional(conditions),
  },
  { description: "What the server says of the token." },
);

type TokenV1 = VersionObject<{ spec: typeof spec; status: typeof status }>;

/** The version for clients of today: values have types of their own. Objects are kept as v1alpha1: see docs/decisions/0008-token-versions.md. */
export const v1 = {
  description: "A token for logging in: made, and shown once, when the object is created.",
  schema: { spec, status },
  toStorage,
  fromStorage,
  columns: [
    { name: "User", type: "string", jsonPath: ".spec.userID", description: "Whose token it is." },
    { name: "Cluster", type: "string", jsonPath: ".spec.clusterName", description: "Which cluster it is for." },
    { name: "Enabled", type: "boolean", jsonPath: ".spec.enabled", description: "Whether it is good for logging in." },
    { name: "TTL", type: "string", value: timeLeftV1, description: "How long it is still valid." },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "How long ago it was created." },
    { name: "Expires", type: "string", jsonPath: ".status.expiresAt", priority: 1, description: "When it ends." },
    {
      name: "Hash",
      type: "string",
      priority: 1,
      value: ({ status: { hash } }: TokenV1) => hash?.slice(0, 15),
      description: "The beginning of its hash.",
    },
    {
      name: "Ready",
      type: "string",
      priority: 1,
      value: ({ status }: TokenV1) => conditionOf(status, "Ready")?.status,
      description: "Whether it is good for logging in now.",
    },
    { name: "Reason", type: "string", priority: 1, value: ({ status }: TokenV1) => conditionOf(status, "Ready")?.reason, description: "Why." },
    { name: "Description", type: "string", jsonPath: ".spec.description", priority: 1, description: "What it is for." },
  ],
} as const;

// Both functions leave out what is not there: server-side apply also converts what it left of an object, and who owns what of that is told by its fields.

function toStorage({ metadata, spec, status }: TokenV1): Converted<Token> {
  const { ttlSeconds, enabled, description, ...names } = spec;
  const { hash, ...told } = status;
  const healthy = conditionOf(status, "Healthy");
  return {
    ...(description === undefined ? {} : { metadata: { annotations: { ...metadata.annotations, [DESCRIPTION_ANNOTATION]: description } } }),
    // Of a negative one the schema has said it all, by its name in this version.
    spec: { ...names, ttl: asText(ttlSeconds, (seconds) => Math.max(0, seconds)), enabled: asText(enabled) },
    status: { ...told, hashedToken: hash, healthy: healthy && healthy.status === "True" },
  };
}

function fromStorage({ metadata, spec, status }: Token): Converted<TokenV1> {
  const { ttl, enabled, ...names } = spec;
  const { hashedToken, healthy: _healthy, ...told } = status;
  const { [DESCRIPTION_ANNOTATION]: description, ...annotations } = metadata.annotations ?? {};
  return {
    ...(description === undefined ? {} : { metadata: { annotations } }),
    spec: {
      ...names,
      ttlSeconds: present(ttl, (text) => ttlSeconds(text) ?? 0),
      enabled: present(enabled, (text) => text === "true"),
      description: description && firstCharacters(description),
    },
    status: { ...told, hash: hashedToken },
  };
}

/** What a function makes of a value; nothing of one that is missing, though the types say that it is there. */
function present<T, Result>(value: T, make: (value: T) => Result): Result {
  return value === undefined ? (undefined as Result) : make(value);
}

function asText<T extends number | boolean>(value: T, adjust: (value: T) => T = (same) => same): string {
  return present(value, (one) => String(adjust(one)));
}

/** Whoever may write annotations may write longer ones than a description can be. */
function firstCharacters(text: string): string {
  return text.length <= MAX_DESCRIPTION_LENGTH ? text : [...text].slice(0, MAX_DESCRIPTION_LENGTH).join("");
}

function conditionOf({ conditions = [] }: TokenV1["status"], type: string) {
  return conditions.find((condition) => condition.type === type);
}

function timeLeftV1({ metadata, spec, status }: TokenV1, now: number): string {
  return timeLeft({ metadata, ttl: String(spec.ttlSeconds), isExpired: status.expired === true }, now);
}
