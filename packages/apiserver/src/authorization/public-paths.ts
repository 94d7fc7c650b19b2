import { ALL_AUTHENTICATED, ALL_UNAUTHENTICATED } from "../authentication/user-info.ts";
import { type Authorizer, type Decision, NO_OPINION } from "./authorizer.ts";

// The single checks (/livez/ping) are not among them: they are for those who may monitor the server.
const PUBLIC = new Set(["/healthz", "/livez", "/readyz", "/version", "/version/"]);
const DISCOVERY = ["/api", "/apis", "/openapi"];

const PUBLIC_INFO: Decision = { decision: "Allow", reason: "allowed to everyone, as system:public-info-viewer" };
const DISCOVERY_INFO: Decision = { decision: "Allow", reason: "allowed to system:authenticated, as system:discovery" };

/**
 * Lets everyone `get` the version and the health of the server, and whoever is authenticated also discovery and OpenAPI, with all that is below them.
 * Only paths: resources are never served at them.
 *
 * Source: the ClusterRoles system:public-info-viewer and system:discovery that kube-apiserver makes, and their bindings.
 */
export const publicPathsAuthorizer: Authorizer = {
  authorize(attributes) {
    if (attributes.type !== "path" || attributes.verb !== "get") return NO_OPINION;
    const { path, user } = attributes;
    const isAuthenticated = user.groups.includes(ALL_AUTHENTICATED);
    if (PUBLIC.has(path) && (isAuthenticated || user.groups.includes(ALL_UNAUTHENTICATED))) return PUBLIC_INFO;
    const isDiscovery = DISCOVERY.some((root) => path === root || path.startsWith(`${root}/`));
    return isAuthenticated && isDiscovery ? DISCOVERY_INFO : NO_OPINION;
  },
};
