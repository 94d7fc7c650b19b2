import type { Random } from "./random.ts";

/** A place inside of a value: its keys and indexes from the outside in. */
type Place = readonly (string | number)[];

/** Stands for text that JSON.stringify would not write; what never occurs otherwise. */
const MARK = "@@raw@@";

/** Values as JSON text: wrong types, the ends of number ranges, text that is hard to carry. */
export const STRANGE_VALUES: readonly string[] = [
  ...["null", "true", "false", "0", "-1", "1.5", "-0", "1e400", "1E+2", "1e-400", "0.1e1", "2147483648", "9007199254740993"],
  ...["9223372036854775807", "9223372036854775808", "-9223372036854775809", `1${"0".repeat(400)}`, `0.${"3".repeat(5000)}`],
  ...["01", "+1", "NaN", "Infinity", "0x10", "undefined", "'a'", "[1,]", '{"a":1,}', "/**/1"],
  ...[
    '""',
    '"x"',
    '" "',
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"\\u202e\\u0301"',
    '"\\uffff"',
    '"line\\nbreak"',
    '"\\ufeff"',
  ],
  ...[
    '".."',
    '"."',
    '"../../x"',
    '"a/b"',
    '"%2e%2e"',
    '"a%00"',
    '"UPPER"',
    '"-a"',
    '"a-"',
    `"${"a".repeat(64)}"`,
    `"${"a".repeat(254)}"`,
    `"${"é".repeat(70000)}"`,
  ],
  ...[
    '"1970-01-01T00:00:00Z"',
    '"9999-99-99T99:99:99Z"',
    '"2020-01-01T00:00:00.123456789+14:00"',
    '"-0001-01-01T00:00:00Z"',
    '"5s"',
    '"18446744073709551616"',
  ],
  ...["[]", "{}", "[[]]", "[null]", '[{"":{}}]', '{"a":{"b":[1,2]}}', '{"a":null}', '["a","a"]', '"Y2F0"', '"===="', '"Y2F"'],
];

/** Keys that mean something to JavaScript, to a patch or to metadata, and some that are hard to name. */
const STRANGE_KEYS: readonly string[] = [
  ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "toJSON", "then", "length", "0", "-0", "1e3"],
  ...[
    "",
    "\u0000",
    "a.b",
    "a/b",
    "a~1b",
    "é",
    "\ud800",
    "$patch",
    "$retainKeys",
    "$deleteFromPrimitiveList/finalizers",
    "$setElementOrder/finalizers",
  ],
  ...["$patch.x", "metadata", "Metadata", "apiVersion", "kind", "status", "spec", "items", "name", "namespace", "k:{", "f:x", "x".repeat(5000)],
];

/** Fields that the server itself has a use for. */
const KNOWN_FIELDS: readonly Place[] = [
  ...["name", "namespace", "generateName", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "selfLink"].map(
    (name) => ["metadata", name],
  ),
  ...["deletionGracePeriodSeconds", "labels", "annotations", "finalizers", "ownerReferences", "managedFields"].map((name) => ["metadata", name]),
  ...[
    ["apiVersion"],
    ["kind"],
    ["metadata"],
    ["spec"],
    ["status"],
    ["data"],
    ["stringData"],
    ["type"],
    ["immutable"],
    ["rules"],
    ["subjects"],
    ["roleRef"],
  ],
  ...[
    ["spec", "finalizers"],
    ["status", "phase"],
    ["status", "conditions"],
    ["spec", "resourceAttributes"],
    ["spec", "extra"],
    ["spec", "ttl"],
    ["spec", "userID"],
  ],
  ...[
    ["preconditions"],
    ["dryRun"],
    ["gracePeriodSeconds"],
    ["propagationPolicy"],
    ["orphanDependents"],
    ["aggregationRule"],
    ["disallowedFlunders"],
  ],
];

/** Values that are right in form, or nearly, for fields of metadata and rules. */
const FORMED_VALUES: readonly string[] = [
  '["example.com/x"]',
  '["foregroundDeletion","orphan"]',
  '["bad finalizer"]',
  '[{"apiVersion":"v1","kind":"Secret","name":"a","uid":"00000000-0000-0000-0000-000000000000","blockOwnerDeletion":true,"controller":true}]',
  '[{"apiVersion":"","kind":"","name":"","uid":""}]',
  '[{"manager":"x","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"k:{\\"a\\":1}":{}}}}}]',
  '[{"manager":"x","operation":"Apply","apiVersion":"nowhere/v9","time":"2020-01-01T00:00:00Z","fieldsType":"FieldsV2","fieldsV1":{"f:":{},"v:1":{},"i:-1":{},"z":{}}}]',
  '[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]',
  '[{"nonResourceURLs":["*","/a/*/b"],"verbs":[],"resources":["x"]}]',
  '{"clusterRoleSelectors":[{"matchExpressions":[{"key":"a b","operator":"In","values":[]}]}]}',
  '{"kind":"ClusterRole","name":"cluster-admin","apiGroup":"rbac.authorization.k8s.io"}',
  '[{"kind":"Group","name":"system:nobody"},{"kind":"ServiceAccount","name":"a"}]',
  '{"uid":"x","resourceVersion":"1"}',
  '["All","None"]',
];

function placesOf(value: unknown, place: Place, into: Place[]): Place[] {
  if (into.length > 5000) return into;
  into.push(place);
  if (Array.isArray(value)) for (const [index, item] of value.entries()) placesOf(item, [...place, index], into);
  else if (typeof value === "object" && value !== null) for (const [key, item] of Object.entries(value)) placesOf(item, [...place, key], into);
  return into;
}

