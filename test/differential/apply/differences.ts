// Whether two answers are the same, and where they differ first.
import { decodeJSON, encodeJSONText, isJSONObject, type JSONArray, type JSONValue } from "@annex/apimachinery";
import type { Case, ManagedOp } from "./cases.ts";
import { ourAnswer } from "./our-answers.ts";

/** What our code and Go answer to a case, where that is not the same. */
export interface Difference {
  readonly asked: Case;
  /** The first operation that is answered otherwise; 0 for cases that have none. */
  readonly operation: number;
  readonly ours: string;
  readonly theirs: string;
}

/** How our answer to a case compares with that of Go. */
export interface Judgement {
  /** What each operation was that was compared, and how it ended. */
  readonly compared: readonly string[];
  readonly difference: Difference | undefined;
}

/**
 * Asks our code, too.
 *
 * @param answer of the Go program.
 * @throws {Error} if Go could not answer: then the case is none, or Go has a bug that ends in a panic.
 */
export function judge(asked: Case, answer: string): Judgement {
  const theirs = stepsOf(asked, decodeJSON(new TextEncoder().encode(answer)));
  const failure = theirs[0];
  if (isJSONObject(failure) && failure.failure !== undefined) throw new Error(`Go: ${failure.failure}\n${encodeJSONText(asked)}`);
  const ours = ourSteps(asked);
  const compared: string[] = [];
  for (const [operation, their] of theirs.entries()) {
    if (isInternalError(their)) break;
    compared.push(outcome(asked, operation, their));
    const [left, right] = [canonical(ours[operation]), canonical(their)];
    const differing = [...new Set([...left.keys(), ...right.keys()])].filter((name) => left.get(name) !== right.get(name));
    if (differing.length === 0) continue;
    if (asked.kind === "managed" && appliesEmptyElement(asked.ops[operation])) break;
    return { compared, difference: { asked, operation, ours: formatFields(left, differing), theirs: formatFields(right, differing) } };
  }
  return { compared, difference: undefined };
}

/** As `apply in conflict`. */
function outcome(asked: Case, operation: number, answer: JSONValue): string {
  if (asked.kind === "sets" || asked.kind === "scale") return asked.kind;
  const op = asked.ops[operation]?.op ?? "";
  if (!isJSONObject(answer)) return op;
  if (asked.kind === "typed") return Object.keys(answer).length === 0 ? `${op} of a misfit` : op;
  return answer.message === undefined ? op : answer.conflicts === undefined ? `${op} refused` : `${op} in conflict`;
}

/** What a request is refused with, if not with conflicts. */
const REFUSALS = /^(failed to create typed patch object |invalid object type: |metadata\.managedFields must be nil$)/;

/** An element of a list whose keys are all defaults goes in Go with an apply that names it again; ours keeps it (docs/differences.md). */
function appliesEmptyElement(op: ManagedOp | undefined): boolean {
  return op?.op === "apply" && holdsEmptyElement(op.object);
}

function holdsEmptyElement(value: JSONValue | undefined): boolean {
  if (Array.isArray(value)) return value.some((item) => (isJSONObject(item) && Object.keys(item).length === 0) || holdsEmptyElement(item));
  return isJSONObject(value) && Object.values(value).some(holdsEmptyElement);
}

/**
 * Where Go's own code fails (a kube-apiserver answers 500), ours does what it can, and what comes after is no longer the same.
 */
function isInternalError(answer: JSONValue): boolean {
  return isJSONObject(answer) && typeof answer.message === "string" && answer.conflicts === undefined && !REFUSALS.test(answer.message);
}

function formatFields(answer: ReadonlyMap<string, string>, names: readonly string[]): string {
  return names.map((name) => `${name}: ${answer.get(name) ?? "nothing"}`).join("; ");
}

function ourSteps(asked: Case): JSONArray {
  try {
    // `as`: answers are JSON all through; what is undefined is not written.
    return stepsOf(asked, ourAnswer(asked) as JSONValue);
  } catch (error) {
    return [{ threw: error instanceof Error ? (error.stack ?? error.message) : String(error) }];
  }
}

function stepsOf({ kind }: Case, answer: JSONValue): JSONArray {
  return (kind === "typed" || kind === "managed") && Array.isArray(answer) ? answer : [answer];
}

/** Where FieldsV1 stands in an answer, its fields have to be in canonical order; everywhere else the order of fields means nothing. */
const SETS: ReadonlySet<string> = new Set([
  ...["left", "right", "union", "intersection", "difference", "recursiveDifference", "leaves"],
  ...["set", "added", "modified", "removed"],
]);

/** The parts of an answer as texts: equal texts are equal parts. */
function canonical(step: JSONValue | undefined): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  for (const [name, value] of Object.entries(isJSONObject(step) ? step : { answer: step })) {
    // Go leaves out what is empty.
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    parts.set(name, encodeJSONText(SETS.has(name) ? value : sorted(comparable(name, value))));
  }
  return parts;
}

/** Go lists the members of a set in an order that means nothing, and says in its own words why a value does not have the form of its schema. */
function comparable(name: string, value: JSONValue): JSONValue {
  if (name === "message" && typeof value === "string") return value.replace(/^(failed to create typed patch object \([^)]*\)).*$/s, "$1");
  return name === "members" && Array.isArray(value) ? value.toSorted() : value;
}

function sorted(value: JSONValue): JSONValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJSONObject(value)) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.flatMap((name) => (value[name] === undefined ? [] : [[name, sorted(value[name])] as const])));
}
