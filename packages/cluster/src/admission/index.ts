// What the administrators of a cluster have to say about writes: their admission webhooks and policies.
export { type ClusterAdmission, type ClusterAdmissionOptions, clusterAdmission } from "./cluster-admission.ts";
export { clusterDNSResolver, type ServiceAddress, type ServiceResolver } from "./webhooks/service-resolver.ts";
