import { whenReady } from "../awaitable.ts";
import type { Authenticator } from "./authenticator.ts";
import { ANONYMOUS } from "./user-info.ts";

/**
 * Makes `system:anonymous` of a request without any credential. A credential that is wrong stays an error.
 *
 * It wraps the others, and is not one of a union, because there it would accept whoever the others refuse.
 *
 * Source: k8s.io/apiserver authentication/request/anonymous; kubeapiserver/authenticator, which joins the two by NewFailOnError.
 */
export function allowAnonymous(authenticator: Authenticator): Authenticator {
  return {
    authenticate: (request, warn) => whenReady(authenticator.authenticate(request, warn), (user) => user ?? ANONYMOUS),
  };
}
