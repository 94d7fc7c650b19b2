import { APIError } from "@annex/apimachinery";
import { admissionWebhook } from "@annex/apiserver";

/** Both are asked about everything in a group, in their configurations of one name. */
const common = {
  name: "v1alpha1.tomlebreux.com",
  rules: [{ apiGroups: ["tomlebreux.com"], apiVersions: ["*"], resources: ["*"], operations: ["*"] }],
} as const;

/** Says of each object that it was let in. */
export const mutating = admissionWebhook({
  ...common,
  path: "/mutating",
  mutate: ({ object }) =>
    object && {
      ...object,
      metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, access: "granted", reason: "not blocked" } },
    },
});

/** Lets no object in that is named `blocked`. One that is there already may be deleted. */
export const validating = admissionWebhook({
  ...common,
  path: "/validating",
  validate({ object }) {
    if (object?.metadata.name === "blocked") throw new APIError("Forbidden", "none shall pass!");
  },
});
