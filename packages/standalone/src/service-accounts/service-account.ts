import { t } from "@annex/apimachinery";
import { defineResource, type ResourceDefinition, type Subresource } from "@annex/apiserver";
import { AGE } from "../age-column.ts";
import { checkObjectMeta, checkObjectMetaUpdate } from "../core/object-meta.ts";

const objectReference = t.object(
  {
    kind: t.optional(t.string({ description: "Not kept." })),
    namespace: t.optional(t.string({ description: "Not kept: it is that of the service account." })),
    name: t.string({ description: "The name of the Secret." }),
    uid: t.optional(t.string({ description: "Not kept." })),
    apiVersion: t.optional(t.string({ description: "Not kept." })),
    resourceVersion: t.optional(t.string({ description: "Not kept." })),
    fieldPath: t.optional(t.string({ description: "Not kept." })),
  },
  { title: "ObjectReference", "x-kubernetes-map-type": "atomic", description: "A Secret in the namespace of the service account." },
);

const mergedByName = { "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name" } as const;

/**
 * core/v1 ServiceAccount: a name for a program, under which it gets tokens.
 *
 * @param token the subresource that hands them out.
 */
export function serviceAccount(token: Subresource): ResourceDefinition {
  return defineResource({
    group: "",
    kind: "ServiceAccount",
    scope: "Namespaced",
    shortNames: ["sa"],
    isBuiltIn: true,
    nameRule: "pathSegment",
    tracksGeneration: false,
    allowsUnconditionalUpdate: true,
    allowsStrategicMergePatch: true,
    returnsDeletedObject: true,
    subresources: { token },
    versions: {
      v1: {
        description: "A name for a program, under which it gets tokens.",
        schema: {
          secrets: t.optional(
            t.listMap(objectReference, { keys: ["name"], ...mergedByName, description: "Secrets that the programs of this account may use." }),
          ),
          imagePullSecrets: t.optional(
            t.atomic(
              t.object(
                { name: t.optional(t.string({ description: "The name of the Secret." })) },
                {
                  title: "LocalObjectReference",
                  "x-kubernetes-map-type": "atomic",
                  description: "A Secret in the namespace of the service account.",
                },
              ),
              {
                description: "Secrets that images are pulled with.",
              },
            ),
          ),
          automountServiceAccountToken: t.optional(t.boolean({ description: "Whether Pods get a token of the account without asking." })),
        },
        columns: [AGE],
      },
    },
    prepare: ({ object }) => (object.secrets === undefined ? object : { ...object, secrets: object.secrets.map(({ name }) => ({ name })) }),
    validate: ({ object, previous, invalid }) => {
      if (previous !== undefined) checkObjectMetaUpdate(object, previous, invalid);
      checkObjectMeta(object, { isNamespaced: true, nameRule: "dnsSubdomain" }, invalid);
    },
  });
}
