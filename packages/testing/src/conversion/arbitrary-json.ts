import type { JSONObject, JSONValue } from "@annex/apimachinery";
import fc from "fast-check";
import { integerArbitrary, numberArbitrary } from "./arbitrary-number.ts";
import { stringArbitrary } from "./arbitrary-string.ts";

const plainKey = fc.stringMatching(/^[a-z]([a-z0-9-]{0,5}[a-z0-9])?$/);
const qualifiedKey = fc.stringMatching(/^[a-z]{1,4}\.io\/[A-Z]([A-Za-z0-9._-]{0,4}[A-Za-z0-9])?$/);
const labelKey = fc.oneof({ withCrossShrink: true }, { weight: 2, arbitrary: plainKey }, qualifiedKey);

/** Keys of maps: names with a prefix and without, and what JavaScript's objects inherit, which is a key of JSON like any other. */
export const mapKey: fc.Arbitrary<string> = fc.oneof(
  { withCrossShrink: true },
  { weight: 5, arbitrary: plainKey },
  { weight: 3, arbitrary: qualifiedKey },
  fc.constantFrom("__proto__", "constructor"),
);

const text = stringArbitrary({});

/** What stands where a schema says nothing. */
export const anyJSON = fc.anything({
  maxDepth: 2,
  maxKeys: 3,
  key: mapKey,
  values: [fc.constant(null), fc.boolean(), text, integerArbitrary({}), numberArbitrary({ minimum: -1e15, maximum: 1e15 })],
}) as fc.Arbitrary<JSONValue>; // of these values, and of lists and objects of them

const labels = fc.dictionary(labelKey, fc.stringMatching(/^([A-Za-z0-9]([A-Za-z0-9._-]{0,5}[A-Za-z0-9])?)?$/), { noNullPrototype: true, maxKeys: 2 });
const annotations = fc.dictionary(labelKey, text, { noNullPrototype: true, maxKeys: 2 });

/** Type and metadata of objects within an object. */
export const embeddedMeta: fc.Arbitrary<JSONObject> = fc.record(
  {
    apiVersion: fc.constantFrom("example.com/v1", "v1"),
    kind: fc.constantFrom("Thing", "ConfigMap"),
    metadata: fc.record({ name: plainKey, namespace: plainKey, labels, annotations }, { noNullPrototype: true, requiredKeys: [] }),
  },
  { noNullPrototype: true, requiredKeys: ["apiVersion", "kind"] },
);
