import { type KubernetesObject, t } from "@annex/apimachinery";
import { type Cancellation, defineResource, loopbackContext, type Resource, registryVerbs } from "@annex/apiserver";
import { type SecretCodec, type SecretVerbs, secretStore } from "../index.ts";

/** The type of the Secrets that notes are kept in: no other Secret is one. */
export const NOTE_SECRET_TYPE = "example.com/note";

/** A note lies in the Secret of its name and namespace, its color and its text each under a key. */
function noteCodec({ kind, storageVersion }: Resource): SecretCodec {
  return {
    type: NOTE_SECRET_TYPE,
    finalizer: "example.com/note",
    namespace: undefined,
    apiVersion: storageVersion.apiVersion,
    kind,
    encode(object: KubernetesObject) {
      const { spec } = object as Note; // the registry has checked it against the schema
      return { data: { color: spec.color, text: spec.text } };
    },
    // Anybody may have edited the Secret: what is not there is empty.
    decode: ({ read }) => ({ spec: { color: read("color") ?? "", text: read("text") ?? "" } }),
    // Nobody collects garbage by the uids of notes.
    isOwnUID: () => true,
  };
}

export const Note = defineResource({
  group: "example.com",
  kind: "Note",
  scope: "Namespaced",
  selectableFields: ["spec.color"],
  versions: {
    v1: { schema: { spec: t.object({ color: t.string({ default: "white" }), text: t.string({ default: "" }) }) } },
  },
  verbs: (resource, { admission, random, hasGarbageCollector, clock, authorizer, verbsOf }) => {
    const store = secretStore({
      resource,
      codec: noteCodec(resource),
      // The server's own, or those of the cluster it lives in: Secrets have every verb.
      secrets: () => verbsOf("", "secrets") as SecretVerbs,
      // Secrets are read and written by the server itself. Who may read and write notes is asked before, for each request.
      context: (cancellation: Cancellation) => loopbackContext(cancellation, clock.now(), authorizer),
    });
    return registryVerbs({ resource, store, admission, random, hasGarbageCollector });
  },
});

interface Note extends KubernetesObject {
  readonly spec: { readonly color: string; readonly text: string };
}
