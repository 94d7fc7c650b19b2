import { maxCardinality, type RuleCompilation, STATIC_ESTIMATED_COST_LIMIT } from "../cel/index.ts";
import { type FieldError, fieldError } from "../meta/index.ts";
import { formatGoStruct } from "../schema/go-format.ts";
import type { ValidationRule } from "../schema/schema.ts";
import { type CostAccount, tooDear } from "./cost-account.ts";

/** The rules of one schema. */
export interface WrittenRules {
  readonly written: readonly ValidationRule[];
  readonly compilations: readonly RuleCompilation[];
  /** Of the list of rules. */
  readonly path: string;
  /** How many values they are tried on at most, as far as bounds in the schema say so. */
  readonly cardinality: bigint | undefined;
  /** The fewest bytes that a value takes: where nothing else bounds how many there are, the size of a request does. */
  readonly minSerializedSize: number;
  /** The path of what around the schema has parts without a former value. */
  readonly uncorrelatable: string | undefined;
}

/** Why rules cannot be used, in kube-apiserver's words and order. */
export function explainRules({ written, compilations, path, ...place }: WrittenRules, account: CostAccount): FieldError[] {
  const times = place.cardinality ?? maxCardinality(place.minSerializedSize);
  return written.flatMap((rule, index): FieldError[] => {
    const compiled = compilations[index];
    return compiled === undefined ? [] : explainRule(rule, compiled, `${path}[${index}]`, times, place.uncorrelatable, account);
  });
}

function explainRule(
  rule: ValidationRule,
  compiled: RuleCompilation,
  path: string,
  times: bigint,
  uncorrelatable: string | undefined,
  account: CostAccount,
): FieldError[] {
  const faults: FieldError[] = [];
  const { error, messageError, messageProgram, usesOldSelf, maxMessageCost } = compiled;
  const spend = (keyword: string, what: string, cost: bigint) => {
    if (cost > STATIC_ESTIMATED_COST_LIMIT) faults.push(fieldError.forbidden(`${path}.${keyword}`, tooDear(what, cost, STATIC_ESTIMATED_COST_LIMIT)));
    account.observe(`${path}.${keyword}`, cost);
  };
  spend("rule", "estimated rule cost", multiplied(compiled.maxCost, times));
  const refuse = (keyword: string, why: string) =>
    faults.push({ reason: "FieldValueInvalid", field: `${path}.${keyword}`, message: `Invalid value: ${formatRule(rule)}: ${why}` });
  if (error !== undefined) refuse("rule", error);
  if (messageError !== undefined) refuse("messageExpression", messageError);
  else if (messageProgram !== undefined) spend("messageExpression", "estimated messageExpression cost", maxMessageCost);
  if (usesOldSelf && uncorrelatable !== undefined) {
    const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`;
    faults.push(fieldError.invalid(`${path}.rule`, rule.rule, why));
  }
  if (!usesOldSelf && rule.optionalOldSelf !== undefined)
    faults.push(fieldError.invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, "may not be set if oldSelf is not used in rule"));
  return faults;
}

/** A rule as Go prints it: the struct of apiextensions' internal types, which has no names of JSON. */
function formatRule({ rule, message = "", messageExpression = "", reason, fieldPath = "", optionalOldSelf }: ValidationRule): string {
  return formatGoStruct({
    Rule: rule,
    Message: message,
    MessageExpression: messageExpression,
    Reason: reason ?? null,
    FieldPath: fieldPath,
    OptionalOldSelf: optionalOldSelf ?? null,
  });
}

const MAX_COST = 2n ** 64n - 1n;

/** A product that stays at 2^64 - 1, as Go's does. */
export function multiplied(left: bigint, right: bigint): bigint {
  const product = left * right;
  return product > MAX_COST ? MAX_COST : product;
}
