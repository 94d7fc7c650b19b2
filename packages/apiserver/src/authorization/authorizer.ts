import type { FieldRequirement, LabelRequirement } from "@annex/apimachinery";
import type { UserInfo } from "../authentication/user-info.ts";
import { type Awaitable, whenReady } from "../awaitable.ts";
import type { Cancellation } from "../cancellation.ts";

/** What somebody wants to do. Source: authorization/v1 ResourceAttributes and NonResourceAttributes. */
export type Attributes =
  | {
      readonly type: "resource";
      readonly user: UserInfo;
      /** get list watch create update patch delete deletecollection, or a verb of a kind's own such as `impersonate`. */
      readonly verb: string;
      readonly group: string;
      readonly version: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
      /**
       * What list, watch and deletecollection are limited to, where that is said: all of it must hold. What cannot be read is left out, so that more is asked for, not less. An authorizer
       * that does not look at it asks whether all may be done.
       */
      readonly fieldSelector?: readonly FieldRequirement[];
      readonly labelSelector?: readonly LabelRequirement[];
    }
  | { readonly type: "path"; readonly user: UserInfo; readonly verb: string; readonly path: string };

/** `NoOpinion` lets the next authorizer speak; when all have none, the answer is no. */
export interface Decision {
  readonly decision: "Allow" | "Deny" | "NoOpinion";
  /** For people and audit; shown in the 403 when not empty. */
  readonly reason: string;
}

export interface Authorizer {
  /**
   * @param cancellation of the request on whose behalf is asked; only who waits reads its signal.
   * @returns the decision; without a promise where it is known at once.
   */
  authorize(attributes: Attributes, cancellation: Cancellation): Awaitable<Decision>;
}

export const NO_OPINION: Decision = { decision: "NoOpinion", reason: "" };

/** Asks each in turn; the first that allows or denies decides. An authorizer that fails has no opinion and its error is not hidden: nobody else is asked. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    authorize(attributes, cancellation) {
      const ask = (index: number, reasons: string): Awaitable<Decision> => {
        const authorizer = authorizers[index];
        if (authorizer === undefined) return reasons === "" ? NO_OPINION : { decision: "NoOpinion", reason: reasons };
        return whenReady(authorizer.authorize(attributes, cancellation), (decision) => {
          if (decision.decision !== "NoOpinion") return decision;
          return ask(index + 1, reasons === "" || decision.reason === "" ? reasons + decision.reason : `${reasons}\n${decision.reason}`);
        });
      };
      return ask(0, "");
    },
  };
}
