import type { JSONObject } from "@annex/apimachinery";
import { type Harness, startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { resourceFromCRD } from "./resource-from-crd.ts";

const text = { type: "string" } as const;
const spec = (properties: JSONObject): JSONObject => ({ type: "object", properties });
const scale = { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".status.selector" };

const GADGETS: JSONObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "gadgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "gadgets", kind: "Gadget", listKind: "GadgetSet", shortNames: ["gt"], categories: ["all"] },
    versions: [
      {
        name: "v1alpha1",
        served: true,
        storage: false,
        deprecated: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: { spec: spec({ color: text, old: text }), status: { type: "object", properties: { phase: text } } },
          },
        },
      },
      { name: "v1alpha2", served: false, storage: false, schema: { openAPIV3Schema: { type: "object" } } },
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {}, scale },
        selectableFields: [{ jsonPath: ".spec.color" }],
        additionalPrinterColumns: [
          { name: "Color", type: "string", jsonPath: ".spec.color" },
          { name: "Phase", type: "string", jsonPath: ".status.phase", priority: 1 },
        ],
        schema: {
          openAPIV3Schema: {
            type: "object",
            description: "A gadget.",
            required: ["spec"],
            properties: {
              spec: spec({
                color: { ...text, enum: ["red", "blue"], default: "red" },
                size: { type: "integer", "x-kubernetes-validations": [{ rule: "self > 0" }] },
                replicas: { type: "integer" },
                template: { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
              }),
              status: {
                type: "object",
                default: { phase: "New" },
                properties: { phase: { ...text, enum: ["New", "Old"] }, replicas: { type: "integer" }, selector: text },
              },
            },
          },
        },
      },
    ],
  },
};

const PATH = "/apis/example.com/v1/namespaces/default/gadgets";
const OLD = PATH.replace("v1", "v1alpha1");
const gadget = (name: string, own: object = {}, version = "v1") => ({
  apiVersion: `example.com/${version}`,
  kind: "Gadget",
  metadata: { name },
  ...own,
});

/** A definition with this schema alone. */
const gadgetsOf = (root: JSONObject): JSONObject => ({
  ...GADGETS,
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "gadgets", kind: "Gadget" },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: root } }],
  },
});

async function serve(): Promise<Harness> {
  return startHarness([resourceFromCRD(GADGETS)]);
}

describe("versions", () => {
  test("are converted by their schemas: what one does not know is lost in it, what storage defaults is in all that know it", async () => {
    await using server = await serve();
    const made = (await server.request("POST", OLD, { body: gadget("a", { spec: { old: "x" } }, "v1alpha1") })).json();
    expect(made).toMatchObject({ apiVersion: "example.com/v1alpha1", spec: { color: "red" } });
    expect(made.spec).not.toHaveProperty("old");
    await server.request("POST", PATH, { body: gadget("b", { spec: { color: "blue", size: 1 } }) });
    expect((await server.request("GET", `${OLD}/b`)).json().spec).toEqual({ color: "blue" });
    expect((await server.request("GET", `${PATH}/b`)).json().spec).toEqual({ color: "blue", size: 1 });
  });

  test("that are not served are nowhere; that are deprecated name the better one", async () => {
    await using server = await serve();
    expect((await server.request("GET", PATH.replace("v1", "v1alpha2"))).status).toBe(404);
    expect((await server.request("GET", "/apis/example.com")).json().versions).toEqual([
      { groupVersion: "example.com/v1", version: "v1" },
      { groupVersion: "example.com/v1alpha1", version: "v1alpha1" },
    ]);
    expect((await server.request("GET", OLD)).headers.warning).toEqual([
      '299 - "example.com/v1alpha1 Gadget is deprecated; use example.com/v1 Gadget"',
    ]);
  });

  test("may be unserved all of them, and then the group is absent", async () => {
    const { spec: whole, ...rest } = GADGETS as unknown as { readonly spec: { readonly versions: readonly JSONObject[] } };
    const unserved = { ...rest, spec: { ...whole, versions: whole.versions.map((version) => ({ ...version, served: false })) } };
    await using server = await startHarness([resourceFromCRD(unserved as unknown as JSONObject)]);
    expect((await server.request("GET", "/apis")).json().groups).toEqual([]);
    expect((await server.request("GET", PATH)).status).toBe(404);
  });

  test("have selectable fields, columns and subresources of their own", async () => {
    await using server = await serve();
    await server.request("POST", PATH, { body: gadget("a", { spec: { color: "blue" } }) });
    expect((await server.request("GET", `${PATH}?fieldSelector=spec.color%3Dblue`)).json().items).toHaveLength(1);
    expect((await server.request("GET", `${OLD}?fieldSelector=spec.color%3Dblue`)).json().message).toContain("field label not supported: spec.color");
    const table = async (path: string) =>
      (await server.request("GET", path, { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } })).json();
    expect((await table(PATH)).columnDefinitions.map(({ name, priority }) => [name, priority])).toEqual([
      ["Name", 0],
      ["Color", 0],
      ["Phase", 1],
    ]);
    expect((await table(OLD)).columnDefinitions.map(({ name }) => name)).toEqual(["Name", "Age"]);
    const below = async (version: string) => (await server.request("GET", `/apis/example.com/${version}`)).json().resources;
    expect(await below("v1")).toMatchObject([
      { name: "gadgets", shortNames: ["gt"], categories: ["all"] },
      { name: "gadgets/status" },
      { name: "gadgets/scale" },
    ]);
    expect(await below("v1alpha1")).toHaveLength(1);
    // Without the subresource, status is a field like any other.
    const patch = { body: { status: { phase: "Old" } }, headers: { "content-type": "application/merge-patch+json" } };
    expect((await server.request("PATCH", `${OLD}/a`, patch)).json()).toMatchObject({ status: { phase: "Old" }, metadata: { generation: 2 } });
    expect((await server.request("PATCH", `${PATH}/a`, { ...patch, body: { status: { phase: "New" } } })).json().status).toEqual({ phase: "Old" });
  });
});

