import type { KubernetesObject } from "@annex/apimachinery";
import type { AdmissionChain } from "@annex/apiserver";
import { withoutPlaintexts } from "./token.ts";

const WARNING = "metadata.annotations: a plaintext token was left out: it is told once, and kept nowhere";

/**
 * Has no annotation keep a plaintext. Whoever applies the saved answer to a creation sends it: kubectl writes all of the file into the annotation last-applied-configuration.
 * It is taken out before anybody is asked about the write.
 */
export function redacted(chain: AdmissionChain): AdmissionChain {
  return {
    ...chain,
    mutate(attributes, context) {
      const object = withRedactedAnnotations(attributes.object);
      if (object !== attributes.object) context.warn(WARNING);
      return chain.mutate({ ...attributes, object }, context);
    },
  };
}

function withRedactedAnnotations(object: KubernetesObject): KubernetesObject {
  const { annotations } = object.metadata;
  if (annotations === undefined) return object;
  const kept = Object.entries(annotations).map(([name, value]) => [name, withoutPlaintexts(value)] as const);
  if (kept.every(([name, value]) => annotations[name] === value)) return object;
  return { ...object, metadata: { ...object.metadata, annotations: Object.fromEntries(kept) } };
}
