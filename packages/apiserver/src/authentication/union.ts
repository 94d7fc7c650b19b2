import { APIError } from "@annex/apimachinery";
import { type Awaitable, whenSettled } from "../awaitable.ts";
import type { Authenticator } from "./authenticator.ts";
import type { UserInfo } from "./user-info.ts";

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
    authenticate(request, warn) {
      const ask = (index: number, errors: readonly unknown[]): Awaitable<UserInfo | undefined> => {
        const authenticator = authenticators[index];
        if (authenticator === undefined) return nobody(errors);
        return whenSettled(
          () => authenticator.authenticate(request, warn),
          (user) => user ?? ask(index + 1, errors),
          (error) => ask(index + 1, [...errors, error]),
        );
      };
      return ask(0, []);
    },
  };
}

function nobody(errors: readonly unknown[]): undefined {
  if (errors.length > 0) throw errors.find((error) => !APIError.is(error)) ?? errors[0];
}
