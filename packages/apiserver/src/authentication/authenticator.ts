import type { Awaitable } from "../awaitable.ts";
import type { APIRequest } from "../endpoints/http.ts";
import type { UserInfo } from "./user-info.ts";

/** Finds out who is asking, by one kind of credential. Source: k8s.io/apiserver authenticator.Request. */
export interface Authenticator {
  /**
   * Looks for a credential of its kind and checks it. Who needs to wait for nothing answers without a promise: every request is asked of.
   *
   * @param warn tells the client of a credential that was passed over, beside the answer.
   * @returns the user, with every group that is theirs; undefined when the request has no credential of this kind.
   * @throws {APIError} `Unauthorized` for a credential that is wrong. Anything else that is thrown is a failure of the check itself.
   */
  authenticate(request: APIRequest, warn?: (text: string) => void): Awaitable<UserInfo | undefined>;
}
