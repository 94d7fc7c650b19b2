import { LOOPBACK } from "../authentication/user-info.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { Cancellation } from "../cancellation.ts";
import type { WriteContext } from "../definition/resource.ts";
import type { RequestContext } from "./verbs.ts";

/**
 * The context of the server's own requests: as `system:apiserver`, in group system:masters; warnings are told to nobody.
 *
 * @param cancellation of what the request is part of; its signal is read when somebody waits.
 * @param now milliseconds since the epoch.
 */
export function loopbackContext(cancellation: Cancellation, now: number, authorizer: Authorizer): RequestContext {
  return new LoopbackContext(cancellation, now, authorizer);
}

class LoopbackContext implements RequestContext {
  readonly user = LOOPBACK;
  readonly now: number;
  readonly authorizer: Authorizer;
  readonly #cancellation: Cancellation;

  constructor(cancellation: Cancellation, now: number, authorizer: Authorizer) {
    this.#cancellation = cancellation;
    this.now = now;
    this.authorizer = authorizer;
  }

  get signal(): AbortSignal {
    return this.#cancellation.signal;
  }

  warn(): void {}
}

/** What the hooks of a write are told. A write always needs its signal: from here on it is a record, which may be spread. */
export function writeContext({ user, now, signal, authorizer }: RequestContext, isDryRun: boolean): WriteContext {
  return { user, now, signal, authorizer, isDryRun };
}
