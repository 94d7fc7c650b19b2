// Makes a case that is answered otherwise as small as it can be.
import { isJSONObject, type JSONValue } from "@annex/apimachinery";
import type { Oracle } from "../oracle.ts";
import { type Case, GROUP } from "./cases.ts";

import { type Difference, judge } from "./differences.ts";

/** How many smaller cases are tried at most: a second or two. */
const MOST_TRIALS = 6000;
const BATCH = 50;

/** What makes a case one, and is therefore left as it is. */
const FIXED: ReadonlySet<string> = new Set([
  ...["kind", "name", "renames", "drops", "hasStatus", "versions", "dropsUnknown"],
  ...["op", "version", "subresource", "manager", "second", "keepsManagedFields", "force", "value", "other", "set", "allowsDuplicates"],
  ...["left", "right", "paths", "schema", "values", "sets", "ops", "object", "parent", "scale", "apiVersion", "operation", "fieldsType", "fieldsV1"],
  ...["metadata", "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "type"],
]);
/** What is left as it is with all that is in it. */
const WHOLE: ReadonlySet<string> = new Set(["second", "value", "other", "set", "renames", "drops", "x-kubernetes-list-map-keys"]);
/** Lists whose elements operations name by their places. */
const NUMBERED: ReadonlySet<string> = new Set(["values", "sets"]);

/** @returns the smallest case that was found; it differs too, though not always in the same way. */
export async function shrink(found: Difference, oracle: Oracle): Promise<Difference> {
  let smallest = cutAfter(found);
  for (let trials = 0; trials < MOST_TRIALS; ) {
    const smaller = await firstThatDiffers(smallest, oracle, (count) => {
      trials += count;
      return trials < MOST_TRIALS;
    });
    if (smaller === undefined) return smallest;
    smallest = cutAfter(smaller);
  }
  return smallest;
}

/** What comes after the operation that is answered otherwise is of no interest. */
function cutAfter(difference: Difference): Difference {
  const { asked, operation } = difference;
  if (asked.kind === "managed") return { ...difference, asked: { ...asked, ops: asked.ops.slice(0, operation + 1) } };
  if (asked.kind !== "typed") return difference;
  return { ...difference, asked: { ...asked, ops: asked.ops.slice(operation, operation + 1) }, operation: 0 };
}

async function firstThatDiffers(difference: Difference, oracle: Oracle, count: (trials: number) => boolean): Promise<Difference | undefined> {
  // `as`: a case is JSON all through, and what is made of it here is a case again or refused by Go.
  const trials = smallerValues(difference.asked as unknown as JSONValue, "") as IterableIterator<unknown> as IterableIterator<Case>;
  for (;;) {
    const batch: Case[] = [];
    while (batch.length < BATCH) {
      const next = trials.next();
      if (next.done === true) break;
      batch.push(next.value);
    }
    if (batch.length === 0) return undefined;
    const answers = await oracle.ask(batch);
    for (const [index, asked] of batch.entries()) {
      const smaller = attempt(asked, answers[index] ?? "");
      if (smaller !== undefined) return smaller;
    }
    if (!count(batch.length)) return undefined;
  }
}

function attempt(asked: Case, answer: string): Difference | undefined {
  try {
    return judge(asked, answer).difference;
  } catch {
    return undefined; // no case any more
  }
}

/** Every value that is this one with one thing less, the greatest things first. */
function* smallerValues(value: JSONValue, name: string): IterableIterator<JSONValue> {
  if (Array.isArray(value)) {
    if (!NUMBERED.has(name)) {
      for (let size = value.length >> 1; size >= 1; size >>= 1) {
        for (let from = 0; from + size <= value.length; from += size) yield [...value.slice(0, from), ...value.slice(from + size)];
      }
    }
    for (const [index, element] of value.entries()) for (const smaller of smallerValues(element, "")) yield value.with(index, smaller);
  } else if (isJSONObject(value)) {
    for (const key of Object.keys(value)) {
      if (FIXED.has(key) || key.startsWith(GROUP)) continue;
      const { [key]: _, ...rest } = value;
      yield rest;
    }
    for (const [key, child = null] of Object.entries(value)) {
      if (WHOLE.has(key)) continue;
      for (const smaller of smallerValues(child, key)) yield { ...value, [key]: smaller };
    }
  } else if (typeof value === "string" && value.length > 0 && name === "") yield "";
  else if (typeof value === "number" && value !== 0) yield 0;
}
