import { encodeJSONText, FieldSet, type JSONObject, type JSONValue } from "@annex/apimachinery";
import type { Random } from "../../e2e/hostile/random.ts";
import { mapKey, scalar, some, text, wholeNumber } from "./alphabet.ts";

/** FieldsV1 with elements of all types. @param mischief how often, at each place, it has what is no set. */
export function randomFields(random: Random, depth: number, mischief: number): JSONObject {
  return Object.fromEntries(
    some(random, 4, () => {
      if (random.chance(mischief)) return [malformedElement(random), random.pick<JSONValue>([{}, null, 1, "f:a", [], true])] as const;
      return [elementText(random), random.chance(0.5) || depth <= 0 ? {} : fieldsBelow(random, depth, mischief)] as const;
    }),
  );
}

function fieldsBelow(random: Random, depth: number, mischief: number): JSONValue {
  if (random.chance(mischief)) return random.pick([null, "f:a", 1, []]);
  const fields = randomFields(random, depth - 1, mischief);
  return random.chance(0.4) ? { ".": {}, ...fields } : fields;
}

/** A path element as FieldsV1 spells it, not always as it would be written. */
export function elementText(random: Random): string {
  const dice = random.below(20);
  if (dice < 9) return `f:${random.pick(["a", "b", "c", mapKey(random)])}`;
  if (dice < 14) return `k:${keyText(random)}`;
  if (dice < 17) return `v:${encodeJSONText(random.chance(0.1) ? [scalar(random)] : random.chance(0.1) ? null : scalar(random))}`;
  if (dice < 19) return `i:${random.chance(0.9) ? random.below(3) : random.pick(["-1", "+1", "007"])}`;
  return random.pick(["v: 1", "v:1.0", "v:1e0", 'k:{ "k" : 1 }', 'v:"\\u0073"', "f:", "z:later", "v:100000000000000000000"]);
}

function keyText(random: Random): string {
  const fields = ["k", "l"]
    .filter(() => random.chance(0.6))
    .map((name) => [name, random.chance(0.1) ? null : random.chance(0.5) ? text(random) : wholeNumber(random)] as const);
  return encodeJSONText(Object.fromEntries(random.chance(0.5) ? fields : fields.reverse()));
}

function malformedElement(random: Random): string {
  return random.pick([
    "",
    "f",
    "fa",
    "f-a",
    "k:",
    "k:1",
    "k:[]",
    'k:{"k"',
    "k:null",
    "v:",
    "v:{",
    "v:x",
    "i:",
    "i:x",
    "i:1.5",
    "i:99999999999999999999",
    ":",
    "F:a",
    "..",
  ]);
}

/** Some of the members of a set, and some paths that may be in it or not. */
export function someFields(random: Random, set: FieldSet): JSONObject {
  const members = [...set.paths()].filter(() => random.chance(0.4));
  const chosen = FieldSet.of(...members.map((path) => (random.chance(0.15) ? path.slice(0, -1) : path)));
  return random.chance(0.2) ? chosen.union(FieldSet.fromFieldsV1(randomFields(random, 2, 0))).toFieldsV1() : chosen.toFieldsV1();
}