describe("objects", () => {
  test("begin with the status that the schema defaults, whatever was sent", async () => {
    await using server = await serve();
    expect((await server.request("POST", PATH, { body: gadget("a", { spec: {}, status: { phase: "Old" } }) })).json().status).toEqual({
      phase: "New",
    });
  });

  test("of a wrong form are refused; that rules were not tried is told", async () => {
    await using server = await serve();
    const wrong = (await server.request("POST", PATH, { body: gadget("a", { spec: { color: "green" } }) })).json();
    expect(wrong.details.causes).toMatchObject([
      { field: "spec.color", message: 'Unsupported value: "green": supported values: "red", "blue"' },
      { field: "<nil>", message: expect.stringContaining("some validation rules were not checked") },
    ]);
    expect((await server.request("POST", PATH, { body: gadget("", { spec: {} }) })).json().details.causes.map(({ field }) => field)).toEqual([
      "metadata.name",
      "<nil>",
    ]);
    const ofStatus = { body: { status: { phase: "Odd" } }, headers: { "content-type": "application/merge-patch+json" } };
    await server.request("POST", PATH, { body: gadget("a", { spec: {} }) });
    expect((await server.request("PATCH", `${PATH}/a/status`, ofStatus)).json().details.causes[0]?.field).toBe("status.phase");
  });

  test.each([
    {
      body: { metadata: { name: "a" } },
      want: /^the object provided is unrecognized \(must be of type Gadget\): Object 'Kind' is missing in '\{"metadata":\{"name":"a"\}\}'/,
    },
    {
      body: { metadata: { name: "a" } },
      query: "?fieldValidation=Ignore",
      want: `Gadget in version "v1" cannot be handled as a Gadget: Object 'Kind' is missing in '{"metadata":{"name":"a"}}'`,
    },
    { body: { kind: "Gadget" }, want: "the API version in the data () does not match the expected API version (example.com/v1)" },
    {
      body: { kind: "Gadget", apiVersion: null },
      want: 'Gadget in version "" cannot be handled as a Gadget: .apiVersion accessor error: <nil> is of the type <nil>, expected string',
    },
    { body: { ...gadget("a"), kind: "Widget" }, want: 'Widget.example.com "a" is invalid: kind: Invalid value: "Widget": must be Gadget' },
    { body: gadget("a", { spec: { template: { apiVersion: 1 } } }), want: /spec\.template\.apiVersion: Invalid value: 1: must be a string$/ },
    {
      body: gadget("a", { spec: { template: { metadata: { labels: { a: 1 } } } } }),
      want: /spec\.template\.metadata: Invalid value: .*cannot unmarshal/,
    },
    {
      body: gadget("a", { spec: { template: { apiVersion: "v1", kind: "P", metadata: { name: "A/B" } } } }),
      want: `Gadget.example.com "a" is invalid: spec.template.metadata.name: Invalid value: "A/B": may not contain '/'`,
    },
  ])("that cannot be read: $want", async ({ body, query = "", want }) => {
    await using server = await serve();
    const { message } = (await server.request("POST", PATH + query, { body })).json();
    expect(message).toEqual(want instanceof RegExp ? expect.stringMatching(want) : want);
  });

  test("within objects have metadata like any other", async () => {
    await using server = await serve();
    const metadata = { name: "p", labels: {}, creationTimestamp: null, oddity: 1 };
    const answer = await server.request("POST", PATH, { body: gadget("a", { spec: { template: { apiVersion: "v1", kind: "P", metadata, x: 1 } } }) });
    expect(answer.json().spec.template).toEqual({ apiVersion: "v1", kind: "P", metadata: { name: "p" }, x: 1 });
    expect(answer.headers.warning).toEqual(['299 - "unknown field \\"spec.template.metadata.oddity\\""']);
    expect(answer.json().metadata.managedFields).toHaveLength(1);
  });
});

