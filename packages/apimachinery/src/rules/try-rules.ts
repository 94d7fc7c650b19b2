import { CelError, type CelValue, OPTIONAL_NONE, optionalOf, RUNTIME_COST_BUDGET } from "../cel/index.ts";
import { quoteGo } from "../meta/go-quote.ts";
import { type FieldError, fieldError, isJSONObject, type JSONObject, type JSONValue, MAX_FAULTS } from "../meta/index.ts";
import { byKey, Correlation, keyOf } from "../schema/correlation.ts";
import { formatGoValue } from "../schema/go-format.ts";
import type { CompiledRules, Rule, RuleNode } from "./compile-rules.ts";
import { formatBelow, formatPlace, isUnchanged, type Place } from "./place.ts";

/** What became of the rules. */
export interface RuleOutcome {
  readonly faults: readonly FieldError[];
  /** What failing rules say of values that are as they were before: told to the client, and let through. */
  readonly warnings: readonly FieldError[];
  /** What is left of the budget, in cel-go's units of cost; below 0 when it did not last. */
  readonly budget: number;
}

/**
 * Tries the rules of a schema on an object, from the outside in. Rules about a change are tried where there was something before.
 *
 * @param object of a form that was checked: see `rulesNotChecked`.
 * @param old what was there before, in the same version; undefined in a creation.
 * @param ratchets whether rules that fail on unchanged values are let through, as of custom resources.
 * Source: apiextensions-apiserver pkg/apiserver/schema/cel, Validator.Validate.
 */
export function tryRules({ root, node }: CompiledRules, object: JSONValue, old: JSONValue | undefined, ratchets: boolean): RuleOutcome {
  return tryNode(root, object, old, { correlation: old === undefined || !ratchets ? undefined : new Correlation(node, object, old) });
}

interface NodeOptions {
  /** Begins the field of each fault. Default empty: the value is a whole object. */
  readonly path?: string;
  /** In cel-go's units of cost. Default {@link RUNTIME_COST_BUDGET}, what a request may cost. */
  readonly budget?: number;
  /** What lets faults of unchanged values through. */
  readonly correlation?: Correlation | undefined;
}

/** Tries the rules of a schema and of those below. Internal to rules/. */
export function tryNode(node: RuleNode, value: JSONValue, old: JSONValue | undefined, options: NodeOptions): RuleOutcome {
  const { path = "", budget = RUNTIME_COST_BUDGET, correlation } = options;
  const trial = new Trial(path, budget, correlation);
  trial.visit(node, value, old, undefined);
  return trial;
}

type Bindings = Readonly<Record<string, CelValue>>;

const BUDGET_SPENT = "validation failed due to running out of cost budget, no further validation rules will be run";
const CALL_LIMIT_EXCEEDED = "operation cancelled: actual cost limit exceeded";

/** One walk over a value. */
class Trial implements RuleOutcome {
  readonly faults: FieldError[] = [];
  readonly warnings: FieldError[] = [];
  budget: number;
  readonly #base: string;
  readonly #correlation: Correlation | undefined;

  constructor(base: string, budget: number, correlation: Correlation | undefined) {
    this.#base = base;
    this.budget = budget;
    this.#correlation = correlation;
  }

