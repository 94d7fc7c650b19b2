import { isJSONObject, isQualifiedName, type JSONObject, type KubernetesObject, type Static, type TSchema, t } from "@annex/apimachinery";
import { defineResource, type Invalid, type ObjectOf } from "@annex/apiserver";
import { AGE } from "../age-column.ts";
import { checkFinalizers, checkObjectMeta, checkObjectMetaUpdate } from "./object-meta.ts";

/** The finalizer that holds a namespace until what is in it is gone. Source: core/v1 FinalizerKubernetes. */
export const NAMESPACE_FINALIZER = "kubernetes";

const conditionFields = t.object(
  {
    type: t.string({ default: "", description: "What the condition is about, as NamespaceDeletionContentFailure." }),
    status: t.string({ default: "", description: "True, False or Unknown." }),
    lastTransitionTime: t.optional(
      t.string({ title: "io.k8s.apimachinery.pkg.apis.meta.v1.Time", format: "date-time", description: "When the status last changed." }),
    ),
    reason: t.optional(t.string({ description: "One word why." })),
    message: t.optional(t.string({ description: "A sentence why." })),
  },
  { title: "NamespaceCondition", description: "What is known about a namespace at a time." },
);

// As of any Go struct, what is left out is empty; documents say what has to be there.
const condition: TSchema<Static<typeof conditionFields>> = { ...conditionFields, required: ["type", "status"] };

/** core/v1 Namespace: a scope for names, which takes what is in it along when it is deleted. */
export const Namespace = defineResource({
  group: "",
  kind: "Namespace",
  scope: "Cluster",
  shortNames: ["ns"],
  isBuiltIn: true,
  nameRule: "pathSegment",
  statusSubresource: true,
  updateSubresources: ["finalize"],
  tracksGeneration: false,
  withoutVerbs: ["deleteCollection"],
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
          { title: "NamespaceSpec", description: "What holds the namespace when it is deleted." },
        ),
        status: t.object(
          {
            phase: t.optional(t.string({ description: "Active, or Terminating while the namespace is being deleted." })),
            conditions: t.optional(
              t.listMap(condition, {
                keys: ["type"],
                description: "Why a deletion takes so long.",
                "x-kubernetes-patch-strategy": "merge",
                "x-kubernetes-patch-merge-key": "type",
              }),
            ),
          },
          { title: "NamespaceStatus", description: "In which part of its life the namespace is." },
        ),
      },
      normalize: withNameLabel,
      columns: [{ name: "Status", type: "string", value: ({ status }) => status.phase ?? "", description: "The status of the namespace" }, AGE],
    },
  },
  // For a name that was generated.
  canonicalize: withNameLabel,
  prepare: ({ object, previous, subresource }) => {
    if (previous === undefined) {
      const { finalizers = [] } = object.spec;
      const spec = { ...object.spec, finalizers: finalizers.includes(NAMESPACE_FINALIZER) ? finalizers : [...finalizers, NAMESPACE_FINALIZER] };
      return { ...object, spec, status: { phase: "Active" } };
    }
    if (subresource === "finalize") return { ...previous, metadata: object.metadata, spec: object.spec };
    // Source: core/v1 SetDefaults_NamespaceStatus.
    return { ...object, spec: previous.spec, status: { ...object.status, phase: object.status.phase || "Active" } };
  },
  validate: ({ object, previous, subresource, invalid }) => {
    if (subresource === "") {
      checkObjectMeta(object, { isNamespaced: false, nameRule: "dnsLabel" }, invalid);
      // Only the subresource `finalize` names their places.
      validateFinalizers(object, () => "spec.finalizers", invalid);
    }
    if (previous !== undefined) checkObjectMetaUpdate(object, previous, invalid);
    if (subresource === "finalize") validateFinalizers(object, (index) => `spec.finalizers[${index}]`, invalid);
    if (subresource === "status") validatePhase(object, invalid);
  },
  isDeletionHeld: (object) => (object.spec.finalizers?.length ?? 0) > 0,
  prepareDeletion: ({ object }) => {
    // A namespace has no grace period: it goes when it is empty.
    const { deletionGracePeriodSeconds: _seconds, ...metadata } = object.metadata;
    return { ...object, metadata, status: { ...object.status, phase: "Terminating" } };
  },
});

export type Namespace = ObjectOf<typeof Namespace>;

/** A namespace has its name as a label, so that selectors can ask for it. Source: core/v1 SetDefaults_Namespace. */
function withNameLabel<T extends JSONObject | KubernetesObject>(object: T): T {
  const { metadata } = object;
  if (!isJSONObject(metadata) || typeof metadata.name !== "string" || metadata.name === "") return object;
  const labels = metadata.labels ?? {};
  if (!isJSONObject(labels)) return object;
  return { ...object, metadata: { ...metadata, labels: { ...labels, "kubernetes.io/metadata.name": metadata.name } } };
}

/** Source: core validation, validateFinalizerName. */
function validateFinalizers({ spec: { finalizers = [] } }: Namespace, pathOf: (index: number) => string, invalid: Invalid): void {
  for (const [index, finalizer] of finalizers.entries()) {
    for (const complaint of isQualifiedName(finalizer)) invalid(pathOf(index), complaint, { value: finalizer });
    checkFinalizers([finalizer], () => pathOf(index), invalid);
  }
}

/** Source: core validation, ValidateNamespaceStatusUpdate, whose path is written so. */
function validatePhase({ metadata, status: { phase = "" } }: Namespace, invalid: Invalid): void {
  if (metadata.deletionTimestamp === undefined) {
    if (phase !== "Active") invalid("status.Phase", "may only be 'Active' if `deletionTimestamp` is empty", { value: phase });
  } else if (phase !== "Terminating") {
    invalid("status.Phase", "may only be 'Terminating' if `deletionTimestamp` is not empty", { value: phase });
  }
}

/** Those that cannot be deleted. Source: NamespaceLifecycle's immortal namespaces. */
export const IMMORTAL_NAMESPACES: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);

/** Those that are there from the start, and come again. Source: kubernetes pkg/controlplane/controller/systemnamespaces. */
export const SYSTEM_NAMESPACES: ReadonlySet<string> = new Set([...IMMORTAL_NAMESPACES, "kube-node-lease"]);
