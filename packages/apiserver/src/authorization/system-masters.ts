import { SYSTEM_MASTERS } from "../authentication/user-info.ts";
import { type Authorizer, type Decision, NO_OPINION } from "./authorizer.ts";

const ALLOW: Decision = { decision: "Allow", reason: "" };

/** Lets the group system:masters do everything. Source: k8s.io/apiserver authorizerfactory.NewPrivilegedGroups. */
export const systemMastersAuthorizer: Authorizer = {
  authorize({ user }) {
    return user.groups.includes(SYSTEM_MASTERS) ? ALLOW : NO_OPINION;
  },
};
