import type { UserInfo } from "../authentication/user-info.ts";

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
    }
  | { readonly type: "path"; readonly user: UserInfo; readonly verb: string; readonly path: string };

/** `NoOpinion` lets the next authorizer speak; when all have none, the answer is no. */
export interface Decision {
  readonly decision: "Allow" | "Deny" | "NoOpinion";
  /** For people and audit; shown in the 403 when not empty. */
  readonly reason: string;
}

export interface Authorizer {
  authorize(attributes: Attributes, signal: AbortSignal): Promise<Decision>;
}

export const NO_OPINION: Decision = { decision: "NoOpinion", reason: "" };

/** Asks each in turn; the first that allows or denies decides. An authorizer that throws has no opinion and its error is not hidden: it rejects. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    async authorize(attributes, signal) {
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const decision = await authorizer.authorize(attributes, signal);
        if (decision.decision !== "NoOpinion") return decision;
        if (decision.reason !== "") reasons.push(decision.reason);
      }
      return { decision: "NoOpinion", reason: reasons.join("\n") };
    },
  };
}
