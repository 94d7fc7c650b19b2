import { AGE_COLUMN, formatAge, type ObjectMeta } from "@annex/apimachinery";

/** How long ago an object was created, as text: the column of compiled-in kinds, whose cells the server makes. Source: kubernetes pkg/printers/internalversion. */
export const AGE = {
  name: "Age",
  type: "string",
  description: AGE_COLUMN.description,
  value: ({ metadata }: { readonly metadata: ObjectMeta }, now: number) => formatAge(metadata.creationTimestamp, now),
} as const;
