import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { invalid } from "./index.ts";
import {
  compareUTF8,
  isConfigMapKey,
  isDNS1035Label,
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
  validateFieldManager,
  validateObjectMeta,
  validateObjectMetaUpdate,
  validatePathSegmentName,
} from "./names.ts";
import type { ObjectMeta } from "./object.ts";

const label = /a lowercase RFC 1123 label must consist of .*\(e\.g\. 'my-name', {2}or '123-abc', regex used for validation is '\[a-z0-9\]/;
const subdomain = /a lowercase RFC 1123 subdomain must consist of .* \(e\.g\. 'example\.com', regex used for validation is /;
const key = /^name part must consist of alphanumeric characters, '-', '_' or '\.', .*'MyName', {2}or 'my\.name', {2}or '123-abc', regex/;

test.each([
  {
    rule: isDNS1123Label,
    good: ["a", "0", "a-b", "a".repeat(63)],
    bad: { "": label, A: label, "-a": label, "a-": label, "a\n": label, "a.b": /^must not contain dots$/ },
  },
  {
    rule: isDNS1123Subdomain,
    good: ["a", "a.b-c.0", "a".repeat(253)],
    bad: { "": subdomain, "a..b": subdomain, "a.": subdomain, a_b: subdomain, é: subdomain },
  },
  { rule: isDNS1035Label, good: ["a", "a-0"], bad: { "0a": /^a DNS-1035 label must/, "a.b": /^a DNS-1035 label must/ } },
  {
    rule: isValidLabelValue,
    good: ["", "a", "A.b_c-0"],
    bad: { "-": /^a valid label must be an empty string/, "a b": /'MyValue', {2}or 'my_value', {2}or '12345'/ },
  },
  {
    rule: isQualifiedName,
    good: ["a", "A_b.c", "k.io/A"],
    bad: {
      "a b": key,
      "/a": /^prefix part must be non-empty$/,
      "X/a": /^prefix part a lowercase RFC 1123 subdomain/,
      "a/b/c": /^a valid label key must consist of .* with an optional DNS subdomain prefix and '\/' \(e\.g\. 'example\.com\/MyName'\)$/,
    },
  },
  {
    rule: isConfigMapKey,
    good: ["a", "A_.-", ".a"],
    bad: {
      "": /^a valid config key/,
      "a/b": /^a valid config key/,
      ".": /^must not be '\.'$/,
      "..": /^must not be '\.\.'$/,
      "..a": /^must not start with '\.\.'$/,
    },
  },
  {
    rule: validatePathSegmentName,
    good: ["", "A b", "..."],
    bad: { ".": /^may not be '\.'$/, "..": /^may not be '\.\.'$/, "a/b": /^may not contain '\/'$/, "a%b": /^may not contain '%'$/ },
  },
])("$rule.name", ({ rule, good, bad }) => {
  for (const value of good) expect(rule(value), value).toEqual([]);
  for (const [value, sentence] of Object.entries(bad)) expect(rule(value), value).toEqual([expect.stringMatching(sentence)]);
});

test("lengths are bytes, whatever the sentence calls them", () => {
  expect(isDNS1123Label("a".repeat(64))).toEqual(["must be no more than 63 characters"]);
  expect(isDNS1123Subdomain("a".repeat(254))).toEqual(["must be no more than 253 characters"]);
  expect(isValidLabelValue("a".repeat(64))).toEqual(["must be no more than 63 bytes"]);
  expect(isValidLabelValue("é".repeat(32))[0]).toBe("must be no more than 63 bytes");
  expect(isQualifiedName(`${"a".repeat(254)}/a`)).toEqual(["prefix part must be no more than 253 bytes"]);
  expect(isQualifiedName("x/")).toEqual(["name part must be non-empty", expect.stringMatching(key)]);
});

test("the scanners agree with the patterns that their sentences show", () => {
  const part = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
  const text = fc.string({ unit: fc.constantFrom("a", "Z", "0", "-", ".", "_", "\n"), maxLength: 8 });
  fc.assert(
    fc.property(text, (value) => {
      expect(isDNS1123Label(value).length === 0).toBe(new RegExp(`^${part}$`).test(value));
      expect(isDNS1123Subdomain(value).length === 0).toBe(new RegExp(`^${part}(\\.${part})*$`).test(value));
      expect(isValidLabelValue(value).length === 0).toBe(/^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(value));
    }),
  );
});

const sentence = (metadata: ObjectMeta, isNamespaced = true) =>
  invalid({ group: "", kind: "K" }, "", validateObjectMeta(metadata, { isNamespaced, nameRule: "dnsSubdomain" })).message.replace(
    'K "" is invalid',
    "",
  );

const owner = { apiVersion: "a/v1", kind: "K", name: "x", uid: "u" };
const good: ObjectMeta = { name: "a", namespace: "ns" };

describe("validateObjectMeta", () => {
  test("accepts", () => {
    expect(
      sentence({ ...good, labels: { "k.io/a": "" }, annotations: { "UP.io/A": "any ☃" }, finalizers: ["k.io/f"], ownerReferences: [owner] }),
    ).toBe("");
    expect(sentence({ name: "a" }, false)).toBe("");
    expect(sentence({ ...good, generateName: "a-" })).toBe("");
  });

  test.each<{ metadata: ObjectMeta; want: string | RegExp }>([
    { metadata: { namespace: "ns" }, want: ": metadata.name: Required value: name or generateName is required" },
    { metadata: { ...good, name: "A" }, want: /^: metadata\.name: Invalid value: "A": a lowercase RFC 1123 subdomain/ },
    { metadata: { ...good, generateName: "A--" }, want: /^: metadata\.generateName: Invalid value: "A--": a lowercase RFC 1123 subdomain/ },
    { metadata: { name: "a" }, want: ": metadata.namespace: Required value" },
    { metadata: { name: "a", namespace: "x.y" }, want: ': metadata.namespace: Invalid value: "x.y": must not contain dots' },
    { metadata: { ...good, generation: -1 }, want: ": metadata.generation: Invalid value: -1: must be greater than or equal to 0" },
    {
      metadata: { ...good, labels: { "a b": "c d" } },
      want: /^: \[metadata\.labels: Invalid value: "a b": name part .*, metadata\.labels: Invalid value: "c d": a valid label/,
    },
    { metadata: { ...good, annotations: { "a/b/c": "" } }, want: /^: metadata\.annotations: Invalid value: "a\/b\/c": a valid label key/ },
    { metadata: { ...good, annotations: { a: "é".repeat(131_072) } }, want: ": metadata.annotations: Too long: may not be more than 262144 bytes" },
    {
      metadata: { ...good, ownerReferences: [{ ...owner, apiVersion: "a/b/c", kind: "" }] },
      want: ': [metadata.ownerReferences.apiVersion: Invalid value: "a/b/c": version must not be empty, metadata.ownerReferences.kind: Invalid value: "": must not be empty]',
    },
    {
      metadata: { ...good, ownerReferences: [{ uid: "u", name: "x", kind: "Event", apiVersion: "v1" }] },
      want: ': metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"x","uid":"u"}: /v1, Kind=Event is disallowed from being an owner',
    },
    {
      metadata: {
        ...good,
        ownerReferences: [
          { ...owner, controller: true },
          { ...owner, name: "y", controller: true },
        ],
      },
      want: /}\]: Only one reference can have Controller set to true\. Found "true" in references for K\/x and K\/y$/,
    },
    {
      metadata: { ...good, finalizers: ["orphan", "foregroundDeletion"] },
      want: ': metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
    },
    {
      metadata: { ...good, managedFields: [{ operation: "Bogus", fieldsType: "X" } as never] },
      want: ': [metadata.managedFields[0].operation: Invalid value: "Bogus": must be `Apply` or `Update`, metadata.managedFields[0].fieldsType: Invalid value: "X": must be `FieldsV1`]',
    },
    {
      metadata: { ...good, managedFields: [{ operation: "Update", subresource: "s".repeat(257) }] },
      want: ": metadata.managedFields[0].subresource: Too long: may not be more than 256 bytes",
    },
  ])("refuses $metadata", ({ metadata, want }) => {
    const got = sentence(metadata);
    if (typeof want === "string") expect(got).toBe(want);
    else expect(got).toMatch(want);
  });

  test("a cluster-scoped object has no namespace", () =>
    expect(sentence(good, false)).toBe(": metadata.namespace: Forbidden: not allowed on this type"));

  test("a rule of the kind's own, and a path of its own", () => {
    const nameRule = (name: string, isPrefix: boolean) => (name === "no" ? [`never${isPrefix ? "-prefix" : ""}`] : []);
    const errors = validateObjectMeta({ name: "no", generateName: "no" }, { isNamespaced: false, nameRule, path: "template.metadata" });
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      'template.metadata.generateName: Invalid value: "no": never-prefix',
      'template.metadata.name: Invalid value: "no": never',
    ]);
  });

  test("a hostile map does not make an endless answer", () => {
    const labels = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`a ${index}`, ""]));
    expect(validateObjectMeta({ ...good, labels }, { isNamespaced: true, nameRule: "pathSegment" })).toHaveLength(1_000);
  });
});

