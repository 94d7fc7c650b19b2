import { type JSONObject, type ObjectMeta, t } from "@annex/apimachinery";
import type { VersionObject } from "@annex/apiserver";
import { conditions } from "./conditions.ts";
import { expiryOf, ttlSeconds } from "./token.ts";

export const MAX_NAME_LENGTH = 253;
export const MAX_TTL_LENGTH = 15;
export const MAX_HASH_LENGTH = 128;

const spec = t.object(
  {
    userID: t.string({ default: "", maxLength: MAX_NAME_LENGTH, description: "Whose token it is. It cannot be changed." }),
    clusterName: t.string({ default: "", maxLength: MAX_NAME_LENGTH, description: "Which cluster the token is for. It cannot be changed." }),
    ttl: t.string({
      default: "0",
      maxLength: MAX_TTL_LENGTH,
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
          "Whether the token's Secret is as the token API wrote it. A token that is not healthy is good for nothing: put the Secret back as it was, or make a new token.",
      }),
    ),
    conditions: t.optional(conditions),
  },
  { description: "What the server says of the token." },
);

/** A token as it is kept. */
export type Token = VersionObject<{ spec: typeof spec; status: typeof status }>;

/** The version of the proof of concept, whose values are text. Objects are kept in it. */
export const v1alpha1 = {
  storage: true,
  description: "A token for logging in: made, and shown once, when the object is created.",
  schema: { spec, status },
  normalize: normalizeSpec,
  columns: [
    { name: "User", type: "string", jsonPath: ".spec.userID", description: "Whose token it is." },
    { name: "Cluster", type: "string", jsonPath: ".spec.clusterName", description: "Which cluster it is for." },
    { name: "Enabled", type: "string", jsonPath: ".spec.enabled", description: "Whether it is good for logging in." },
    { name: "TTL", type: "string", value: timeLeftOf, description: "How long it is still valid." },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "How long ago it was created." },
    { name: "Expires", type: "string", jsonPath: ".status.expiresAt", priority: 1, description: "When it ends." },
    {
      name: "Hash",
      type: "string",
      priority: 1,
      value: (token: Token) => token.status.hashedToken?.slice(0, 15),
      description: "The beginning of its hash.",
    },
    { name: "Healthy", type: "boolean", jsonPath: ".status.healthy", priority: 1, description: "Whether its Secret is as the token API wrote it." },
  ],
} as const;

/** Numbers and booleans where the schema has strings: the proof of concept's samples write them so. */
function normalizeSpec(object: JSONObject): JSONObject {
  const { spec: sent } = object;
  if (typeof sent !== "object" || sent === null || Array.isArray(sent)) return object;
  const { ttl, enabled } = sent as JSONObject;
  const asText: { ttl?: string; enabled?: string } = {};
  if (typeof ttl === "number" || typeof ttl === "bigint") asText.ttl = String(ttl);
  if (typeof enabled === "boolean") asText.enabled = String(enabled);
  return Object.keys(asText).length === 0 ? object : { ...object, spec: { ...sent, ...asText } };
}

function timeLeftOf({ metadata, spec: { ttl }, status: { expired } }: Token, now: number): string {
  return timeLeft({ metadata, ttl, isExpired: expired === true }, now);
}

/** What the table shows of a token's lifetime: what is left of it. */
export function timeLeft(
  { metadata, ttl, isExpired }: { readonly metadata: ObjectMeta; readonly ttl: string; readonly isExpired: boolean },
  now: number,
): string {
  if (ttlSeconds(ttl) === undefined) return "never";
  const expiry = expiryOf(metadata.creationTimestamp ?? "", ttl);
  if (expiry === undefined) return "<unknown>";
  const seconds = Math.floor((expiry - now) / 1000);
  return isExpired || seconds <= 0 ? "expired" : humanSeconds(seconds);
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