describe("a patch or update that says another type", () => {
  const json = { "content-type": "application/merge-patch+json" };
  async function withGadget(): Promise<Harness> {
    const server = await serve();
    await server.request("POST", `${PATH}?fieldManager=one`, { body: gadget("a", { spec: { color: "red" } }) });
    await server.request("PATCH", `${PATH}/a/status?fieldManager=one`, { body: { status: { phase: "Old" } }, headers: json });
    return server;
  }

  test.each<{ patch: object; kind: string; causes: object[] }>([
    { patch: { kind: "Other" }, kind: "Other", causes: [{ field: "kind", message: 'Invalid value: "Other": must be Gadget' }] },
    {
      patch: { apiVersion: "example.com/v1alpha1" },
      kind: "Gadget",
      causes: [{ field: "apiVersion", message: 'Invalid value: "example.com/v1alpha1": must be example.com/v1' }],
    },
    { patch: { apiVersion: "example.com/v9", kind: "Other", spec: { odd: 1 } }, kind: "Other", causes: [{ field: "kind" }, { field: "apiVersion" }] },
  ])("is refused of the whole object: $patch", async ({ patch, kind, causes }) => {
    await using server = await withGadget();
    const refused = (await server.request("PATCH", `${PATH}/a`, { body: patch, headers: json })).json();
    expect(refused).toMatchObject({ code: 422, details: { group: "example.com", kind, name: "a", causes } });
  });

  test.each<{ patch: object }>([{ patch: { kind: null } }, { patch: { apiVersion: null } }, { patch: { apiVersion: "a/b/c" } }])(
    "or no type at all, cannot be read: $patch",
    async ({ patch }) => {
      await using server = await withGadget();
      for (const path of [`${PATH}/a`, `${PATH}/a/status`]) {
        const refused = (await server.request("PATCH", path, { body: patch, headers: json })).json();
        expect(refused).toMatchObject({ code: 422, details: { causes: [{ field: "patch" }] } });
      }
    },
  );

  test("writes status as it was read: of another version converted, of an unknown one nothing is known", async () => {
    await using server = await withGadget();
    const patch = async (body: object) =>
      (await server.request("PATCH", `${PATH}/a/status?dryRun=All&fieldManager=two`, { body, headers: json })).json();
    const owners = ({ metadata: { managedFields = [] } }: Awaited<ReturnType<typeof patch>>) => managedFields.map(({ manager }) => manager);
    const converted = await patch({ apiVersion: "example.com/v1alpha1", status: { phase: "New" } });
    expect(converted).toMatchObject({ apiVersion: "example.com/v1", kind: "Gadget", spec: { color: "red" }, status: { phase: "New" } });
    expect(owners(converted)).toEqual(["one", "two"]);
    const unknown = await patch({ apiVersion: "example.com/v9", status: { phase: "New" } });
    expect(unknown).toMatchObject({ apiVersion: "example.com/v1", spec: { color: "red" } });
    expect([unknown.status, owners(unknown)]).toEqual([undefined, []]);
    const other = await patch({ kind: "Other", status: { phase: "New" } });
    expect(other).toMatchObject({ kind: "Gadget", status: { phase: "New" } });
    expect(owners(other)).toEqual([]);
  });

  test("is looked for before it is refused", async () => {
    await using server = await serve();
    const put = await server.request("PUT", `${PATH}/a`, { body: { ...gadget("a"), kind: "Other", metadata: { name: "a", resourceVersion: "5" } } });
    expect(put.status).toBe(404);
  });
});

