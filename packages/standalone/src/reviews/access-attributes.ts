import { LABEL_SELECTOR_REQUIREMENT_SCHEMA, type Static, t } from "@annex/apimachinery";
import type { Attributes, UserInfo } from "@annex/apiserver";

const selectorAttributes = (what: "Field" | "Label") =>
  t.object(
    {
      rawSelector: t.optional(t.string({ description: "The selector as in a query." })),
      requirements: t.optional(
        t.atomic(
          { ...LABEL_SELECTOR_REQUIREMENT_SCHEMA, title: `io.k8s.apimachinery.pkg.apis.meta.v1.${what}SelectorRequirement` },
          { description: "The selector, taken apart." },
        ),
      ),
    },
    { title: `${what}SelectorAttributes`, description: `To which ${what.toLowerCase()}s the access is limited. It can limit it, not widen it.` },
  );

const resourceAttributes = t.object(
  {
    namespace: t.optional(t.string({ description: "Empty for all namespaces, and for cluster-scoped resources." })),
    verb: t.optional(t.string({ description: "get, list, watch, create, update, patch, delete, deletecollection, …; * for all." })),
    group: t.optional(t.string({ description: "The API group; * for all." })),
    version: t.optional(t.string({ description: "The API version; * for all." })),
    resource: t.optional(t.string({ description: "The resource; * for all." })),
    subresource: t.optional(t.string({ description: "The subresource; empty for none." })),
    name: t.optional(t.string({ description: "The name of the object; empty for all." })),
    fieldSelector: t.optional(selectorAttributes("Field")),
    labelSelector: t.optional(selectorAttributes("Label")),
  },
  { title: "ResourceAttributes", description: "What is to be done with resources." },
);

const nonResourceAttributes = t.object(
  {
    path: t.optional(t.string({ description: "The path of the URL." })),
    verb: t.optional(t.string({ description: "The HTTP method, in lower case." })),
  },
  { title: "NonResourceAttributes", description: "What is to be done with a path that is no resource." },
);

/** What is to be done, in a review: one of the two. Source: authorization/v1 SelfSubjectAccessReviewSpec. */
export const ACCESS_FIELDS = {
  resourceAttributes: t.optional(resourceAttributes),
  nonResourceAttributes: t.optional(nonResourceAttributes),
} as const;

/** Users' extra values; Go keeps a null among them. */
export const EXTRA_SCHEMA = t.record(t.nullable(t.array(t.string())), { description: "What else the authenticator knows of the user." });

export type ResourceAttributes = Static<typeof resourceAttributes>;
export type SelectorAttributes = NonNullable<ResourceAttributes["fieldSelector"]>;

export interface AccessSpec {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: Static<typeof nonResourceAttributes>;
}

/**
 * What a review asks, in the words of authorization; but for its selectors.
 *
 * Source: kubernetes pkg/registry/authorization/util, ResourceAttributesFrom and NonResourceAttributesFrom.
 */
export function attributesFrom({ resourceAttributes, nonResourceAttributes = {} }: AccessSpec, user: UserInfo): Attributes {
  if (resourceAttributes === undefined) {
    const { path = "", verb = "" } = nonResourceAttributes;
    return { type: "path", user, verb, path };
  }
  const { namespace = "", verb = "", group = "", version, resource = "", subresource = "", name = "" } = resourceAttributes;
  return { type: "resource", user, verb, group, version: version || "*", resource, subresource, namespace, name };
}
