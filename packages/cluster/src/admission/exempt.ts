import type { Resource } from "@annex/apiserver";

const GROUP = "admissionregistration.k8s.io";
const KINDS: ReadonlySet<string> = new Set([
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionPolicyBinding",
]);

/** Whether nobody is asked about objects of a kind: what says who is asked could otherwise not be mended. Source: predicates/rules, IsExemptAdmissionConfigurationResource. */
export function isExempt({ group, kind }: Resource): boolean {
  return group === GROUP && KINDS.has(kind);
}