describe("who owns what", () => {
  const json = { "content-type": "application/merge-patch+json" };

  test("status is not the main resource's to own, and is taken only from who wrote it in another version", async () => {
    await using server = await serve();
    const made = (await server.request("POST", `${PATH}?fieldManager=one`, { body: gadget("a", { spec: {}, status: { phase: "Old" } }) })).json();
    expect(made.metadata.managedFields.map(({ fieldsV1 }) => Object.keys(fieldsV1))).toEqual([["f:spec"]]);
    await server.request("PATCH", `${PATH}/a/status?fieldManager=two`, { body: { status: { phase: "Old" } }, headers: json });
    const changed = await server.request("PATCH", `${PATH}/a?fieldManager=three`, {
      body: { status: { phase: "New" }, spec: { size: 1 } },
      headers: json,
    });
    const fields = changed.json().metadata.managedFields.map(({ manager, fieldsV1 }) => [manager, Object.keys(fieldsV1)]);
    expect(Object.fromEntries(fields)).toEqual({ one: ["f:spec"], two: ["f:status"], three: ["f:spec"] });
  });

  test("a nullable status stays null once an apply made it so", async () => {
    const nullable = structuredClone(GADGETS) as { spec: { versions: { schema: { openAPIV3Schema: { properties?: JSONObject } } }[] } };
    const schema = nullable.spec.versions[2]?.schema.openAPIV3Schema ?? {};
    schema.properties = { ...schema.properties, status: { type: "object", nullable: true, properties: { phase: text } } };
    await using server = await startHarness([resourceFromCRD(nullable as unknown as JSONObject)]);
    await server.request("POST", PATH, { body: gadget("a", { spec: {} }) });
    const apply = { body: gadget("a", { status: null }), headers: { "content-type": "application/apply-patch+yaml" } };
    expect((await server.request("PATCH", `${PATH}/a/status?fieldManager=one`, apply)).json().status).toBeNull();
    expect((await server.request("GET", `${PATH}/a`)).json().status).toBeNull();
    const patch = { body: { spec: { size: 2 } }, headers: { "content-type": "application/merge-patch+json" } };
    expect((await server.request("PATCH", `${PATH}/a`, patch)).json()).toMatchObject({ spec: { size: 2 }, status: null });
  });

  test("an object that is created with a status of another form has no managers", async () => {
    await using server = await serve();
    const { metadata, status } = (await server.request("POST", PATH, { body: gadget("a", { spec: {}, status: 5 }) })).json();
    expect([metadata.managedFields, status]).toEqual([undefined, { phase: "New" }]);
  });

  test("an empty list of managers is none, an empty manager clears them; so does one of an unknown version", async () => {
    await using server = await serve();
    await server.request("POST", PATH, { body: gadget("a", { spec: {} }) });
    const managers = async (managedFields: readonly object[], more: object = {}) => {
      const body = { metadata: { managedFields }, ...more };
      const { metadata } = (await server.request("PATCH", `${PATH}/a?dryRun=All`, { body, headers: json })).json();
      return (metadata.managedFields ?? []).length;
    };
    const entry = { manager: "x", operation: "Update", fieldsType: "FieldsV1", fieldsV1: { "f:spec": { "f:size": {} } } };
    expect(await managers([])).toBe(1);
    expect(await managers([{}])).toBe(0);
    expect(await managers([{ ...entry, apiVersion: "example.com/v1" }])).toBe(1);
    expect(
      await managers(
        [
          { ...entry, apiVersion: "example.com/v1" },
          { ...entry, apiVersion: "example.com/v9" },
        ],
        { spec: { size: 2 } },
      ),
    ).toBe(0);
  });
});

