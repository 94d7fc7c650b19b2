import { t } from "@annex/apimachinery";
import { describe, expect, test } from "vitest";
import { defineResource } from "../definition/index.ts";
import { encodeContinue } from "../registry/continue-token.ts";
import { getConsistency, listConsistency, parseDeleteOptions, parseListQuery, parseWriteQuery } from "./options.ts";

const Thing = defineResource({
  group: "example.com",
  kind: "Thing",
  scope: "Namespaced",
  selectableFields: ["spec.color"],
  versions: { v1: { schema: { spec: t.object({ color: t.optional(t.string()) }) } } },
});
const target = { resource: Thing, version: Thing.storageVersion };
const query = (text: string) => new URLSearchParams(text);

describe("writes", () => {
  test.each([
    { text: "", want: { isDryRun: false, fieldValidation: "Warn", manager: "kubectl" } },
    { text: "dryRun=All&fieldValidation=Strict&fieldManager=me", want: { isDryRun: true, fieldValidation: "Strict", manager: "me" } },
    { text: "dryRun=All&dryRun=All", want: { isDryRun: true } },
  ])("'$text'", ({ text, want }) => expect(parseWriteQuery(query(text), "CreateOptions", "kubectl/v1.36")).toMatchObject(want));

  test.each<{ text: string; field: string; kind?: "PatchOptions" }>([
    { text: "dryRun=None", field: "dryRun" },
    { text: "dryRun=", field: "dryRun" },
    { text: "fieldValidation=Loud", field: "fieldValidation" },
    { text: `fieldManager=${"x".repeat(129)}`, field: "fieldManager" },
    { text: "force=true", field: "force", kind: "PatchOptions" },
  ])("'$text' is refused on $field", ({ text, field, kind: named }) => {
    const kind = named ?? ("CreateOptions" as const);
    const details = { group: "meta.k8s.io", kind, causes: [expect.objectContaining({ field })] };
    expect(() => parseWriteQuery(query(text), kind, "x")).toThrow(expect.objectContaining({ code: 422, details }));
  });
});

