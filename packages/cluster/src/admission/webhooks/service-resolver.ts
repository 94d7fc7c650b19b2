/** Where to connect to for a Service. The name in the certificate is the Service's in any case. */
export interface ServiceAddress {
  readonly host: string;
  readonly port: number;
}

/** Finds the address of a Service; asked for each new connection. */
export type ServiceResolver = (service: {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}) => Promise<ServiceAddress> | ServiceAddress;

/** The cluster's DNS finds it: `NAME.NAMESPACE.svc`. Source: k8s.io/apiserver/pkg/util/webhook/serviceresolver.go. */
export const clusterDNSResolver: ServiceResolver = ({ namespace, name, port }) => ({ host: `${name}.${namespace}.svc`, port });