test("finalizers without a domain are warned of when they are new", async () => {
  await using server = await serve();
  const finalizers = ["example.com/ok", "plain", "example.com", "orphan", "plain"];
  const made = await server.request("POST", PATH, { body: { ...gadget("a", { spec: {} }), metadata: { name: "a", finalizers } } });
  const prefer = "to avoid accidental conflicts with other finalizer writers";
  expect(made.headers.warning).toEqual([
    `299 - "metadata.finalizers: \\"example.com\\": prefer a domain-qualified finalizer name including a path (/) ${prefer}"`,
    `299 - "metadata.finalizers: \\"plain\\": prefer a domain-qualified finalizer name ${prefer}"`,
  ]);
  const patch = { body: { metadata: { labels: { a: "b" } } }, headers: { "content-type": "application/merge-patch+json" } };
  expect((await server.request("PATCH", `${PATH}/a`, patch)).headers.warning).toBeUndefined();
});

describe("answers", () => {
  const as = (kind: string) => ({ headers: { accept: `application/json;as=${kind};v=v1;g=meta.k8s.io` } });

  test("a list is refused the form of an object when all else is right", async () => {
    await using server = await serve();
    expect((await server.request("GET", `${PATH}?fieldSelector=spec.none%3Da`, as("PartialObjectMetadata"))).status).toBe(400);
    expect((await server.request("GET", PATH, as("PartialObjectMetadata"))).status).toBe(406);
    expect((await server.request("GET", `${PATH}/a`, as("PartialObjectMetadataList"))).status).toBe(404);
  });

  test("a write is refused the form of a list before it is done", async () => {
    await using server = await serve();
    expect((await server.request("POST", PATH, { body: gadget("a", { spec: {} }), ...as("PartialObjectMetadataList") })).status).toBe(406);
    expect((await server.request("DELETE", PATH, as("PartialObjectMetadata"))).status).toBe(406);
    expect((await server.request("GET", `${PATH}/a`)).status).toBe(404);
  });

  test("the table of a dry run says no revision", async () => {
    await using server = await serve();
    const table = (await server.request("POST", `${PATH}?dryRun=All`, { body: gadget("a", { spec: {} }), ...as("Table") })).json();
    expect(table.metadata).toEqual({});
  });

  test("faults of metadata are told by all who check an update", async () => {
    await using server = await serve();
    await server.request("POST", PATH, { body: gadget("a", { spec: {} }) });
    const patch = { body: { metadata: { annotations: { "": "1" } } }, headers: { "content-type": "application/merge-patch+json" } };
    const { details } = (await server.request("PATCH", `${PATH}/a`, patch)).json();
    expect(details.causes.filter(({ message }) => message === 'Invalid value: "": name part must be non-empty')).toHaveLength(3);
  });

  test("a deprecated version is warned of with a patch of an unknown type, too", async () => {
    await using server = await serve();
    const patch = { body: {}, headers: { "content-type": "application/strategic-merge-patch+json" } };
    const refused = await server.request("PATCH", `${OLD}/a`, patch);
    expect([refused.status, refused.headers.warning?.length]).toEqual([415, 1]);
  });
});