  visit(node: RuleNode, value: JSONValue, old: JSONValue | undefined, place: Place | undefined): void {
    // Whoever must know of a null asks one level up.
    if (value === null || this.#isOver) return;
    if (node.rules.length > 0) this.#tryOwn(node, value, old ?? undefined, place);
    if (this.#isOver) return;
    if (Array.isArray(value)) this.#visitElements(node, value, Array.isArray(old) ? old : [], place);
    else if (isJSONObject(value)) this.#visitFields(node, value, isJSONObject(old) ? old : {}, place);
  }

  get #isOver(): boolean {
    return this.budget < 0 || this.faults.length >= MAX_FAULTS;
  }

  #visitFields({ properties, additional }: RuleNode, object: JSONObject, old: JSONObject, parent: Place | undefined): void {
    if (additional === undefined && properties.size === 0) return;
    for (const name in object) {
      const field = object[name];
      const child = properties.get(name) ?? additional;
      if (child === undefined || field === undefined) continue;
      const former = Object.hasOwn(old, name) ? old[name] : undefined;
      this.visit(child, field, former, { parent, kind: child === additional ? "key" : "property", step: name });
      if (this.#isOver) return;
    }
  }

  #visitElements({ items, listMapKeys }: RuleNode, list: readonly JSONValue[], old: readonly JSONValue[], parent: Place | undefined): void {
    if (items === undefined) return;
    // Only what has keys can be told apart from what stood there before.
    const former = byKey(old, listMapKeys);
    for (let index = 0; index < list.length; index++) {
      const element = list[index] ?? null;
      // What was found by its keys is an element of the list.
      const before = former.size === 0 ? undefined : (former.get(keyOf(element, listMapKeys)) as JSONValue | undefined);
      this.visit(items, element, before, { parent, kind: "index", step: index });
      if (this.#isOver) return;
    }
  }

  #tryOwn(node: RuleNode, value: JSONValue, old: JSONValue | undefined, place: Place | undefined): void {
    if (this.budget <= 0) {
      this.#stop(node, place, BUDGET_SPENT);
      return;
    }
    const self = node.adapt(value);
    const oldSelf = old === undefined || !node.usesOldSelf ? undefined : node.adapt(old);
    const plain: Bindings = oldSelf === undefined ? { self } : { self, oldSelf };
    for (const rule of node.rules) {
      const isOptional = rule.rule.optionalOldSelf === true;
      // A rule about a change is of no use where there is none, unless it says otherwise.
      if (rule.compiled.usesOldSelf && oldSelf === undefined && !isOptional) continue;
      const bindings = isOptional ? { self, oldSelf: optionalOld(oldSelf) } : plain;
      this.#tryRule(node, rule, bindings, plain, value, place);
      if (this.#isOver) return;
    }
  }

  /** @param plain what a message sees: never an optional oldSelf, also of a rule that does, since Go gives it none. */
  #tryRule(node: RuleNode, rule: Rule, bindings: Bindings, plain: Bindings, value: JSONValue, place: Place | undefined): void {
    const { cost, error, value: result } = rule.compiled.program.evaluate(bindings);
    if (cost > this.budget) {
      this.#stop(node, place, BUDGET_SPENT);
      return;
    }
    this.budget -= cost;
    if (error === undefined) {
      if (result !== true) this.#fail(node, rule, plain, value, place);
    } else if (error.startsWith(CALL_LIMIT_EXCEEDED)) {
      this.#stop(node, place, `'${error}': no further validation rules will be run due to call cost exceeds limit for rule: ${nameOf(rule)}`);
    } else {
      const why = error.startsWith("no such overload")
        ? `'${error}': call arguments did not match a supported operator, function or macro signature for rule: ${nameOf(rule)}`
        : `${error} evaluating rule: ${nameOf(rule)}`;
      this.faults.push(fieldError.invalid(formatPlace(place, this.#base), node.type, why));
    }
  }

  /** No further rule is tried. */
  #stop({ type }: RuleNode, place: Place | undefined, why: string): void {
    this.faults.push(fieldError.invalid(formatPlace(place, this.#base), type, why));
    this.budget = -1;
  }

  #fail(node: RuleNode, rule: Rule, bindings: Bindings, value: JSONValue, place: Place | undefined): void {
    const field = rule.fieldPath === "" ? formatPlace(place, this.#base) : formatBelow(place, this.#base, rule.fieldPath);
    const tell = (fault: FieldError) => {
      const isLetThrough = !rule.compiled.usesOldSelf && this.#correlation !== undefined && isUnchanged(place, this.#correlation);
      (isLetThrough ? this.warnings : this.faults).push(fault);
    };
    const message = this.#messageOf(rule, bindings);
    if (typeof message === "object") {
      tell(fieldError.invalid(field, node.type, message.why));
      this.budget = -1;
      return;
    }
    tell(faultFor(rule.rule.reason, field, typeof value === "object" ? undefined : value, message));
  }

  /** @returns why no further rule is to be tried, where the message cost too much. */
  #messageOf(rule: Rule, bindings: Bindings): string | { readonly why: string } {
    const { messageProgram } = rule.compiled;
    const { message = "", messageExpression = "" } = rule.rule;
    const fallback = message === "" ? `failed rule: ${rule.rule.rule.trim()}` : message.trim();
    if (messageProgram === undefined) return fallback;
    const { cost, error, value } = messageProgram.evaluate(bindings);
    if (cost > this.budget)
      return { why: "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run" };
    if (error?.startsWith(CALL_LIMIT_EXCEEDED) === true) {
      return { why: `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${quoteGo(messageExpression)}` };
    }
    this.budget -= cost;
    const text = typeof value === "string" ? value.trim() : "";
    return text === "" || text.includes("\n") || encoder.encode(text).length > MAX_MESSAGE_BYTES ? fallback : text;
  }
}

/** Source: k8s.io/apiserver pkg/apis/cel, MaxEvaluatedMessageExpressionSizeBytes. */
const MAX_MESSAGE_BYTES = 5 * 1024;
const encoder = new TextEncoder();

/** What a fault calls a rule that could not be tried: its message, or itself. */
const nameOf = ({ rule: { message = "", rule } }: Rule): string => (message === "" ? rule : message).trim();

/** @param value undefined where the sentence prints none: of lists and objects. Source: apiextensions schema/cel, fieldErrorForReason. */
function faultFor(reason: string | undefined, field: string, value: unknown, message: string): FieldError {
  const printed = value === undefined ? "" : `: ${formatGoValue(value)}`;
  switch (reason) {
    case "FieldValueForbidden":
      return fieldError.forbidden(field, message);
    case "FieldValueRequired":
      return fieldError.required(field, message);
    case "FieldValueDuplicate":
      return { reason, field, message: `Duplicate value${printed}` };
    default:
      return { reason: "FieldValueInvalid", field, message: `Invalid value${printed}: ${message}` };
  }
}

/** An old value that cannot be read (bytes that are no base64) is an error within the optional, which Go fails to convert once more. */
function optionalOld(old: CelValue | undefined): CelValue {
  if (old === undefined) return OPTIONAL_NONE;
  return optionalOf(old instanceof CelError ? new CelError(`unsupported conversion to ref.Val: (*errors.errorString)${old.message}`) : old);
}
