import { fieldError, forbidden } from "@annex/apimachinery";
import {
  type Cancellation,
  defineResource,
  formatTime,
  type Invalid,
  LOOPBACK,
  loopbackContext,
  type ResourceHooks,
  registryVerbs,
  type WriteContext,
} from "@annex/apiserver";
import { type SecretCodec, type SecretVerbs, secretStore } from "@annex/storage-secrets";
import { tokenCodec } from "./codec.ts";
import { redacted } from "./redaction.ts";
import { expiryOf } from "./token.ts";
import { DESCRIPTION_ANNOTATION, MAX_DESCRIPTION_LENGTH, v1 } from "./v1.ts";
import { type Token, v1alpha1 } from "./v1alpha1.ts";

export const TOKEN_GROUP = "tomlebreux.com";
export const TOKEN_SECRET_TYPE = "tomlebreux.com/token";
export const CLUSTER_TOKEN_SECRET_TYPE = "tomlebreux.com/cluster-token";

export interface TokenResourceOptions {
  /** What MACs are made with: at least 32 bytes, the server's own. */
  readonly macKey: Uint8Array;
  /** The namespace of the Secrets of ClusterRancherTokens. */
  readonly clusterTokenNamespace: string;
}

/** RancherToken: a token in a namespace, kept in the Secret of the same name. */
export function rancherToken(options: TokenResourceOptions) {
  return defineResource({
    group: TOKEN_GROUP,
    kind: "RancherToken",
    scope: "Namespaced",
    categories: ["tokens"],
    statusSubresource: true,
    preferredVersion: "v1",
    versions: { v1, v1alpha1 },
    ...hooks("ranchertokens", false),
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
    statusSubresource: true,
    preferredVersion: "v1",
    versions: { v1, v1alpha1 },
    ...hooks("clusterranchertokens", true),
    verbs: tokenVerbs(options, { type: CLUSTER_TOKEN_SECRET_TYPE, namespace: options.clusterTokenNamespace }),
  });
}

/**
 * @param resource the plural, for refusals.
 * @param isCallersOwn whether a token without a userID is the caller's. A change without one leaves it as it is.
 */
function hooks(resource: string, isCallersOwn: boolean): ResourceHooks<Token> {
  return {
    prepare: ({ object, previous, subresource, user, now }) => {
      if (subresource === "status") {
        // Compared as a value that only the server itself holds: a name can be anybody's.
        if (user !== LOOPBACK || previous === undefined) {
          throw forbidden({ group: TOKEN_GROUP, resource }, object.metadata.name ?? "", "status is written by the server alone");
        }
        return { ...previous, metadata: object.metadata, status: { ...previous.status, expired: object.status.expired === true } };
      }
      const isLeftOut = isCallersOwn && object.spec.userID === "";
      const userID = isLeftOut ? (previous?.spec.userID ?? user.name) : object.spec.userID;
      return { ...object, spec: { ...object.spec, userID }, status: nextStatus(object, previous, now) };
    },
    validate: ({ object, previous, invalid }) => {
      const { userID, clusterName, ttl } = object.spec;
      // What somebody wrote into the Secret by hand and is left alone does not stand in the way of a change: finalizers must come off such a token too.
      if (userID.trim() === "" && previous?.spec.userID !== userID) invalid("spec.userID", "", { reason: "FieldValueRequired" });
      if (/\p{Cc}/u.test(userID) && previous?.spec.userID !== userID) invalid("spec.userID", "must not have control characters");
      if (!/^\d*$/.test(ttl) && previous?.spec.ttl !== ttl) invalid("spec.ttl", "must be a whole number of seconds, 0 or more");
      const description = object.metadata.annotations?.[DESCRIPTION_ANNOTATION];
      if (description !== undefined && description !== previous?.metadata.annotations?.[DESCRIPTION_ANNOTATION])
        checkDescription(description, invalid);
      if (previous === undefined) return;
      if (userID !== previous.spec.userID) invalid("spec.userID", "field is immutable");
      if (clusterName !== previous.spec.clusterName) invalid("spec.clusterName", "field is immutable");
    },
    admit: async ({ operation, object, forbidden, ...context }) => {
      if (operation !== "CREATE" || object === undefined || object.spec.userID === context.user.name) return;
      if (!(await mayMakeTokensFor(object.spec.userID, context)))
        throw forbidden(`User ${JSON.stringify(context.user.name)} cannot make a token for user ${JSON.stringify(object.spec.userID)}`);
    },
  };
}

/** In v1 the schema has said it already, of its own field. */
function checkDescription(description: string, invalid: Invalid): void {
  if ([...description].length <= MAX_DESCRIPTION_LENGTH) return;
  const { reason, message } = fieldError.tooLong("", MAX_DESCRIPTION_LENGTH);
  invalid(`metadata.annotations[${DESCRIPTION_ANNOTATION}]`, message, { reason, isWhole: true });
}

/** The status after a change: an end that now lies ahead was not reached. What hash and health are, the Secret says. */
function nextStatus({ metadata, spec: { ttl } }: Token, previous: Token | undefined, now: number): Token["status"] {
  if (previous === undefined) return {};
  const { expiresAt: _expiresAt, expired, ...kept } = previous.status;
  const expiry = expiryOf(metadata.creationTimestamp ?? "", ttl);
  const isOver = expiry !== undefined && expiry <= now;
  return { ...kept, ...(expiry === undefined ? {} : { expiresAt: formatTime(expiry) }), expired: expired === true && isOver };
}

/** Whether somebody may make a token for somebody else: the verb `impersonate` on `users.tomlebreux.com` of that name; `""`: for everybody. */
export async function mayMakeTokensFor(name: string, context: WriteContext): Promise<boolean> {
  const attributes = {
    type: "resource",
    user: context.user,
    verb: "impersonate",
    group: TOKEN_GROUP,
    version: "*",
    resource: "users",
    subresource: "",
    namespace: "",
    name,
  } as const;
  return (await context.authorizer.authorize(attributes, context)).decision === "Allow";
}

function tokenVerbs({ macKey }: TokenResourceOptions, { type, namespace }: Pick<SecretCodec, "type" | "namespace">) {
  return ((resource, { admission, random, hasGarbageCollector, clock, authorizer, verbsOf }) => {
    const codec = tokenCodec({ macKey, clock }, { type, namespace, apiVersion: resource.storageVersion.apiVersion, kind: resource.kind });
    const context = (cancellation: Cancellation) => loopbackContext(cancellation, clock.now(), authorizer);
    // Secrets are served with every verb.
    const store = secretStore({ resource, codec, secrets: () => verbsOf("", "secrets") as SecretVerbs, context });
    return registryVerbs({ resource, store, admission: redacted(admission), random, hasGarbageCollector });
  }) satisfies Parameters<typeof defineResource>[0]["verbs"];
}
