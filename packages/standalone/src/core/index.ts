// The core v1 kinds that a server without a cluster serves itself, defined with the library like any other, and what keeps them in order.
export { IMMORTAL_NAMESPACES, Namespace, SYSTEM_NAMESPACES } from "./namespace.ts";
export { ensureNamespaces, type NamespaceControllerOptions, runNamespaceController } from "./namespace-controller.ts";
export { Secret } from "./secret.ts";
