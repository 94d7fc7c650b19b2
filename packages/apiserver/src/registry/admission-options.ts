import type { JSONObject } from "@annex/apimachinery";
import type { DeleteOptions, SentWriteOptions } from "./verbs.ts";

const OPTIONS_KINDS = { CREATE: "CreateOptions", UPDATE: "UpdateOptions" } as const;

/** The options of a create, update or patch as admission is told of them. */
export function admissionWriteOptions(operation: "CREATE" | "UPDATE", sent: SentWriteOptions | undefined, isDryRun: boolean): JSONObject {
  return { kind: OPTIONS_KINDS[operation], apiVersion: "meta.k8s.io/v1", ...(isDryRun ? { dryRun: ["All"] } : {}), ...sent };
}

/** The options of a deletion as admission is told of them. Source: meta/v1 DeleteOptions. */
export function admissionDeleteOptions({
  gracePeriodSeconds,
  preconditions,
  orphanDependents,
  propagationPolicy,
  isDryRun,
}: DeleteOptions): JSONObject {
  return {
    kind: "DeleteOptions",
    apiVersion: "meta.k8s.io/v1",
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(Object.keys(preconditions).length === 0 ? {} : { preconditions: { ...preconditions } }),
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(isDryRun ? { dryRun: ["All"] } : {}),
  };
}
