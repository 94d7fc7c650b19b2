import { badRequest, type Static, type TSchema, t } from "@annex/apimachinery";
import { defineResource, type ResourceDefinition, type UserInfo } from "@annex/apiserver";
import type { SubjectRules } from "../rbac/index.ts";

const strings = (description: string) => t.optional(t.atomic(t.string(), { description }));

const verbs = t.atomic(t.string(), { default: [], description: "What may be done; * for everything." });

const resourceRuleFields = t.object(
  {
    verbs,
    apiGroups: strings("In which groups; * for all."),
    resources: strings("With which resources; * for all."),
    resourceNames: strings("With which objects; without any with all."),
  },
  { title: "ResourceRule", description: "What may be done with which resources." },
);

const nonResourceRuleFields = t.object(
  {
    verbs,
    nonResourceURLs: strings("With which paths; * at the end for all that begin so."),
  },
  { title: "NonResourceRule", description: "What may be done with which paths." },
);

const resourceRule: TSchema<Static<typeof resourceRuleFields>> = { ...resourceRuleFields, required: ["verbs"] };
const nonResourceRule: TSchema<Static<typeof nonResourceRuleFields>> = { ...nonResourceRuleFields, required: ["verbs"] };

const spec = t.object(
  { namespace: t.optional(t.string({ description: "The namespace that it is about." })) },
  { title: "SelfSubjectRulesReviewSpec", description: "What is asked." },
);

const statusFields = t.object(
  {
    resourceRules: t.atomic(resourceRule, { default: [], description: "What may be done with resources." }),
    nonResourceRules: t.atomic(nonResourceRule, { default: [], description: "What may be done with other paths." }),
    incomplete: t.boolean({ default: false, description: "Whether there may be more rules." }),
    evaluationError: t.optional(t.string({ description: "Why there may be more rules." })),
  },
  { title: "SubjectRulesReviewStatus", description: "What the server answers." },
);

const status: TSchema<Static<typeof statusFields>> = { ...statusFields, required: ["resourceRules", "nonResourceRules", "incomplete"] };

/**
 * authorization/v1 SelfSubjectRulesReview: what may I do? For people and their screens: who decides something asks an access review.
 *
 * @param rulesFor the rules that apply to a user in a namespace.
 * Source: kubernetes pkg/registry/authorization/selfsubjectrulesreview.
 */
export function selfSubjectRulesReview(rulesFor: (user: UserInfo, namespace: string) => SubjectRules): ResourceDefinition {
  return defineResource({
    group: "authorization.k8s.io",
    kind: "SelfSubjectRulesReview",
    scope: "Cluster",
    isBuiltIn: true,
    tracksGeneration: false,
    nameRule: "pathSegment",
    versions: { v1: { description: "Asks what the user who asks may do in a namespace.", schema: { spec, status }, required: ["spec"] } },
    handlers: {
      supportsDryRun: true,
      create: ({ object, user }) => {
        const { namespace } = object.spec;
        if (!namespace) throw badRequest("no namespace on request");
        const { resourceRules, nonResourceRules, incomplete, evaluationError } = rulesFor(user, namespace);
        return {
          metadata: {},
          spec: {},
          status: {
            resourceRules: resourceRules.map(({ resourceNames, ...rule }) => (resourceNames.length === 0 ? rule : { ...rule, resourceNames })),
            nonResourceRules,
            incomplete,
            ...(evaluationError === "" ? {} : { evaluationError }),
          },
        };
      },
    },
  });
}
