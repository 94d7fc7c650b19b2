import { FieldSet } from "./field-set.ts";

/** Fields that belong to the server, or name the object: nobody manages them. Source: managedfields stripMetaManager. */
export const STRIPPED_FIELDS = FieldSet.of(
  ["apiVersion"],
  ["kind"],
  ["metadata"],
  ...["name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion"].map((name) => [
    "metadata",
    name,
  ]),
);
