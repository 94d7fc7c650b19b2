import { AGE_COLUMN, isJSONObject, type JSONObject, t } from "@annex/apimachinery";
import { defineResource, type ObjectOf } from "./define-resource.ts";

const int32 = { format: "int32" } as const;

/** As Go writes a Scale: a zero says nothing, and is nobody's. */
function withoutZero({ spec, ...scale }: JSONObject): JSONObject {
  if (!isJSONObject(spec) || spec.replicas !== 0) return spec === undefined ? scale : { ...scale, spec };
  const { replicas: _zero, ...rest } = spec;
  return { ...scale, spec: rest };
}

/** autoscaling/v1 Scale: how many replicas an object is to have and has. No path of its own serves it, but `scale` below others. */
export const Scale = defineResource({
  group: "autoscaling",
  kind: "Scale",
  scope: "Namespaced",
  isBuiltIn: true,
  versions: {
    v1: {
      description: "How many replicas an object is to have, and how many it has.",
      normalize: withoutZero,
      schema: {
        spec: t.object({ replicas: t.optional(t.integer({ ...int32, description: "How many replicas there are to be. 0 is left out." })) }),
        status: t.object({
          replicas: t.integer({ ...int32, description: "How many replicas there are." }),
          selector: t.optional(t.string({ description: "The label selector of the replicas, as text." })),
        }),
      },
      columns: [
        { name: "Desired", type: "integer", jsonPath: ".spec.replicas", description: "Number of desired replicas" },
        { name: "Available", type: "integer", jsonPath: ".status.replicas", description: "Number of actual replicas" },
        AGE_COLUMN,
      ],
    },
  },
});
export type Scale = ObjectOf<typeof Scale>;
