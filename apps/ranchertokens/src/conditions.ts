import { type Condition, conditionList } from "@annex/apimachinery";

export const conditions = conditionList(
  "What is true of the token. Ready: it is good for logging in. Healthy: its Secret is as the token API wrote it. Of a Secret that was edited by hand, since it was last written.",
);

/** What conditions follow from. Times are RFC 3339. */
export interface ConditionFacts {
  readonly generation: number | undefined;
  readonly deletionTimestamp: string | undefined;
  readonly expiresAt: string | undefined;
  readonly isHealthy: boolean;
  readonly isEnabled: boolean;
  readonly isExpired: boolean;
}

type Finding = Pick<Condition, "status" | "reason" | "message"> & { readonly since?: string | undefined };

/**
 * The conditions of a token.
 *
 * @param former as they were: one whose status is the same keeps its time.
 * @param since when what is new became so, where the facts do not say it themselves.
 */
export function conditionsOf(facts: ConditionFacts, former: readonly Condition[], since: string): readonly Condition[] {
  const observed = facts.generation === undefined ? {} : { observedGeneration: facts.generation };
  return Object.entries({ Ready: readiness(facts), Healthy: health(facts) }).map(([type, { since: known, ...finding }]) => {
    const before = former.find((one) => one.type === type && one.status === finding.status);
    return { type, ...observed, ...finding, lastTransitionTime: before?.lastTransitionTime ?? known ?? since };
  });
}

function health({ isHealthy }: ConditionFacts): Finding {
  if (isHealthy) return { status: "True", reason: "Intact", message: "The Secret is as the token API wrote it." };
  const message = "The Secret was changed by somebody else. Put it back as it was, or make a new token.";
  return { status: "False", reason: "SecretChanged", message };
}

/** In the order in which a verification says no. */
function readiness({ isHealthy, isEnabled, isExpired, deletionTimestamp, expiresAt }: ConditionFacts): Finding {
  if (!isHealthy) return { status: "False", reason: "Unhealthy", message: "The Secret was changed by somebody else." };
  if (!isEnabled) return { status: "False", reason: "Disabled", message: "The token is not enabled." };
  if (deletionTimestamp !== undefined)
    return { status: "False", reason: "Deleting", message: "The token is being deleted.", since: deletionTimestamp };
  if (isExpired) return { status: "False", reason: "Expired", message: "The token's time is over.", since: expiresAt };
  return { status: "True", reason: "Usable", message: "The token is good for logging in." };
}

/** The times of conditions, as they lie in a Secret. */
export function recordTransitions(conditions: readonly Condition[]): string {
  return JSON.stringify(Object.fromEntries(conditions.map(({ type, status, lastTransitionTime }) => [type, { status, lastTransitionTime }])));
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** What {@link recordTransitions} wrote, as far as it is that; anybody may have edited it. */
export function readTransitions(text: string | undefined): readonly Condition[] {
  const recorded = parsed(text);
  return ["Ready", "Healthy"].flatMap((type) => {
    const { status, lastTransitionTime } = (recorded[type] ?? {}) as Partial<Condition>; // anything; the next line looks
    if ((status !== "True" && status !== "False") || !TIME.test(String(lastTransitionTime)) || Number.isNaN(Date.parse(String(lastTransitionTime))))
      return [];
    return [{ type, status, lastTransitionTime: String(lastTransitionTime), reason: "", message: "" }];
  });
}

function parsed(text = "{}"): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}; // its members are asked one by one
  } catch {
    return {};
  }
}
