import type { AdmissionAttributes, Logger } from "@annex/apiserver";

/**
 * Writes to the log what webhooks and policies annotate a write with: where Kubernetes has its audit events.
 *
 * @param author a webhook or policy, whose name is put in front of the keys.
 */
export function logAnnotations(
  log: Logger,
  { resource, namespace, name, operation }: AdmissionAttributes,
  author: string,
  annotations: readonly (readonly [string, string])[],
): void {
  if (annotations.length === 0) return;
  const keyed = Object.fromEntries(annotations.map(([key, value]) => [`${author}/${key}`, value]));
  log.info({ group: resource.group, resource: resource.resource, namespace, name, operation, annotations: keyed }, "a write was annotated");
}