describe("lists and watches", () => {
  test.each([
    { text: "limit=9223372036854775808", want: 'strconv.ParseInt: parsing "9223372036854775808": value out of range' },
    { text: "limit=abc", want: 'strconv.ParseInt: parsing "abc": invalid syntax' },
    { text: "resourceVersion=abc", want: /strconv\.ParseUint: parsing "abc": invalid syntax$/ },
    { text: "fieldSelector=spec.size%3D1", want: /field label not supported: spec\.size/ },
    { text: "labelSelector=a%20b", want: /unable to parse requirement/ },
    {
      text: `continue=${encodeContinue({ revision: undefined, start: "/a" }, "/")}&resourceVersion=x`,
      want: "specifying resource version is not allowed",
    },
    // Of several faults the one that Go finds first.
    { text: "continue=*&resourceVersion=5", want: "illegal base64 data at input byte 0" },
    { text: "labelSelector=a%20b&limit=x", want: 'strconv.ParseInt: parsing "x": invalid syntax' },
    { text: "timeoutSeconds=y&limit=x", want: 'strconv.ParseInt: parsing "y": invalid syntax' },
    { text: "fieldSelector=spec.size%3D1&resourceVersionMatch=Exact", want: /resourceVersionMatch is forbidden unless resourceVersion is provided/ },
    { text: "fieldSelector=spec.size&resourceVersionMatch=Exact", want: "can't understand 'spec.size'" },
    { text: "resourceVersionMatch=Exact", want: /resourceVersionMatch is forbidden unless resourceVersion is provided/ },
    { text: "resourceVersionMatch=Exact&resourceVersion=0", want: /is forbidden for resourceVersion "0"/ },
    { text: "resourceVersionMatch=Odd&resourceVersion=5", want: /supported values: "Exact", "NotOlderThan", ""/ },
    { text: "sendInitialEvents=true", want: /sendInitialEvents is forbidden for list/ },
    { text: "sendInitialEvents=true", isWatch: true, want: /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/ },
    { text: "resourceVersionMatch=NotOlderThan&resourceVersion=5", isWatch: true, want: /forbidden for watch unless sendInitialEvents is provided/ },
    { text: "continue=abcd", isWatch: true, want: /resourceVersionMatch is forbidden when continue is provided/ },
  ])("'$text' is refused: $want", ({ text, isWatch = false, want }) => {
    expect(() => parseListQuery(query(text), target, isWatch)).toThrow(want);
  });

  test.each([
    { text: "", want: { type: "MostRecent" } },
    { text: "resourceVersion=0", want: { type: "Any" } },
    { text: "resourceVersion=5", want: { type: "NotOlderThan", resourceVersion: "5" } },
    { text: "resourceVersion=5&limit=2", want: { type: "Exact", resourceVersion: "5" } },
    { text: "resourceVersion=5&limit=2&resourceVersionMatch=NotOlderThan", want: { type: "NotOlderThan" } },
    { text: "resourceVersion=5&resourceVersionMatch=Exact", want: { type: "Exact" } },
    // A single object is got, and has no pages.
    { text: "resourceVersion=5&limit=2&fieldSelector=metadata.name%3Da", want: { type: "NotOlderThan" } },
    { text: "resourceVersion=5&limit=2&fieldSelector=metadata.name%3Da&resourceVersionMatch=Exact", want: { type: "Exact" } },
    { text: "resourceVersion=5&limit=2&fieldSelector=metadata.name%3Da", namespace: "", want: { type: "Exact" } },
    { text: "resourceVersion=5&limit=2&fieldSelector=metadata.name%3Da,metadata.namespace%3Dx", namespace: "", want: { type: "NotOlderThan" } },
    { text: "resourceVersion=5&limit=2&fieldSelector=metadata.name%3D", want: { type: "Exact" } },
  ])("'$text' in namespace '$namespace' is read as fresh as $want.type", ({ text, namespace = "default", want }) => {
    expect(listConsistency(parseListQuery(query(text), target, false), { resource: Thing, namespace })).toMatchObject(want);
  });

  // Asked of kube-apiserver, of custom resources, ClusterRoles and Namespaces.
  test.each([
    { what: "of a namespaced kind", kind: { scope: "Namespaced" }, isKnown: true },
    { what: "of a kind without namespaces", kind: { scope: "Cluster" }, isKnown: false },
    { what: "of a compiled-in one", kind: { scope: "Cluster", isBuiltIn: true }, isKnown: true },
    {
      what: "of a compiled-in one with fields of its own",
      kind: { scope: "Cluster", isBuiltIn: true, selectableFields: ["status.phase"] },
      isKnown: false,
    },
  ] as const)("metadata.namespace is a field $what: $isKnown", ({ kind, isKnown }) => {
    const resource = defineResource({ group: "example.com", kind: "Other", versions: { v1: { schema: {} } }, ...kind });
    const read = () => parseListQuery(query("fieldSelector=metadata.namespace!%3Dx"), { resource, version: resource.storageVersion }, false);
    if (isKnown) read();
    else expect(read).toThrow("field label not supported: metadata.namespace");
  });

  test("a get is as fresh as it asks", () => {
    expect(getConsistency(query(""))).toEqual({ type: "MostRecent" });
    expect(getConsistency(query("resourceVersion=0"))).toEqual({ type: "Any" });
    expect(getConsistency(query("resourceVersion=5"))).toEqual({ type: "NotOlderThan", resourceVersion: "5" });
    expect(() => getConsistency(query("resourceVersion=-1"))).toThrow(expect.objectContaining({ code: 400 }));
  });

  test("numbers are bounded", () => {
    expect(parseListQuery(query("limit=-5"), target, false).limit).toBe(0);
    expect(parseListQuery(query("limit=9223372036854775807"), target, false).limit).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("a list at resourceVersion 0 is whole, unless it goes on with another", () => {
    expect(parseListQuery(query("limit=2&resourceVersion=0"), target, false).limit).toBe(0);
    expect(parseListQuery(query("limit=2&resourceVersion=0&continue=abcd"), target, false).limit).toBe(0);
    expect(parseListQuery(query("limit=2&resourceVersion=5"), target, false).limit).toBe(2);
  });

  test.each([
    { text: "limit=", message: 'strconv.ParseInt: parsing "": invalid syntax' },
    { text: "timeoutSeconds=1.5", message: 'strconv.ParseInt: parsing "1.5": invalid syntax' },
    { text: "limit=9223372036854775808", message: 'strconv.ParseInt: parsing "9223372036854775808": value out of range' },
    { text: "limit=-9223372036854775809", message: 'strconv.ParseInt: parsing "-9223372036854775809": value out of range' },
    {
      text: "resourceVersion=a%01",
      message: 'invalid resource version: resourceVersion: Invalid value: "a\\x01": strconv.ParseUint: parsing "a\\x01": invalid syntax',
    },
  ])("$text is refused", ({ text, message }) => {
    expect(() => parseListQuery(query(text), { resource: Thing, version: Thing.storageVersion }, false)).toThrow(
      expect.objectContaining({ code: 400, message }),
    );
  });
});

describe("deletions", () => {
  test.each([
    { text: "", body: undefined, want: { isDryRun: false, preconditions: {}, propagationPolicy: undefined, orphanDependents: undefined } },
    { text: "uid=u&resourceVersion=5", body: undefined, want: { preconditions: { uid: "u", resourceVersion: "5" } } },
    { text: "uid=&resourceVersion=", body: undefined, want: { preconditions: {} } },
    { text: "uid=u", body: {}, want: { preconditions: {} } },
    {
      text: "propagationPolicy=Orphan&gracePeriodSeconds=5&dryRun=All",
      body: undefined,
      want: { isDryRun: true, propagationPolicy: "Orphan", gracePeriodSeconds: 5 },
    },
    { text: "orphanDependents=true", body: undefined, want: { orphanDependents: true, propagationPolicy: undefined } },
    { text: "propagationPolicy=Orphan", body: {}, want: { propagationPolicy: undefined } },
    { text: "", body: { preconditions: { uid: "u", resourceVersion: "5" } }, want: { preconditions: { uid: "u", resourceVersion: "5" } } },
    { text: "", body: { preconditions: null, dryRun: null, propagationPolicy: null }, want: { isDryRun: false, preconditions: {} } },
  ])("'$text' $body", ({ text, body, want }) => expect(parseDeleteOptions(query(text), body)).toMatchObject(want));

  test.each([
    { body: { propagationPolicy: "Sometimes" }, code: 422 },
    { body: { propagationPolicy: "" }, code: 422 },
    { body: { propagationPolicy: "Orphan", orphanDependents: false }, code: 422 },
    { body: { dryRun: ["None"] }, code: 422 },
    { body: { dryRun: [null] }, code: 422 },
    { body: { dryRun: "All" }, code: 400 },
    { body: { preconditions: [] }, code: 400 },
    { body: { preconditions: { uid: 5 } }, code: 400 },
    { body: { gracePeriodSeconds: 1.5 }, code: 400 },
    { body: { orphanDependents: "yes" }, code: 400 },
    { body: [], code: 400 },
  ])("$body is $code", ({ body, code }) => expect(() => parseDeleteOptions(query(""), body)).toThrow(expect.objectContaining({ code })));
});