test("validateFieldManager", () => {
  expect(validateFieldManager("kubectl é", "m")).toEqual([]);
  expect(validateFieldManager("😀".repeat(32), "m")).toEqual([]);
  expect(validateFieldManager("😀".repeat(33), "m")).toHaveLength(1);
  expect(validateFieldManager("é\u0007", "m")[0]?.message).toBe('Invalid value: "é\\a": invalid character U+0007 (at position 2)');
  expect(validateFieldManager("a".repeat(129), "m")[0]?.message).toBe("Too long: may not be more than 128 bytes");
});

describe("validateObjectMetaUpdate", () => {
  const previous: ObjectMeta = {
    ...good,
    uid: "u",
    resourceVersion: "5",
    generation: 2,
    creationTimestamp: "2001-01-01T00:00:00Z",
    finalizers: ["k.io/a"],
  };
  const deleted: ObjectMeta = { ...previous, deletionTimestamp: "2002-01-01T00:00:00Z", deletionGracePeriodSeconds: 0 };

  test.each<{ next: ObjectMeta; before?: ObjectMeta; want: readonly string[] }>([
    { next: previous, want: [] },
    { next: { ...previous, creationTimestamp: "2001-01-01T01:00:00+01:00" }, want: [] },
    { next: { ...previous, finalizers: ["k.io/b"] }, want: [] },
    { next: { ...deleted, finalizers: [] }, before: deleted, want: [] },
    {
      next: { ...deleted, finalizers: ["z.io/z", "k.io/a", "k.io/b"] },
      before: deleted,
      want: [
        'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"k.io/b", "z.io/z"}',
      ],
    },
    { next: { ...previous, resourceVersion: "" }, want: ['metadata.resourceVersion: Invalid value: "": must be specified for an update'] },
    { next: { ...previous, generation: 1 }, want: ["metadata.generation: Invalid value: 1: must not be decremented"] },
    {
      next: { ...previous, name: "b", namespace: "x", uid: "v" },
      want: [
        'metadata.name: Invalid value: "b": field is immutable',
        'metadata.namespace: Invalid value: "x": field is immutable',
        'metadata.uid: Invalid value: "v": field is immutable',
      ],
    },
    {
      next: { ...previous, deletionTimestamp: "2001-01-01T00:00:00Z" },
      want: ['metadata.deletionTimestamp: Invalid value: "2001-01-01T00:00:00Z": field is immutable'],
    },
    {
      next: previous,
      before: deleted,
      want: [
        "metadata.deletionTimestamp: Invalid value: null: field is immutable",
        "metadata.deletionGracePeriodSeconds: Invalid value: null: field is immutable",
      ],
    },
    { next: { ...previous, labels: { a: "-" } }, want: [expect.stringMatching(/^metadata\.labels: Invalid value: "-"/)] },
  ])("$want", ({ next, before = previous, want }) => {
    expect(validateObjectMetaUpdate(next, before).map(({ field, message }) => `${field}: ${message}`)).toEqual(want);
  });
});

test("strings compare as their UTF-8 bytes do", () => {
  const unit = fc.constantFrom("a", "é", "\uffee", "😀", "\ud7ff", "b");
  fc.assert(
    fc.property(fc.string({ unit }), fc.string({ unit }), (left, right) => {
      expect(Math.sign(compareUTF8(left, right))).toBe(Buffer.compare(Buffer.from(left), Buffer.from(right)));
    }),
  );
});