describe("the scale", () => {
  const put = (replicas: number, metadata: object = {}) => ({
    body: { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "a", ...metadata }, spec: { replicas } },
  });

  test("shows and writes the fields that its paths name", async () => {
    await using server = await serve();
    await server.request("POST", PATH, { body: gadget("a", { spec: { color: "blue", replicas: 1 } }) });
    expect((await server.request("PUT", `${PATH}/a/scale`, put(3))).json().spec).toEqual({ replicas: 3 });
    expect((await server.request("GET", `${PATH}/a/scale`)).json()).toMatchObject({ kind: "Scale", spec: { replicas: 3 }, status: { replicas: 0 } });
    const { spec: own, metadata } = (await server.request("GET", `${PATH}/a`)).json();
    expect([own, metadata.generation]).toEqual([{ color: "blue", replicas: 3 }, 2]);
    expect(metadata.managedFields.filter(({ subresource }) => subresource === "scale")).toEqual([
      {
        manager: "harness",
        operation: "Update",
        apiVersion: "example.com/v1",
        fieldsType: "FieldsV1",
        fieldsV1: { "f:spec": { "f:replicas": {} } },
        subresource: "scale",
      },
    ]);
  });

  test("is refused what it cannot be", async () => {
    await using server = await serve();
    await server.request("POST", PATH, { body: gadget("a", { spec: {} }) });
    const merge = { body: {}, headers: { "content-type": "application/merge-patch+json" } };
    expect((await server.request("PATCH", `${PATH}/a/scale`, merge)).json().message).toBe('the spec replicas field ".spec.replicas" cannot be empty');
    expect((await server.request("PUT", `${PATH}/a/scale`, put(-1))).json().message).toBe(
      'Gadget.example.com "a" is invalid: .spec.replicas: Invalid value: -1: should be a non-negative integer',
    );
    expect((await server.request("PUT", `${PATH}/a/scale`, put(1, { resourceVersion: "1" }))).json()).toMatchObject({
      code: 409,
      reason: "Conflict",
    });
    expect((await server.request("PUT", `${PATH}/a/scale`, put(1, { uid: "other" }))).json()).toMatchObject({ code: 409 });
    expect((await server.request("PUT", `${OLD}/a/scale`, put(1))).status).toBe(404);
  });
});

// What kube-apiserver takes, though no author would write it, must not end in a 500.
test.each<{ root: JSONObject; own: object; code: number }>([
  { root: { "x-kubernetes-preserve-unknown-fields": true }, own: { a: { b: [1, null] } }, code: 201 },
  { root: { type: "object", "x-kubernetes-preserve-unknown-fields": true }, own: { a: { b: [1] } }, code: 201 },
  { root: { type: "object" }, own: {}, code: 201 },
  { root: { type: "object", properties: { spec: { ...text, items: text, properties: { a: text } } } }, own: { spec: "x" }, code: 201 },
  { root: { type: "object", properties: { spec: { ...text, items: text, properties: { a: text } } } }, own: { spec: { a: "x" } }, code: 422 },
  { root: { type: "object", properties: { spec: { ...text, "x-kubernetes-int-or-string": true } } }, own: { spec: 1 }, code: 201 },
  {
    root: { type: "object", properties: { spec: { type: "object", additionalProperties: true, properties: { a: text } } } },
    own: { spec: { b: {} } },
    code: 201,
  },
  { root: { type: "object", properties: { spec: { type: "object", additionalProperties: false } } }, own: { spec: {} }, code: 201 },
  { root: { type: "object", properties: { spec: { type: "number", multipleOf: 0, minimum: 3, maximum: 1 } } }, own: { spec: 2 }, code: 422 },
  { root: { type: "object", properties: { spec: { ...text, default: "" } } }, own: {}, code: 201 },
])("objects of $root", async ({ root, own, code }) => {
  await using server = await startHarness([resourceFromCRD(gadgetsOf(root))]);
  const made = await server.request("POST", PATH, { body: gadget("a", own) });
  expect([made.status, server.log], made.text).toEqual([code, []]);
  const headers = { "content-type": "application/merge-patch+json" };
  if (code === 201) expect((await server.request("PATCH", `${PATH}/a`, { body: { metadata: { labels: { a: "b" } } }, headers })).status).toBe(200);
  for (const path of ["/openapi/v2", "/openapi/v3/apis/example.com/v1"]) expect((await server.request("GET", path)).status).toBe(200);
});

