import { isDNS1123Label, isDNS1123Subdomain, type KubernetesObject, type ObjectMeta } from "@annex/apimachinery";

/** The Service under which the kube-apiserver reaches a server; with its namespace it is the name of an installation. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** For people: what servers of this library made, of all installations. */
const MANAGED_BY = { "app.kubernetes.io/managed-by": "annex" };
/** `NAMESPACE/NAME` of the Service; a label cannot hold the slash. */
const SERVICE_ANNOTATION = "annex.dev/service";

/** `NAMESPACE/NAME` */
export const serviceText = ({ namespace, name }: ServiceName): string => `${namespace}/${name}`;

/** What the metadata of an object of this installation's has beside its name; other labels and annotations of `present` stay. */
export function marksOf(service: ServiceName, present: ObjectMeta = {}): Pick<ObjectMeta, "labels" | "annotations"> {
  return {
    labels: { ...present.labels, ...MANAGED_BY },
    annotations: { ...present.annotations, [SERVICE_ANNOTATION]: serviceText(service) },
  };
}

/** Whether an object is of this very installation: another one's behind another Service has its own. */
export function isOwnedBy({ metadata }: KubernetesObject, service: ServiceName): boolean {
  return metadata.annotations?.[SERVICE_ANNOTATION] === serviceText(service);
}

/** Reads `NAMESPACE/NAME`. @throws {Error} whose message says what the value must be. */
export function parseObjectName(text: string): { readonly namespace: string; readonly name: string } {
  const [namespace = "", name = "", ...rest] = text.split("/");
  if (rest.length > 0 || isDNS1123Label(namespace).length > 0 || isDNS1123Subdomain(name).length > 0) throw new Error("must be NAMESPACE/NAME");
  return { namespace, name };
}