function valueAt(value: unknown, place: Place): unknown {
  return place.reduce<unknown>((inside, key) => (typeof inside === "object" && inside !== null ? Reflect.get(inside, key) : undefined), value);
}

/** The value with another one at a place; objects that miss on the way are made. */
function withValue(value: unknown, [key, ...rest]: Place, replacement: unknown): unknown {
  if (key === undefined) return replacement;
  if (Array.isArray(value)) return value.map((item, index) => (index === key ? withValue(item, rest, replacement) : item));
  const object: Record<string, unknown> = typeof value === "object" && value !== null ? { ...value } : {};
  Object.defineProperty(object, key, { value: withValue(object[key], rest, replacement), enumerable: true, configurable: true, writable: true });
  return object;
}

const put = (value: unknown, place: Place, raw: string): string =>
  JSON.stringify(withValue(value, place, MARK)).replace(JSON.stringify(MARK), () => raw);

/** JSON that nests so deep. */
function nested(random: Random): string {
  const depth = random.pick([3, 33, 101, 600, 1001, 5000, 10_001, 100_000]);
  const [open, close] = random.pick([
    ["[", "]"],
    ['{"a":', "}"],
    ['[{"a":', "}]"],
  ] as const);
  return open.repeat(depth) + (random.chance(0.8) ? `1${close.repeat(depth)}` : "");
}

const objectsOf = (value: unknown) =>
  placesOf(value, [], []).filter((place) => {
    const inside = valueAt(value, place);
    return typeof inside === "object" && inside !== null && !Array.isArray(inside);
  });

/** Puts text in front of the members of an object. */
function withMember(value: unknown, random: Random, member: (object: object) => string): string {
  const objects = objectsOf(value);
  if (objects.length === 0) return `{${member({})}}`;
  const place = random.pick(objects);
  const object = valueAt(value, place) as object; // chosen for being one
  const text = JSON.stringify(object);
  return put(
    value,
    place,
    text === "{}" ? `{${member(object)}}` : random.chance(0.5) ? `{${member(object)},${text.slice(1)}` : `${text.slice(0, -1)},${member(object)}}`,
  );
}

/** Changes JSON by what it means. Each gets the parsed value, and gives text. */
export const JSON_MUTATORS: Readonly<Record<string, (value: unknown, random: Random) => string>> = {
  "strange value": (value, random) => put(value, random.pick(placesOf(value, [], [])), random.pick(STRANGE_VALUES)),
  "deep nesting": (value, random) => put(value, random.pick(placesOf(value, [], [])), nested(random)),
  "known field": (value, random) => put(value, random.pick(KNOWN_FIELDS), random.pick(random.chance(0.5) ? STRANGE_VALUES : FORMED_VALUES)),
  "strange key": (value, random) => withMember(value, random, () => `${JSON.stringify(random.pick(STRANGE_KEYS))}:${random.pick(STRANGE_VALUES)}`),
  "key twice": (value, random) =>
    withMember(
      value,
      random,
      (object) => `${JSON.stringify(random.pick(["metadata", "name", ...Object.keys(object)]))}:${random.pick(STRANGE_VALUES)}`,
    ),
  "many keys": (value, random) => {
    const count = random.pick([50, 200, 3000]);
    return withMember(value, random, () =>
      Array.from({ length: count }, (_, index) => `"k${index}":${index % 2 === 0 ? index : `"${index}"`}`).join(","),
    );
  },
  "key left out": (value, random) => {
    const places = placesOf(value, [], []).filter(({ length }) => length > 0);
    return places.length === 0 ? "" : JSON.stringify(withValue(value, random.pick(places), undefined));
  },
  "one part elsewhere": (value, random) => {
    const places = placesOf(value, [], []);
    return put(value, random.pick(places), JSON.stringify(valueAt(value, random.pick(places))));
  },
  "a long list": (value, random) => {
    const item = random.pick(STRANGE_VALUES.slice(0, 20));
    return put(value, random.pick(placesOf(value, [], [])), `[${Array.from({ length: random.pick([100, 2000, 20_000]) }, () => item).join(",")}]`);
  },
  "a list instead": (value) => JSON.stringify([value, value]),
  "more behind it": (value, random) => JSON.stringify(value) + random.pick(["}", "{}", " null", ",", "\u0000", "\n\n", "]"]),
};

/** JSON patches that grow, or point nowhere. */
export function patchOperations(random: Random): string {
  const paths = [
    "",
    "/",
    "/metadata",
    "/metadata/name",
    "/metadata/labels/x",
    "/metadata/labels/-",
    "/__proto__/x",
    "/constructor/prototype/x",
    "/spec/~2",
    "/metadata/finalizers/0",
    "/metadata/finalizers/99999999999999999999",
    "/metadata/finalizers/-1",
    "/metadata/annotations",
    "no-slash",
    "/a/b/c",
  ];
  const operation = () =>
    `{"op":${JSON.stringify(random.pick(["add", "remove", "replace", "move", "copy", "test", "bogus", "", "Add"]))},"path":${JSON.stringify(random.pick(paths))},` +
    `"from":${JSON.stringify(random.pick(paths))},"value":${random.pick(STRANGE_VALUES)}}`;
  if (random.chance(0.2)) {
    // Each copy holds all copies before it.
    const copies = Array.from({ length: random.pick([12, 30, 200]) }, (_, index) => `{"op":"copy","from":"/metadata","path":"/metadata/x${index}"}`);
    return `[${copies.join(",")}]`;
  }
  return `[${Array.from({ length: random.chance(0.95) ? 1 + random.below(5) : 12_000 }, operation).join(",")}]`;
}
