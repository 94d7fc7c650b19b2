import { t } from "@annex/apimachinery";
import { defineResource, type ObjectOf } from "@annex/apiserver";

/** The finalizer that holds a namespace until what is in it is gone. Source: core/v1 FinalizerKubernetes. */
export const NAMESPACE_FINALIZER = "kubernetes";

const condition = t.object({
  type: t.string({ description: "What the condition is about, as NamespaceDeletionContentFailure." }),
  status: t.string({ description: "True, False or Unknown." }),
  lastTransitionTime: t.optional(t.string({ format: "date-time", description: "When the status last changed." })),
  reason: t.optional(t.string({ description: "One word why." })),
  message: t.optional(t.string({ description: "A sentence why." })),
});

/** core/v1 Namespace: a scope for names, which takes what is in it along when it is deleted. */
export const Namespace = defineResource({
  group: "",
  kind: "Namespace",
  scope: "Cluster",
  shortNames: ["ns"],
  isBuiltIn: true,
  nameRule: "dnsLabel",
  statusSubresource: true,
  updateSubresources: ["finalize"],
  tracksGeneration: false,
  allowsUnconditionalUpdate: true,
  allowsStrategicMergePatch: true,
  selectableFields: ["status.phase"],
  versions: {
    v1: {
      description: "A scope for names: objects of namespaced kinds are unique within theirs.",
      schema: {
        spec: t.object(
          {
            finalizers: t.optional(t.atomic(t.string(), { description: "Who has to empty the namespace before it may go." })),
          },
          { description: "What holds the namespace when it is deleted." },
        ),
        status: t.object(
          {
            phase: t.optional(
              t.string({ description: "Active, or Terminating while the namespace is being deleted.", enum: ["Active", "Terminating"] }),
            ),
            conditions: t.optional(
              t.listMap(condition, ["type"], {
                description: "Why a deletion takes so long.",
                "x-kubernetes-patch-strategy": "merge",
                "x-kubernetes-patch-merge-key": "type",
              }),
            ),
          },
          { description: "In which part of its life the namespace is." },
        ),
      },
      columns: [{ name: "Status", type: "string", jsonPath: ".status.phase", description: "The phase of the namespace." }],
    },
  },
  prepare: ({ object, previous, subresource }) => {
    if (previous === undefined) {
      const { finalizers = [] } = object.spec;
      const spec = { ...object.spec, finalizers: finalizers.includes(NAMESPACE_FINALIZER) ? finalizers : [...finalizers, NAMESPACE_FINALIZER] };
      const labels = { ...object.metadata.labels, "kubernetes.io/metadata.name": object.metadata.name ?? "" };
      return { ...object, metadata: { ...object.metadata, labels }, spec, status: { phase: "Active" } };
    }
    if (subresource === "finalize") return { ...previous, metadata: object.metadata, spec: object.spec };
    const labels = { ...object.metadata.labels, "kubernetes.io/metadata.name": object.metadata.name ?? "" };
    return { ...object, metadata: { ...object.metadata, labels }, spec: previous.spec };
  },
  isDeletionHeld: (object) => (object.spec.finalizers?.length ?? 0) > 0,
  prepareDeletion: ({ object }) => ({ ...object, status: { ...object.status, phase: "Terminating" } }),
  admit: ({ operation, previous, forbidden }) => {
    if (operation === "DELETE" && SYSTEM_NAMESPACES.has(previous?.metadata.name ?? "")) throw forbidden("this namespace may not be deleted");
  },
});

export type Namespace = ObjectOf<typeof Namespace>;

/** Those that are there from the start and cannot be deleted. Source: NamespaceLifecycle's immortal namespaces, as far as anything here uses them. */
export const SYSTEM_NAMESPACES: ReadonlySet<string> = new Set(["default", "kube-system"]);
