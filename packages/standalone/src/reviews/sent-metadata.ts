import type { ObjectMeta } from "@annex/apimachinery";

/** The metadata of a review as the client sent it: nothing is made, so it has no uid, no time of creation and nobody who manages its fields. */
export function asSent({ uid: _uid, creationTimestamp: _creationTimestamp, managedFields: _managedFields, ...sent }: ObjectMeta): ObjectMeta {
  return sent;
}