// Asked of kube-apiserver 1.36.
test("what additionalProperties: false forbids is refused, not pruned", async () => {
  const closed = { type: "object", additionalProperties: false };
  const properties = { closed, kept: { ...closed, "x-kubernetes-preserve-unknown-fields": true }, list: { type: "array", items: closed } };
  const root = { type: "object", properties: { spec: { type: "object", properties } } };
  await using server = await startHarness([resourceFromCRD(gadgetsOf(root))]);
  const forbidden = (path: string, name: string) => {
    const sentence = `Invalid value: "${name}": spec.${path}.${name} in body is a forbidden property`;
    return { code: 422, message: `Gadget.example.com "a" is invalid: spec.${path}: ${sentence}` };
  };
  const create = async (spec: object) => await server.request("POST", PATH, { body: gadget("a", { spec }) });
  expect((await create({ closed: { a: 1 } })).json()).toMatchObject(forbidden("closed", "a"));
  expect((await create({ closed: { a: null } })).json()).toMatchObject(forbidden("closed", "a"));
  expect((await create({ kept: { a: { b: 1 } } })).json()).toMatchObject(forbidden("kept", "a"));
  expect((await create({ list: [{}, { a: 1 }] })).json()).toMatchObject(forbidden("list[1]", "a"));
  expect((await create({ closed: {} })).status).toBe(201);
  const patched = async (type: string, body: object) =>
    (await server.request("PATCH", `${PATH}/a?fieldManager=me`, { body, headers: { "content-type": type } })).json();
  expect(await patched("application/merge-patch+json", { spec: { closed: { a: 1 } } })).toMatchObject(forbidden("closed", "a"));
  expect(await patched("application/apply-patch+yaml", gadget("a", { spec: { closed: { a: 1 } } }))).toMatchObject({
    code: 400, // 500 in Go
    message: expect.stringMatching(/: \.spec\.closed\.a: field not declared in schema$/),
  });
  expect((await server.request("GET", `${PATH}/a`)).json().spec).toEqual({ closed: {} });
});

test("what an apply leaves that cannot be is refused by validation: nulls, and types of objects within the object", async () => {
  const spec = {
    type: "object",
    properties: {
      traits: { type: "object", additionalProperties: { type: "string" } },
      template: { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
      named: { type: "object", "x-kubernetes-embedded-resource": true, properties: { metadata: { type: "object" } } },
      anything: { "x-kubernetes-preserve-unknown-fields": true },
    },
  };
  const crd = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "boxes.example.com" },
    spec: {
      group: "example.com",
      scope: "Cluster",
      names: { kind: "Box", plural: "boxes" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", properties: { spec } } } }],
    },
  };
  await using server = await startHarness([resourceFromCRD(crd)]);
  const apply = (fields: object) =>
    server.request("PATCH", "/apis/example.com/v1/boxes/a?fieldManager=me", {
      headers: { "content-type": "application/apply-patch+yaml" },
      body: { apiVersion: "example.com/v1", kind: "Box", metadata: { name: "a" }, ...fields },
    });
  const template = await apply({ spec: { template: { apiVersion: null, kind: "T" } } });
  expect(template.json().message).toBe('Box.example.com "a" is invalid: spec.template.apiVersion: Invalid value: null: must be a string');
  const { spec: made } = (
    await apply({ spec: { traits: { a: "1" }, template: { apiVersion: "v1", kind: "T", metadata: { labels: { a: null } } } } })
  ).json();
  expect(made).toEqual({ traits: { a: "1" }, template: { apiVersion: "v1", kind: "T", metadata: { labels: { a: "" } } } });
  // Kubernetes leaves a null where all of a map was taken away, and then refuses it.
  const emptied = await apply({ spec: {} });
  expect(emptied.json().message).toBe('Box.example.com "a" is invalid: spec: Invalid value: "null": spec in body must be of type object: "null"');
  // A null that is of no wrong type goes, and is owned.
  const { metadata, spec: left } = (await apply({ spec: { traits: { a: "1" }, anything: null } })).json();
  expect([left, metadata.managedFields[0]?.fieldsV1]).toEqual([
    { traits: { a: "1" } },
    { "f:spec": { "f:anything": {}, "f:traits": { "f:a": {} } } },
  ]);
  // What no client has a say in is not looked at.
  const stamped = { metadata: { name: "a", creationTimestamp: "never", generation: 1.5 }, spec: { traits: { a: "1" } } };
  const again = (await apply(stamped)).json();
  expect([again.metadata.creationTimestamp, again.metadata.generation]).toEqual([metadata.creationTimestamp, metadata.generation]);
  // Null for metadata that the schema knows is none; for metadata of which it says nothing it is read as metadata.
  const types = { apiVersion: "v1", kind: "T", metadata: null };
  const nulls = { apiVersion: "example.com/v1", kind: "Box", metadata: { name: "b" }, spec: { named: types, template: types } };
  const { spec: read } = (await server.request("POST", "/apis/example.com/v1/boxes", { body: nulls })).json();
  expect(read).toEqual({ named: { apiVersion: "v1", kind: "T" }, template: { ...types, metadata: {} } });
});
