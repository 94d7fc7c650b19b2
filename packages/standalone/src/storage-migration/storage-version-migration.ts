import {
  conditionList,
  fieldError,
  formatGroupResource,
  isConditionTrue,
  isDNS1035Label,
  isDNS1123Subdomain,
  jsonEquals,
  t,
} from "@annex/apimachinery";
import { defineResource, type Invalid, type VersionObject } from "@annex/apiserver";
import { AGE } from "../age-column.ts";
import { checkObjectMeta, checkObjectMetaUpdate } from "../core/object-meta.ts";

export const MIGRATION_GROUP = "storagemigration.k8s.io";

const spec = t.object(
  {
    resource: t.object(
      {
        group: t.string({ default: "", description: 'The group of the resource; "" is the core group.' }),
        resource: t.string({ default: "", description: "The plural of the resource, as in its path." }),
      },
      { default: {}, description: "What is migrated. It cannot be changed." },
    ),
  },
  { title: "StorageVersionMigrationSpec", description: "What is to be done." },
);

const status = t.object(
  {
    conditions: t.optional(conditionList("How far it is: Running, Succeeded or Failed.")),
    resourceVersion: t.optional(t.string({ description: "Where the store stood when the migration began." })),
  },
  { title: "StorageVersionMigrationStatus", description: "What was done." },
);

export type StorageVersionMigration = VersionObject<{ spec: typeof spec; status: typeof status }>;
type Status = StorageVersionMigration["status"];

/**
 * An administrator's order to write all stored objects of a resource anew.
 *
 * Source: storagemigration.k8s.io/v1beta1; k8s.io/kubernetes pkg/registry/storagemigration and pkg/apis/storagemigration/validation.
 */
export const StorageVersionMigration = defineResource({
  group: MIGRATION_GROUP,
  kind: "StorageVersionMigration",
  scope: "Cluster",
  isBuiltIn: true,
  nameRule: "pathSegment",
  allowsStrategicMergePatch: true,
  tracksGeneration: false,
  statusSubresource: true,
  versions: {
    v1beta1: {
      description: "The order to write all stored objects of a resource anew, in the version in which they are stored now.",
      schema: { spec, status },
      columns: [
        {
          name: "Resource",
          type: "string",
          description: "The resource whose objects are written anew.",
          value: (migration) => formatGroupResource(migration.spec.resource),
        },
        { name: "Status", type: "string", description: "Running, Succeeded or Failed.", value: (migration) => stateOf(migration.status) },
        AGE,
      ],
    },
  },
  validate: ({ object, previous, subresource, invalid }) => {
    if (subresource === "") {
      checkObjectMeta(object, { isNamespaced: false, nameRule: "dnsSubdomain" }, invalid);
      validateSpec(object.spec.resource, invalid);
    }
    if (previous === undefined) return;
    checkObjectMetaUpdate(object, previous, invalid);
    if (!jsonEquals(object.spec, previous.spec)) invalid("spec", "field is immutable");
    if (subresource === "status") validateStatus(object.status, previous.status, invalid);
  },
});

function stateOf({ conditions = [] }: Status): string {
  const types = ["Running", "Failed", "Succeeded"];
  return conditions.findLast(({ type, status }) => status === "True" && types.includes(type))?.type ?? "Unknown";
}

/** Whether the migration is over, however it went. */
export function isFinished({ conditions }: Status): boolean {
  return isConditionTrue(conditions, "Succeeded") || isConditionTrue(conditions, "Failed");
}

function validateSpec({ group, resource }: StorageVersionMigration["spec"]["resource"], invalid: Invalid): void {
  const faults = isDNS1035Label(resource);
  if (resource === "") invalid("spec.resource.resource", "resource is required to be set", { reason: "FieldValueRequired" });
  else if (faults.length > 0) invalid("spec.resource.resource", faults.join(","));
  const groupFaults = group === "" ? [] : isDNS1123Subdomain(group);
  if (groupFaults.length > 0) invalid("spec.resource.group", groupFaults.join(","));
}

function validateStatus({ resourceVersion, conditions }: Status, previous: Status, invalid: Invalid): void {
  const whole = (field: string, message: string) => {
    const fault = fieldError.invalid(field, conditions ?? [], message);
    invalid(field, fault.message, { reason: fault.reason, isWhole: true });
  };
  const { resourceVersion: before } = previous;
  if (before !== undefined && resourceVersion !== before) invalid("status.resourceVersion", "field is immutable");
  if (isConditionTrue(conditions, "Succeeded") && isConditionTrue(conditions, "Failed")) {
    whole("status.conditions", "Both success and failed conditions cannot be true at the same time");
  }
  for (const [type, name] of [
    ["Succeeded", "Success"],
    ["Failed", "Failed"],
  ] as const) {
    if (isConditionTrue(previous.conditions, type) && !isConditionTrue(conditions, type))
      whole("status.conditions", `${name} condition cannot be set to false once it is true`);
  }
}
