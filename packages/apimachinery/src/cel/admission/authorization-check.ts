import type { FieldRequirement, LabelRequirement } from "../../selectors/index.ts";

/** Who is asked about. Source: authentication/v1 UserInfo. */
export interface CheckUser {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** The requirements of a selector in the order of their text, or why it cannot be read: the check is then one without it. */
export type CheckSelector<Requirement> =
  | { readonly requirements: readonly Requirement[]; readonly error?: undefined }
  | { readonly error: string; readonly requirements?: undefined };

/** What an expression asks the authorizer with `check`. Source: authorization/v1 ResourceAttributes and NonResourceAttributes. */
export type AuthorizationCheck =
  | {
      readonly type: "resource";
      readonly user: CheckUser;
      readonly verb: string;
      readonly group: string;
      /** An expression names no version. */
      readonly version: "*";
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
      readonly fieldSelector?: CheckSelector<FieldRequirement>;
      readonly labelSelector?: CheckSelector<LabelRequirement>;
    }
  | { readonly type: "path"; readonly user: CheckUser; readonly verb: string; readonly path: string };

/** What the authorizer answers. */
export interface CheckDecision {
  readonly decision: "Allow" | "Deny" | "NoOpinion";
  readonly reason: string;
  /** Why it could not tell, which expressions may read: `check(…).error()`. */
  readonly error?: string;
}

/**
 * Ends an evaluation that needs a decision which is not there yet. Whoever evaluates waits for it and evaluates again: an expression has no effects,
 * so it comes to the same check, and then goes on.
 */
export class DecisionPending extends Error {
  override readonly name = "DecisionPending";
  /** Settled when the decision is there; rejected with whatever the authorizer failed with. */
  readonly answered: Promise<void>;

  constructor(answered: Promise<void>) {
    super("an authorization check has no answer yet");
    this.answered = answered;
  }
}

/**
 * The decisions on the checks of one request. Each check is asked once, however many expressions make it, and however often these are evaluated.
 * It holds one entry for each check that was asked, which the cost of checks bounds: at most thirty for the budget of a policy.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/authorizer/caching_authorizer.go.
 */
export class AuthorizationAnswers {
  readonly #ask: (check: AuthorizationCheck) => CheckDecision | Promise<CheckDecision>;
  readonly #decisions = new Map<string, CheckDecision>();

  /** @param ask the authorizer. An answer that is there at once is used at once; what it throws ends the evaluation. */
  constructor(ask: (check: AuthorizationCheck) => CheckDecision | Promise<CheckDecision>) {
    this.#ask = ask;
  }

  /**
   * The decision on a check.
   *
   * @throws {DecisionPending} while it is not there.
   */
  decide(check: AuthorizationCheck): CheckDecision {
    const key = keyOf(check);
    const known = this.#decisions.get(key);
    if (known !== undefined) return known;
    const answer = this.#ask(check);
    if (answer instanceof Promise) throw new DecisionPending(answer.then((decision) => void this.#decisions.set(key, decision)));
    this.#decisions.set(key, answer);
    return answer;
  }
}

/** The same for checks that are the same: the order of groups, and a selector that could not be read, make no difference. */
function keyOf(check: AuthorizationCheck): string {
  const { user, verb } = check;
  const extra = Object.entries(user.extra).sort(([left], [right]) => (left < right ? -1 : 1));
  const asked = [verb, user.name, user.uid ?? "", user.groups.toSorted(), extra.map(([key, values]) => [key, values.toSorted()])];
  if (check.type === "path") return JSON.stringify([asked, check.path]);
  const { group, resource, subresource, namespace, name, fieldSelector, labelSelector } = check;
  return JSON.stringify([asked, group, resource, subresource, namespace, name, fieldSelector?.requirements ?? [], labelSelector?.requirements ?? []]);
}
