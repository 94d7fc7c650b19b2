import { ALL_AUTHENTICATED, ALL_UNAUTHENTICATED, ANONYMOUS, type UserInfo } from "./user-info.ts";

/**
 * Puts a user whose credential was accepted into `system:authenticated`: unless they are in it or in `system:unauthenticated` already, or have the
 * name of the anonymous user, which stays what it is.
 *
 * Source: k8s.io/apiserver authentication/group, AuthenticatedGroupAdder.
 */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  if (user.name === ANONYMOUS.name || user.groups.includes(ALL_AUTHENTICATED) || user.groups.includes(ALL_UNAUTHENTICATED)) return user;
  return { ...user, groups: [...user.groups, ALL_AUTHENTICATED] };
}
