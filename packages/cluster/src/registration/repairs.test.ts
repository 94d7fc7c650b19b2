import { t } from "@annex/apimachinery";
import { defineResource } from "@annex/apiserver";
import { describe, expect, test } from "vitest";
import { planRepairs } from "../kept-objects/index.ts";
import { type APIService, DEFAULT_PRIORITIES, groupVersionsOf, wantedAPIServices } from "./api-service.ts";
import { API_SERVICE_COMPARISON } from "./repairs.ts";

const service = { namespace: "ns", name: "api", port: 443 };
const GROUPS = [{ group: "a.example.com", versions: ["v1", "v1beta1"] }];
const wanted = wantedAPIServices(GROUPS, service, DEFAULT_PRIORITIES, "PEM");
const [v1, v1beta1] = wanted as [APIService, APIService]; // two versions of one group
const asIfStored = (object: APIService): APIService => ({ ...object, metadata: { ...object.metadata, uid: "u", resourceVersion: "7" } });

function plan(objects: readonly APIService[], wish = wanted) {
  const repairs = planRepairs(wish, new Map(objects.map((object) => [object.metadata.name ?? "", object])), service, API_SERVICE_COMPARISON);
  return repairs.map(({ verb, object, ...rest }) => `${verb} ${object.metadata.name}${"fields" in rest ? ` ${rest.fields}` : ""}`);
}

test("each version has an APIService, and the one that is preferred the highest priority", () => {
  expect(wanted.map(({ metadata, spec }) => [metadata.name, spec.versionPriority, spec.groupPriorityMinimum])).toEqual([
    ["v1.a.example.com", 16, 1000],
    ["v1beta1.a.example.com", 15, 1000],
  ]);
  expect(v1.spec).toMatchObject({ group: "a.example.com", version: "v1", service, caBundle: "UEVN" });
});

describe("versions come in the order of discovery", () => {
  const kind = (name: string, preferredVersion?: "v1alpha1") =>
    defineResource({
      group: "a.example.com",
      kind: name,
      scope: "Cluster",
      ...(preferredVersion === undefined ? {} : { preferredVersion }),
      versions: { v1alpha1: { storage: true, schema: { spec: t.optional(t.unknown()) } } },
    });
  const two = defineResource({
    group: "a.example.com",
    kind: "Two",
    scope: "Cluster",
    versions: {
      v1: { storage: true, schema: { spec: t.optional(t.unknown()) } },
      v1alpha1: { schema: { spec: t.optional(t.unknown()) }, toStorage: (object) => object, fromStorage: (object) => object },
    },
  });
  test.each([
    { resources: [kind("One"), two], want: ["v1", "v1alpha1"] },
    { resources: [kind("One", "v1alpha1"), two], want: ["v1alpha1", "v1"] },
  ])("$want", ({ resources, want }) => expect(groupVersionsOf(resources)).toEqual([{ group: "a.example.com", versions: want }]));
  test("the core group cannot be registered", () => {
    const core = defineResource({ group: "", kind: "Thing", scope: "Cluster", versions: { v1: { schema: { spec: t.optional(t.unknown()) } } } });
    expect(() => groupVersionsOf([core])).toThrow("the core group");
  });
});

const withSpec = (spec: Partial<APIService["spec"]>): APIService => asIfStored({ ...v1, spec: { ...v1.spec, ...spec } });
const unmarked = (object: APIService): APIService => ({ ...object, metadata: { name: object.metadata.name ?? "" } });

describe("what is repaired", () => {
  test.each<{ what: string; present: readonly APIService[]; want: readonly string[] }>([
    { what: "nothing is there", present: [], want: ["create v1.a.example.com", "create v1beta1.a.example.com"] },
    { what: "all is there", present: wanted.map(asIfStored), want: [] },
    {
      what: "edited",
      present: [withSpec({ groupPriorityMinimum: 5, caBundle: "WA==", insecureSkipTLSVerify: true }), asIfStored(v1beta1)],
      want: ["update v1.a.example.com groupPriorityMinimum,caBundle,insecureSkipTLSVerify"],
    },
    {
      what: "sent elsewhere, though still marked as ours",
      present: [withSpec({ service: { ...service, name: "other" } }), asIfStored(v1beta1)],
      want: ["update v1.a.example.com service"],
    },
    {
      what: "made local, though still marked as ours",
      present: [withSpec({ service: null }), asIfStored(v1beta1)],
      want: ["update v1.a.example.com service"],
    },
    {
      what: "without its label",
      present: [asIfStored({ ...v1, metadata: { ...v1.metadata, labels: { more: "x" } } }), asIfStored(v1beta1)],
      want: ["update v1.a.example.com labels"],
    },
    {
      what: "a version that is not served any more",
      present: [...wanted, asIfStored({ ...v1, metadata: { ...v1.metadata, name: "v2.a.example.com" } })],
      want: ["delete v2.a.example.com"],
    },
    {
      what: "being deleted",
      present: [{ ...withSpec({ versionPriority: 1 }), metadata: { ...v1.metadata, deletionTimestamp: "x" } }, v1beta1],
      want: [],
    },
  ])("$what", ({ present, want }) => expect(plan(present)).toEqual(want));

  test("an update keeps what others added, and the resourceVersion that was seen", () => {
    const found = withSpec({ versionPriority: 1 });
    const labels = { ...found.metadata.labels, more: "x" };
    const present = new Map([["v1.a.example.com", { ...found, metadata: { ...found.metadata, labels } }]]);
    const [update] = planRepairs([v1], present, service, API_SERVICE_COMPARISON);
    expect(update?.object.metadata).toEqual({ ...found.metadata, labels });
    expect(update?.object.spec).toEqual(v1.spec);
  });

  test("without a bundle of its own a server leaves that to others", () => {
    const wish = wantedAPIServices(GROUPS, service, DEFAULT_PRIORITIES, undefined);
    expect(plan(wanted, wish)).toEqual([]);
    const [update] = planRepairs(wish, new Map([["v1.a.example.com", withSpec({ versionPriority: 1 })]]), service, API_SERVICE_COMPARISON);
    expect(update?.object.spec.caBundle).toBe(v1.spec.caBundle);
  });
});

describe("what is not touched", () => {
  const elsewhere = { namespace: "ns", name: "other", port: 443 };
  test.each<{ what: string; object: APIService }>([
    { what: "of a CustomResourceDefinition", object: { ...unmarked(v1), spec: { ...v1.spec, service: null } } },
    { what: "of another server", object: { ...unmarked(v1), spec: { ...v1.spec, service: elsewhere } } },
    { what: "of another installation of this server", object: wantedAPIServices(GROUPS, elsewhere, DEFAULT_PRIORITIES, "X")[0] ?? v1 },
    { what: "made by hand, to this Service", object: { ...unmarked(v1), spec: { ...v1.spec, versionPriority: 1 } } },
  ])("$what", ({ object }) => {
    expect(plan([asIfStored(object), v1beta1])).toEqual([]);
    // Nor when the version is not served any more.
    expect(plan([asIfStored(object), v1beta1], [v1beta1])).toEqual([]);
  });
});
