import type { Comparison } from "../kept-objects/index.ts";
import type { APIService, APIServiceSpec } from "./api-service.ts";

/** When an APIService is as it is to be. A server without a bundle of its own leaves that to others. */
export const API_SERVICE_COMPARISON: Comparison<APIService> = {
  differences: (wanted, found) => SPEC_FIELDS.filter((field) => !isEqual(field, wanted.spec, found.spec)),
  merge(wanted, found) {
    const { caBundle = found.spec.caBundle, ...spec } = wanted.spec;
    return { apiVersion: wanted.apiVersion, kind: wanted.kind, metadata: found.metadata, spec: { ...spec, ...(caBundle ? { caBundle } : {}) } };
  },
};

const SPEC_FIELDS = ["group", "version", "groupPriorityMinimum", "versionPriority", "service", "caBundle", "insecureSkipTLSVerify"] as const;

function isEqual(field: (typeof SPEC_FIELDS)[number], wanted: APIServiceSpec, found: APIServiceSpec): boolean {
  switch (field) {
    case "service": {
      const [left, right] = [wanted.service, found.service];
      return left?.namespace === right?.namespace && left?.name === right?.name && left?.port === right?.port;
    }
    case "caBundle":
      return wanted.caBundle === undefined || wanted.caBundle === found.caBundle;
    case "insecureSkipTLSVerify":
      return found.insecureSkipTLSVerify !== true;
    default:
      return wanted[field] === found[field];
  }
}
