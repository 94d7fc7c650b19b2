import { forbidden, isJSONObject, parseFieldSelector, parseLabelSelector, t } from "@annex/apimachinery";
import { type AdmissionPlugin, defineResource, type Invalid, type ObjectOf, type ResourceVerbs } from "@annex/apiserver";

// Answers as Go's compiled-in types do, which is what the Go sample has. Without it a kind behaves as a custom resource.
const compiledIn = { isBuiltIn: true, allowsStrategicMergePatch: true, tracksGeneration: false, nameRule: "pathSegment" } as const;
const wardle = { ...compiledIn, group: "wardle.example.com" } as const;
const deprecated = (kind: string) => `wardle.example.com/v1alpha1 ${kind} is deprecated in v1.3+, unavailable in v1.10+`;
const name = (description: string) => t.optional(t.string({ description }));

/** Refers to another flunder or to a fischer. */
export const Flunder = defineResource({
  ...wardle,
  kind: "Flunder",
  scope: "Namespaced",
  versions: {
    v1alpha1: {
      deprecated: deprecated("Flunder"),
      schema: {
        spec: t.object({
          reference: name("The flunder or the fischer that this one refers to, by the type."),
          referenceType: name("Flunder or Fischer; Flunder where there is a reference and no type."),
        }),
        status: t.object({}),
      },
      normalize: (flunder) => {
        const { spec } = flunder;
        const isDefaulted = isJSONObject(spec) && spec.reference && !spec.referenceType;
        return isDefaulted ? { ...flunder, spec: { ...spec, referenceType: "Flunder" } } : flunder;
      },
      toStorage: ({ spec: { reference, referenceType }, status }) => {
        if (referenceType === "Flunder") return { spec: { ...(reference && { flunderReference: reference }), referenceType }, status };
        return { spec: referenceType === "Fischer" ? { ...(reference && { fischerReference: reference }), referenceType } : {}, status };
      },
      fromStorage: ({ spec: { flunderReference, fischerReference, referenceType }, status }) => {
        if (referenceType === "Flunder") return { spec: { ...(flunderReference && { reference: flunderReference }), referenceType }, status };
        return { spec: referenceType === "Fischer" ? { ...(fischerReference && { reference: fischerReference }), referenceType } : {}, status };
      },
    },
    v1beta1: {
      storage: true,
      schema: {
        spec: t.object({
          flunderReference: name("The flunder that this one refers to; not together with a fischer."),
          fischerReference: name("The fischer that this one refers to; not together with a flunder."),
          referenceType: name("Flunder or Fischer."),
        }),
        status: t.object({}),
      },
    },
  },
  // The Go sample stores v1alpha1, which has one reference: the other one is lost. It looks at new flunders only, so this happens to changed ones that stay.
  prepare: ({ object, previous }) => {
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    if (previous === undefined || (deletionTimestamp !== undefined && finalizers.length === 0)) return object;
    const { flunderReference, fischerReference, referenceType } = object.spec;
    if (referenceType === "Flunder") return { ...object, spec: { referenceType, ...(flunderReference && { flunderReference }) } };
    return { ...object, spec: referenceType === "Fischer" ? { referenceType, ...(fischerReference && { fischerReference }) } : {} };
  },
  validate: ({ object, previous, invalid }) => previous ?? validateSpec(object.spec, invalid),
});

function validateSpec({ flunderReference = "", fischerReference = "", referenceType = "" }: ObjectOf<typeof Flunder>["spec"], invalid: Invalid) {
  const flunder = (detail: string) => invalid("spec.flunderReference", detail, { value: flunderReference });
  const fischer = (detail: string) => invalid("spec.fischerReference", detail, { value: fischerReference });
  if (flunderReference && fischerReference) fischer("cannot be set with flunderReference at the same time");
  else if (flunderReference && referenceType !== "Flunder") flunder("cannot be set if referenceType is not Flunder");
  else if (fischerReference && referenceType !== "Fischer") fischer("cannot be set if referenceType is not Fischer");
  else if (!fischerReference && referenceType === "Fischer") fischer("cannot be empty if referenceType is Fischer");
  else if (!flunderReference && referenceType === "Flunder") flunder("cannot be empty if referenceType is Flunder");
  if (!["", "Flunder", "Fischer"].includes(referenceType)) invalid("spec.referenceType", "must be Flunder or Fischer");
}

/** Says which names flunders may not have. */
export const Fischer = defineResource({
  ...wardle,
  kind: "Fischer",
  scope: "Cluster",
  versions: {
    v1alpha1: {
      deprecated: deprecated("Fischer"),
      schema: {
        disallowedFlunders: t.optional(t.atomic(t.string(), { description: "Names that flunders may not have." })),
      },
    },
  },
});

const selectors = { labelSelector: parseLabelSelector(""), fieldSelector: parseFieldSelector("", new Set()) };
const EVERYTHING = { ...selectors, namespace: "", limit: 0, continue: "", consistency: { type: "MostRecent" } } as const;

/** Refuses a new flunder whose name a fischer disallows. Asked before validation, as the Go sample's mutating plugin is. */
export function banFlunder(verbsOf: (group: string, resource: string) => ResourceVerbs): AdmissionPlugin {
  return {
    name: "BanFlunder",
    async mutate({ operation, resource, name: wanted, object }, context) {
      if (operation !== "CREATE" || resource.kind !== "Flunder" || resource.group !== wardle.group) return object;
      const fischers = await verbsOf(wardle.group, "fischers").list?.(EVERYTHING, { ...context, warn: () => undefined });
      const isBanned = ({ disallowedFlunders = [] }: ObjectOf<typeof Fischer>) => disallowedFlunders.includes(wanted);
      // What lies in storage satisfies the definition's schema.
      if (fischers?.items.some(({ object: fischer }) => isBanned(fischer as unknown as ObjectOf<typeof Fischer>)))
        throw forbidden(resource, wanted, "this name may not be used, please change the resource name");
      return object;
    },
  };
}
