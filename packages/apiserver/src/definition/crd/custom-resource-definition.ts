import { type Static, t } from "@annex/apimachinery";
import { defineResource, type ObjectOf } from "../define-resource.ts";

const text = (description: string) => t.optional(t.string({ description }));
const texts = (description: string) => t.optional(t.atomic(t.string(), { description }));

const names = t.object(
  {
    plural: text("The name in paths: /apis/GROUP/VERSION/.../PLURAL."),
    singular: text("The name of one object on the command line. Default: the kind in lower case."),
    shortNames: texts("Shorter names for the command line."),
    kind: text("The kind of the objects, in CamelCase."),
    listKind: text("The kind of their lists. Default: the kind with List behind it."),
    categories: texts("Groups of kinds that the objects belong to, such as all."),
  },
  { description: "What the kind is called." },
);

const column = t.object({
  name: text("The head of the column."),
  type: text("The OpenAPI type of the cells: string, integer, number, boolean or date."),
  format: text("An OpenAPI format of the cells; name marks the column of names."),
  description: text("What the column says."),
  priority: t.optional(t.integer({ format: "int32", description: "Columns above 0 are shown in wide tables alone." })),
  jsonPath: text("Where in an object the cell is found."),
});

const subresources = t.object(
  {
    status: t.optional(t.object({}, { description: "Serves /status, the only place where status is written." })),
    scale: t.optional(
      t.object(
        {
          specReplicasPath: text("Where the wanted number of replicas is, below .spec."),
          statusReplicasPath: text("Where the present number of replicas is, below .status."),
          labelSelectorPath: text("Where the selector of the replicas is, below .spec or .status."),
        },
        { description: "Serves /scale." },
      ),
    ),
  },
  { description: "What is served below the objects." },
);

const version = t.object({
  name: text("The name in paths and in apiVersion: v1, v2beta1."),
  served: t.boolean({ default: false, description: "Whether the version is served." }),
  storage: t.boolean({ default: false, description: "Whether objects are stored in it: true of exactly one version." }),
  deprecated: t.optional(t.boolean({ description: "Whether each answer at this version carries a warning." })),
  deprecationWarning: text("The sentence of that warning, in place of the standard one."),
  schema: t.optional(
    t.object(
      {
        // Schemas nest without end, which a schema cannot say: `decodeSchema` reads it.
        openAPIV3Schema: t.optional(t.unknown({ description: "The structural schema of the objects." })),
      },
      { description: "What the objects are made of." },
    ),
  ),
  subresources: t.optional(subresources),
  additionalPrinterColumns: t.optional(t.atomic(column, { description: "The columns of tables behind the name. Default: the age." })),
  selectableFields: t.optional(
    t.atomic(t.object({ jsonPath: text("Where the field is.") }), { description: "The fields that a field selector may name." }),
  ),
});

const conversion = t.object(
  {
    strategy: text("None: only apiVersion changes."),
    webhook: t.optional(
      t.object(
        {
          clientConfig: t.optional(t.unknown({ description: "Where the webhook is." })),
          conversionReviewVersions: texts("The versions of ConversionReview that it understands."),
        },
        { description: "How the webhook is called." },
      ),
    ),
  },
  { description: "How objects of one version become those of another." },
);

const condition = t.object({
  type: t.string({ description: "What the condition is about: Established, NamesAccepted." }),
  status: t.string({ description: "True, False or Unknown." }),
  lastTransitionTime: text("When the status last changed."),
  reason: text("One word why."),
  message: text("A sentence why."),
  observedGeneration: t.optional(t.int64({ description: "The generation that the condition is about." })),
});

/**
 * apiextensions.k8s.io/v1 CustomResourceDefinition, as the files have it that {@link resourceFromCRD} reads. It has no verbs but those that somebody gives it.
 *
 * Source: apiextensions/v1, types.go and defaults.go.
 */
export const customResourceDefinitionInput = {
  group: "apiextensions.k8s.io",
  kind: "CustomResourceDefinition",
  scope: "Cluster",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  isBuiltIn: true,
  versions: {
    v1: {
      description: "A kind of objects that the server serves beside its own.",
      schema: {
        spec: t.object(
          {
            group: text("The API group of the kind."),
            names,
            scope: text("Cluster or Namespaced."),
            versions: t.optional(t.atomic(version, { description: "The versions of the kind." })),
            conversion: t.optional(conversion),
            preserveUnknownFields: t.optional(
              t.boolean({ description: "Must be false: x-kubernetes-preserve-unknown-fields in the schema takes its place." }),
            ),
          },
          { description: "What the kind is." },
        ),
        status: t.object(
          {
            conditions: t.optional(t.listMap(condition, { keys: ["type"], description: "Whether the kind is served." })),
            acceptedNames: t.optional(names),
            storedVersions: texts("The versions that objects were ever stored in."),
            observedGeneration: t.optional(t.int64({ description: "The generation that the status is about." })),
          },
          { description: "What became of it." },
        ),
      },
      columns: [],
    },
  },
} as const;

const Definition = defineResource(customResourceDefinitionInput);

/** The object of a file, defaulted: everything that a file may leave out is optional. */
export type CustomResourceDefinition = ObjectOf<typeof Definition>;
export type CRDSpec = CustomResourceDefinition["spec"];
export type CRDNames = Static<typeof names>;
export type CRDVersion = Static<typeof version>;
export type CRDScale = { readonly specReplicasPath?: string; readonly statusReplicasPath?: string; readonly labelSelectorPath?: string };

/** The version that CRD files are read by. */
export const CRD_V1 = Definition.storageVersion;
