import { APIError } from "@annex/apimachinery";
import type { Authenticator } from "./authenticator.ts";

/**
 * Asks each in turn; the first user that one of them finds is who is asking, whatever the credentials of another kind beside it: a valid client
 * certificate goes through with a wrong token.
 *
 * @returns an authenticator that finds nobody when none of them does. When one or more threw and none found a user, it throws the first error that is
 *   no APIError (a check that failed is told apart from a credential that is wrong), else the first.
 * Source: k8s.io/apiserver authentication/request/union with FailOnError false.
 */
export function unionAuthenticator(authenticators: readonly Authenticator[]): Authenticator {
  return {
    async authenticate(request) {
      const errors: unknown[] = [];
      for (const authenticator of authenticators) {
        try {
          const user = await authenticator.authenticate(request);
          if (user !== undefined) return user;
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw errors.find((error) => !APIError.is(error)) ?? errors[0];
      return undefined;
    },
  };
}
