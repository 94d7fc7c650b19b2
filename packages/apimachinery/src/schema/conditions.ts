import { type Static, t } from "./builder.ts";

const condition = t.object(
  {
    type: t.string({
      maxLength: 316,
      pattern: "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
      description: "What is said, in CamelCase.",
    }),
    status: t.literals(["True", "False", "Unknown"], { description: "Whether it is so." }),
    observedGeneration: t.optional(t.integer({ minimum: 0, description: "The generation of the object that it was said of." })),
    lastTransitionTime: t.string({ format: "date-time", description: "Since when it is so." }),
    reason: t.string({
      minLength: 1,
      maxLength: 1024,
      pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
      description: "Why, as one word for programs.",
    }),
    message: t.string({ maxLength: 32_768, description: "Why, for people." }),
  },
  { description: "Something that is true of an object, or not." },
);

/** Something that is true of an object, or not: what `kubectl wait --for=condition=Ready` waits for. Times are RFC 3339. */
export type Condition = Static<typeof condition>;

/**
 * The schema of `status.conditions`.
 *
 * Source: meta/v1 Condition; API conventions, "Typical status properties".
 */
export function conditionList(description: string) {
  return t.listMap(condition, { keys: ["type"], description });
}

/**
 * Says something: in the place of what was said under the same type before, whose time stays as long as the status is the same.
 *
 * @param now when it became so, if it was not.
 * Source: k8s.io/apimachinery/pkg/api/meta, SetStatusCondition.
 */
export function withCondition(conditions: readonly Condition[], said: Omit<Condition, "lastTransitionTime">, now: string): readonly Condition[] {
  const before = conditions.find(({ type }) => type === said.type);
  const lastTransitionTime = before?.status === said.status ? before.lastTransitionTime : now;
  const next = { ...said, lastTransitionTime };
  return before === undefined ? [...conditions, next] : conditions.map((one) => (one === before ? next : one));
}

/** Whether it is said to be so. */
export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === "True") === true;
}
