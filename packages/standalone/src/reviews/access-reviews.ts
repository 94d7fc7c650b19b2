import { type ObjectMeta, type Static, type TSchema, t } from "@annex/apimachinery";
import { type Authorizer, defineResource, type Invalid, type UserInfo } from "@annex/apiserver";
import { ACCESS_FIELDS, type AccessSpec, attributesFrom, EXTRA_SCHEMA } from "./access-attributes.ts";
import { readSelectors, validateSelectors } from "./selector-attributes.ts";
import { asSent } from "./sent-metadata.ts";

const GROUP = "authorization.k8s.io";

const selfSpec = t.object(ACCESS_FIELDS, {
  title: "SelfSubjectAccessReviewSpec",
  description: "What is to be done: exactly one of resourceAttributes and nonResourceAttributes.",
});

const spec = t.object(
  {
    ...ACCESS_FIELDS,
    user: t.optional(t.string({ description: "Whom it is about." })),
    groups: t.optional(t.atomic(t.string(), { description: "The groups of the user: no others are added." })),
    extra: t.optional(EXTRA_SCHEMA),
    uid: t.optional(t.string({ description: "The uid of the user." })),
  },
  { title: "SubjectAccessReviewSpec", description: "What is to be done, and by whom." },
);

const statusFields = t.object(
  {
    allowed: t.boolean({ default: false, description: "Whether it is allowed." }),
    denied: t.optional(t.boolean({ description: "Whether it is denied whatever another authorizer says." })),
    reason: t.optional(t.string({ description: "Why it is allowed or denied." })),
    evaluationError: t.optional(t.string({ description: "What could not be taken into account." })),
  },
  { title: "SubjectAccessReviewStatus", description: "What the server answers." },
);

const status: TSchema<Static<typeof statusFields>> = { ...statusFields, required: ["allowed"] };

/** What the kinds that ask the authorizer have in common: they answer, and keep nothing. */
const review = { group: GROUP, isBuiltIn: true, tracksGeneration: false, nameRule: "pathSegment" } as const;

/** authorization/v1 SelfSubjectAccessReview: may I do this? */
export const SelfSubjectAccessReview = defineResource({
  ...review,
  kind: "SelfSubjectAccessReview",
  scope: "Cluster",
  versions: { v1: { description: "Asks whether the user who asks may do something.", schema: { spec: selfSpec, status }, required: ["spec"] } },
  validate: ({ object, invalid }) => {
    validateAccess(object.spec, invalid);
    validateSelectorsOf(object.spec, invalid);
    validateNoMetadata(object.metadata, invalid);
  },
  handlers: {
    supportsDryRun: true,
    create: async ({ object: { spec, metadata }, user, authorizer, signal }) => ({
      metadata: asSent(metadata),
      spec,
      status: await decide(spec, user, authorizer, signal),
    }),
  },
});

/** authorization/v1 SubjectAccessReview: may they do this? For those who guard something else by this server's rules. */
export const SubjectAccessReview = defineResource({
  ...review,
  kind: "SubjectAccessReview",
  scope: "Cluster",
  versions: { v1: { description: "Asks whether a user may do something.", schema: { spec, status }, required: ["spec"] } },
  validate: ({ object, invalid }) => {
    validateSubject(object.spec, invalid);
    validateNoMetadata(object.metadata, invalid);
  },
  handlers: {
    supportsDryRun: true,
    create: async ({ object: { spec, metadata }, authorizer, signal }) => ({
      metadata: asSent(metadata),
      spec,
      status: await decide(spec, subjectOf(spec), authorizer, signal),
    }),
  },
});

/** authorization/v1 LocalSubjectAccessReview: as SubjectAccessReview, for one namespace, so that the right to ask can be given for it alone. */
export const LocalSubjectAccessReview = defineResource({
  ...review,
  kind: "LocalSubjectAccessReview",
  scope: "Namespaced",
  versions: { v1: { description: "Asks whether a user may do something in a namespace.", schema: { spec, status }, required: ["spec"] } },
  validate: ({ object: { spec, metadata }, invalid }) => {
    validateSubject(spec, invalid);
    const { namespace = "", ...rest } = metadata;
    validateNoMetadata(rest, invalid, "must be empty except for namespace", { namespace });
    const { resourceAttributes, nonResourceAttributes } = spec;
    if (resourceAttributes !== undefined && (resourceAttributes.namespace ?? "") !== namespace) {
      invalid("spec.resourceAttributes.namespace", "must match metadata.namespace", { value: resourceAttributes.namespace ?? "" });
    }
    if (nonResourceAttributes !== undefined) {
      invalid("spec.nonResourceAttributes", "disallowed on this kind of request", { value: goValue(nonResourceAttributes) });
    }
  },
  handlers: {
    supportsDryRun: true,
    create: async ({ object: { spec, metadata }, authorizer, signal }) => ({
      metadata: asSent(metadata),
      spec,
      status: await decide(spec, subjectOf(spec), authorizer, signal),
    }),
  },
});

/** Source: kubernetes pkg/apis/authorization/validation. */
function validateAccess({ resourceAttributes, nonResourceAttributes }: AccessSpec, invalid: Invalid): void {
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    invalid("spec.nonResourceAttributes", "cannot be specified in combination with resourceAttributes", { value: goValue(nonResourceAttributes) });
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    invalid("spec.resourceAttributes", "exactly one of nonResourceAttributes or resourceAttributes must be specified", { value: null });
  }
}

function validateSelectorsOf({ resourceAttributes = {} }: AccessSpec, invalid: Invalid): void {
  for (const { field, message, reason } of validateSelectors(resourceAttributes)) invalid(field, message, { reason, isWhole: true });
}

function validateSubject(sent: Static<typeof spec>, invalid: Invalid): void {
  validateAccess(sent, invalid);
  if (!sent.user && (sent.groups ?? []).length === 0) invalid("spec.user", "at least one of user or group must be specified", { value: "" });
  validateSelectorsOf(sent, invalid);
}

function validateNoMetadata(metadata: ObjectMeta, invalid: Invalid, why = "must be empty", kept: Partial<ObjectMeta> = {}): void {
  const sent = asSent(metadata);
  if (Object.keys(sent).length > 0) invalid("metadata", why, { value: { ...kept, ...sent } });
}

/** As the Go server's own type prints it. */
function goValue({ path = "", verb = "" }: NonNullable<AccessSpec["nonResourceAttributes"]>): object {
  return { Path: path, Verb: verb };
}

function subjectOf({ user = "", uid, groups = [], extra = {} }: Static<typeof spec>): UserInfo {
  const values = Object.entries(extra).map(([key, list]) => [key, list ?? []] as const);
  return { name: user, ...(uid ? { uid } : {}), groups, extra: Object.fromEntries(values) };
}

async function decide(spec: AccessSpec, user: UserInfo, authorizer: Authorizer, signal: AbortSignal): Promise<Static<typeof status>> {
  const { selection, problems } = readSelectors(spec.resourceAttributes ?? {});
  const { decision, reason } = await authorizer.authorize({ ...attributesFrom(spec, user), ...selection }, { signal });
  return {
    allowed: decision === "Allow",
    ...(decision === "Deny" ? { denied: true } : {}),
    ...(reason === "" ? {} : { reason }),
    ...(problems === "" ? {} : { evaluationError: problems }),
  };
}
