import { fieldError, invalid, type KubernetesObject } from "@annex/apimachinery";
import type { AdmissionPlugin } from "@annex/apiserver";
import { CLUSTER_TOKEN_SECRET_TYPE, TOKEN_SECRET_TYPE } from "./ranchertoken.ts";

const TYPES: ReadonlySet<unknown> = new Set([TOKEN_SECRET_TYPE, CLUSTER_TOKEN_SECRET_TYPE]);

/** Keeps the Secrets of tokens writable: whoever may write Secrets could otherwise make a token that nobody can disable any more. */
export const mutableTokenSecrets: AdmissionPlugin = {
  name: "MutableTokenSecrets",
  async validate({ resource, object }) {
    if (resource.group !== "" || resource.resource !== "secrets" || object === undefined) return;
    const { type, immutable, metadata }: KubernetesObject = object;
    if (!TYPES.has(type) || immutable !== true) return;
    throw invalid(resource, metadata.name ?? "", [
      fieldError.forbidden("immutable", `a Secret of type ${String(type)} holds a token, which must stay changeable`),
    ]);
  },
};
