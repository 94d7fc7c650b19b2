// rbac.authorization.k8s.io/v1 for a server without a cluster: the four kinds, the authorizer over what is stored of them, what keeps them from being used to gain rights, and the roles
// that are there from the beginning. Imported by the program around a server.
export type { NonResourceRule, ResourceRule, SubjectRules } from "./authorizer.ts";
export { createRBAC, type RBAC, type RBACServices } from "./rbac.ts";
export { ClusterRole, Role } from "./role.ts";
export { ClusterRoleBinding, RoleBinding } from "./role-binding.ts";
