import { type JSONObject, t } from "@annex/apimachinery";
import { defineResource, scaleSubresource } from "@annex/apiserver";
import { ALICE, type Harness, startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { type AdmissionCluster, startAdmissionCluster } from "../../testing/admission-cluster.ts";
import { answerReview, patchAnswer, startWebhookServer, type WebhookServer } from "../../testing/webhook-server.ts";

const spec = { spec: t.object({ color: t.optional(t.string()), size: t.integer({ default: 1 }), tags: t.optional(t.array(t.string())) }) };
const Widget = defineResource({
  group: "example.com",
  kind: "Widget",
  scope: "Namespaced",
  statusSubresource: true,
  subresources: { scale: scaleSubresource({ specReplicasPath: ".spec.size", statusReplicasPath: ".status.size" }) },
  versions: {
    v1: { storage: true, schema: { ...spec, status: t.object({ size: t.optional(t.integer()) }) } },
    v2: {
      schema: {
        spec: t.object({ colour: t.optional(t.string()), size: t.integer({ default: 1 }) }),
        status: t.object({ size: t.optional(t.integer()) }),
      },
      toStorage: ({ spec: { colour, ...rest }, ...object }) => ({ ...object, spec: { ...rest, ...(colour === undefined ? {} : { color: colour }) } }),
      fromStorage: ({ spec: { color, tags: _tags, ...rest }, ...object }) => ({
        ...object,
        spec: { ...rest, ...(color === undefined ? {} : { colour: color }) },
      }),
    },
  },
});
/** Whose conversion counts on what its schema wants. */
const Host = defineResource({
  group: "example.com",
  kind: "Host",
  scope: "Namespaced",
  versions: {
    v1: { storage: true, schema: { spec: t.object({ host: t.string() }) } },
    v2: {
      schema: { spec: t.object({ address: t.string() }) },
      toStorage: ({ spec: { address } }) => ({ spec: { host: address.trim() } }),
      fromStorage: ({ spec: { host } }) => ({ spec: { address: host.trim() } }),
    },
  },
});
const WIDGETS = "/apis/example.com/v1/namespaces/shop/widgets";
const V2 = "/apis/example.com/v2/namespaces/shop/widgets";
const widget = (name: string, fields: object = {}, metadata: object = {}) => ({
  apiVersion: "example.com/v1",
  kind: "Widget",
  metadata: { name, ...metadata },
  spec: { color: "red", ...fields },
});
const EVERYTHING = { operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"], scope: "*" };
const MERGE = { "content-type": "application/merge-patch+json" };

interface Wish {
  readonly path?: string;
  readonly [field: string]: unknown;
}

/** A configuration with one webhook for each wish, named `a.example.com`, `b.example.com` and so on. */
function configuration(server: WebhookServer, name: string, wishes: readonly Wish[]) {
  const webhooks = wishes.map(({ path = "/", ...fields }, index) => ({
    name: `${"abcdef"[index]}.example.com`,
    clientConfig: { service: { namespace: "shop", name: "hooks", path, port: 443 }, caBundle: server.caBundle },
    rules: [EVERYTHING],
    failurePolicy: "Fail",
    matchPolicy: "Equivalent",
    sideEffects: "None",
    timeoutSeconds: 10,
    admissionReviewVersions: ["v1"],
    ...fields,
  }));
  return { metadata: { name, resourceVersion: "1" }, webhooks };
}

interface Wishes {
  readonly mutating?: readonly Wish[];
  readonly validating?: readonly Wish[];
}

interface Started extends AsyncDisposable {
  readonly server: WebhookServer;
  readonly api: Harness;
  readonly cluster: AdmissionCluster;
  /** The paths that were asked. */
  readonly asked: () => string[];
}

async function start({ mutating = [], validating = [] }: Wishes, more: Partial<Parameters<typeof startAdmissionCluster>[0]> = {}): Promise<Started> {
  const server = await startWebhookServer();
  const cluster = await startAdmissionCluster({
    objects: {
      "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations": [configuration(server, "m", mutating)],
      "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations": [configuration(server, "v", validating)],
      "/api/v1/namespaces": [{ metadata: { name: "shop", labels: { team: "shop" } } }, { metadata: { name: "home" } }],
    },
    resolver: () => ({ host: "127.0.0.1", port: server.port }),
    ...more,
  });
  const api = await startHarness([Widget, Host], { admission: cluster.plugins });
  return {
    server,
    cluster,
    api,
    asked: () => server.asked.map(({ path }) => path),
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const create = ({ api }: Started, body: object, path = WIDGETS) => api.request("POST", path, { body });

describe("what a webhook is asked", () => {
  test("an AdmissionReview about a creation", async () => {
    await using started = await start({ validating: [{}] });
    const { server, api } = started;
    const user = { name: "root", uid: "7", groups: ["system:masters", "a, b"], extra: { scopes: ["x", "y"] } };
    const answer = await api.request("POST", `${WIDGETS}?fieldManager=m&fieldValidation=Strict`, { body: widget("one"), user });
    expect(answer.status).toBe(201);
    const [{ review }] = server.asked as [(typeof server.asked)[number]];
    const { uid, object, ...request } = review.request;
    expect(review).toMatchObject({ kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1" });
    expect(uid).toMatch(/^[0-9a-f-]{36}$/);
    const { uid: _uid, ...metadata } = (object as { metadata: Record<string, unknown> }).metadata;
    expect(metadata).toMatchObject({ name: "one", namespace: "shop" });
    expect(object).toMatchObject({ apiVersion: "example.com/v1", kind: "Widget", spec: { color: "red", size: 1 } });
    expect(request).toEqual({
      kind: { group: "example.com", version: "v1", kind: "Widget" },
      resource: { group: "example.com", version: "v1", resource: "widgets" },
      requestKind: { group: "example.com", version: "v1", kind: "Widget" },
      requestResource: { group: "example.com", version: "v1", resource: "widgets" },
      name: "one",
      namespace: "shop",
      operation: "CREATE",
      userInfo: { username: "root", uid: "7", groups: ["system:masters", "a, b"], extra: { scopes: ["x", "y"] } },
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1", fieldManager: "m", fieldValidation: "Strict" },
    });
  });

  test.each<{ what: string; method: string; path: string; body?: object; want: object; isPatch?: boolean }>([
    {
      what: "an update",
      method: "PATCH",
      path: "/one?dryRun=All",
      isPatch: true,
      body: { spec: { size: 2 } },
      want: {
        operation: "UPDATE",
        name: "one",
        dryRun: true,
        object: { spec: { size: 2 } },
        oldObject: { spec: { size: 1 } },
        options: { kind: "UpdateOptions", dryRun: ["All"] },
      },
    },
    {
      what: "a write of status",
      method: "PATCH",
      path: "/one/status",
      isPatch: true,
      body: { status: { size: 2 } },
      want: { operation: "UPDATE", subResource: "status", requestSubResource: "status", kind: { kind: "Widget" }, object: { status: { size: 2 } } },
    },
    {
      what: "a write of scale",
      method: "PATCH",
      path: "/one/scale",
      isPatch: true,
      body: { spec: { replicas: 3 } },
      want: {
        subResource: "scale",
        kind: { group: "autoscaling", version: "v1", kind: "Scale" },
        resource: { group: "example.com", version: "v1", resource: "widgets" },
        object: { kind: "Scale", spec: { replicas: 3 } },
        oldObject: { kind: "Scale" },
      },
    },
    {
      what: "a deletion",
      method: "DELETE",
      path: "/one",
      body: { preconditions: { resourceVersion: "2" }, propagationPolicy: "Background" },
      want: {
        operation: "DELETE",
        name: "one",
        object: null,
        oldObject: { metadata: { name: "one" } },
        options: { kind: "DeleteOptions", apiVersion: "meta.k8s.io/v1", propagationPolicy: "Background", preconditions: { resourceVersion: "2" } },
      },
    },
  ])("$what, mutating ones and validating ones", async ({ method, path, body, want, isPatch = false }) => {
    await using started = await start({ mutating: [{ path: "/m" }], validating: [{ path: "/v" }] });
    const { server, api } = started;
    expect((await create(started, widget("one"))).status).toBe(201);
    server.asked.length = 0;
    const { resourceVersion } = (await api.request("GET", `${WIDGETS}/one`)).json().metadata;
    const sent = method === "DELETE" ? { ...body, preconditions: { resourceVersion } } : body;
    const wanted =
      method === "DELETE" ? { ...want, options: { ...(want as { options: object }).options, preconditions: { resourceVersion } } } : want;
    const answer = await api.request(method, WIDGETS + path, { body: sent, ...(isPatch ? { headers: MERGE } : {}) });
    expect(answer.status, answer.text).toBe(200);
    expect(server.asked.map((asked) => asked.path)).toEqual(["/m", "/v"]);
    for (const { review } of server.asked) expect(review.request).toMatchObject(wanted);
  });

  test.each(["mutating", "validating"])("not about an object that has not the form to be converted for it: %s", async (kind) => {
    await using started = await start({ [kind]: [{ rules: [{ ...EVERYTHING, apiVersions: ["v2"] }] }] });
    const host = (spec: object) => started.api.request("POST", WIDGETS.replace("widgets", "hosts"), { body: { metadata: { name: "a" }, spec } });
    const refused = await host({});
    expect([refused.status, refused.json().message]).toEqual([422, 'Host.example.com "a" is invalid: spec.host: Required value']);
    expect(started.asked()).toEqual([]);
    expect((await host({ host: "h" })).status).toBe(201);
    expect(started.server.asked[0]?.review.request.object).toMatchObject({ apiVersion: "example.com/v2", spec: { address: "h" } });
  });

  test("a deletecollection asks for each object, and names none", async () => {
    await using started = await start({ validating: [{ rules: [{ ...EVERYTHING, operations: ["DELETE"] }] }] });
    const { server, api } = started;
    for (const name of ["a", "b"]) await create(started, widget(name));
    expect((await api.request("DELETE", WIDGETS)).status).toBe(200);
    const requests = server.asked.map(({ review }) => review.request);
    expect(requests.map(({ name }) => name)).toEqual([undefined, undefined]);
    expect(requests.map(({ oldObject }) => (oldObject as { metadata: { name: string } }).metadata.name).sort()).toEqual(["a", "b"]);
  });

  test("a mutating one sees a new object without what the server will decide", async () => {
    await using started = await start({ mutating: [{ path: "/m" }] });
    const { server } = started;
    const answer = await create(started, { ...widget(""), metadata: { generateName: "w-" } });
    expect(answer.json().metadata.name).toMatch(/^w-/);
    const [{ review }] = server.asked as [(typeof server.asked)[number]];
    expect(review.request.name).toBeUndefined();
    expect(Object.keys((review.request.object as { metadata: object }).metadata).sort()).toEqual(["generateName", "managedFields", "namespace"]);
  });

  test("v1beta1, where that is what it takes first", async () => {
    await using started = await start({ validating: [{ admissionReviewVersions: ["v2", "v1beta1", "v1"] }] });
    expect((await create(started, widget("one"))).status).toBe(201);
    expect(started.server.asked[0]?.review.apiVersion).toBe("admission.k8s.io/v1beta1");
  });

  test("all of it over one connection, for a name that the certificate must have", async () => {
    await using started = await start({ mutating: [{}, {}], validating: [{}] });
    for (const name of ["a", "b", "c"]) expect((await create(started, widget(name))).status).toBe(201);
    expect(started.asked()).toHaveLength(9);
    expect(started.server.connections()).toBe(1);
  });
});

describe("which webhooks are asked", () => {
  const conditions = (...expressions: string[]) => expressions.map((expression, index) => ({ name: `c${index}`, expression }));

  test.each<{ what: string; wish: Wish; isAsked: boolean }>([
    { what: "of the group", wish: { rules: [{ ...EVERYTHING, apiGroups: ["example.com"] }] }, isAsked: true },
    { what: "of another group", wish: { rules: [{ ...EVERYTHING, apiGroups: [""] }] }, isAsked: false },
    { what: "of the operation", wish: { rules: [{ ...EVERYTHING, operations: ["UPDATE", "CREATE"] }] }, isAsked: true },
    { what: "of another operation", wish: { rules: [{ ...EVERYTHING, operations: ["UPDATE"] }] }, isAsked: false },
    { what: "of the resource", wish: { rules: [{ ...EVERYTHING, resources: ["gadgets", "widgets"] }] }, isAsked: true },
    { what: "of all resources", wish: { rules: [{ ...EVERYTHING, resources: ["*"] }] }, isAsked: true },
    { what: "of its subresource", wish: { rules: [{ ...EVERYTHING, resources: ["widgets/status", "*/scale"] }] }, isAsked: false },
    { what: "of namespaced kinds", wish: { rules: [{ ...EVERYTHING, scope: "Namespaced" }] }, isAsked: true },
    { what: "of the others", wish: { rules: [{ ...EVERYTHING, scope: "Cluster" }] }, isAsked: false },
    { what: "of the version", wish: { matchPolicy: "Exact", rules: [{ ...EVERYTHING, apiVersions: ["v1"] }] }, isAsked: true },
    { what: "of another version, to the letter", wish: { matchPolicy: "Exact", rules: [{ ...EVERYTHING, apiVersions: ["v2"] }] }, isAsked: false },
    { what: "of an equivalent version", wish: { rules: [{ ...EVERYTHING, apiVersions: ["v2"] }] }, isAsked: true },
    { what: "of a version that is not served", wish: { rules: [{ ...EVERYTHING, apiVersions: ["v3"] }] }, isAsked: false },
    { what: "of such objects", wish: { objectSelector: { matchLabels: { tier: "front" } } }, isAsked: true },
    { what: "of other objects", wish: { objectSelector: { matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] } }, isAsked: false },
    { what: "of such namespaces", wish: { namespaceSelector: { matchLabels: { team: "shop" } } }, isAsked: true },
    { what: "of other namespaces", wish: { namespaceSelector: { matchLabels: { team: "home" } } }, isAsked: false },
    {
      what: "whose conditions hold",
      wish: { matchConditions: conditions("object.spec.color == 'red'", "request.operation == 'CREATE'") },
      isAsked: true,
    },
    { what: "whose condition does not hold", wish: { matchConditions: conditions("true", "object.spec.color == 'blue'") }, isAsked: false },
    {
      what: "whose condition fails, and another does not hold",
      wish: { matchConditions: conditions("object.spec.none == 1", "false") },
      isAsked: false,
    },
    {
      what: "whose condition fails, where that is ignored",
      wish: { failurePolicy: "Ignore", matchConditions: conditions("object.spec.none == 1") },
      isAsked: false,
    },
    {
      what: "whose condition asks the authorizer",
      wish: { matchConditions: conditions("authorizer.group('').resource('pods').namespace(request.namespace).check('get').allowed()") },
      isAsked: true,
    },
  ])("$what: $isAsked", async ({ wish, isAsked }) => {
    await using started = await start({ mutating: [{ path: "/m", ...wish }], validating: [{ path: "/v", ...wish }] });
    const answer = await create(started, widget("one", {}, { labels: { tier: "front" } }));
    expect(answer.status, answer.text).toBe(201);
    expect(started.asked()).toEqual(isAsked ? ["/m", "/v"] : []);
  });

  test("an equivalent version is what it is shown, and what it changes", async () => {
    await using started = await start({
      mutating: [{ path: "/m", rules: [{ ...EVERYTHING, apiVersions: ["v2"] }] }],
      validating: [{ path: "/v", rules: [{ ...EVERYTHING, apiVersions: ["v2"] }] }],
    });
    started.server.answers.set("/m", patchAnswer([{ op: "replace", path: "/spec/colour", value: "green" }]));
    const answer = await create(started, widget("one"));
    expect(answer.json().spec).toEqual({ color: "green", size: 1 });
    const shown = started.server.asked.map(({ review: { request } }) => request);
    expect(shown).toMatchObject([
      { kind: { version: "v2" }, requestKind: { version: "v1" }, object: { apiVersion: "example.com/v2", spec: { colour: "red" } } },
      { resource: { version: "v2" }, requestResource: { version: "v1" }, object: { apiVersion: "example.com/v2", spec: { colour: "green" } } },
    ]);
  });

  test("what it makes of another version is converted", async () => {
    await using started = await start({ mutating: [{ path: "/1" }, { path: "/2" }] });
    const rewritten = [
      { op: "replace", path: "/apiVersion", value: "example.com/v2" },
      { op: "replace", path: "/spec", value: { colour: "green" } },
    ];
    started.server.answers.set("/1", patchAnswer(rewritten));
    const answer = await create(started, widget("one", { size: 5 }));
    expect(answer.json()).toMatchObject({ apiVersion: "example.com/v1", spec: { color: "green", size: 1 } });
    expect(started.server.asked[1]?.review.request.object).toMatchObject({ apiVersion: "example.com/v1", spec: { color: "green", size: 1 } });
  });

  test("a deletion is of the version of its path", async () => {
    await using started = await start({
      validating: [{ matchPolicy: "Exact", rules: [{ ...EVERYTHING, operations: ["DELETE"], apiVersions: ["v2"] }] }],
    });
    await create(started, widget("one"));
    await create(started, widget("two"));
    await started.api.request("DELETE", `${WIDGETS}/one`);
    expect(started.asked()).toEqual([]);
    await started.api.request("DELETE", `${V2}/two`);
    expect(started.server.asked[0]?.review.request.oldObject).toMatchObject({ apiVersion: "example.com/v2", spec: { colour: "red" } });
  });

  test.each([
    {
      what: "conditions that fail refuse the write, unasked",
      wish: { matchConditions: conditions("object.spec.none == 1", "true") },
      want: `widgets.example.com "one" is forbidden: expression 'object.spec.none == 1' resulted in error: no such key: none`,
      code: 403,
    },
    {
      what: "a namespace that nobody knows",
      wish: { namespaceSelector: { matchLabels: { team: "shop" } } },
      path: "/apis/example.com/v1/namespaces/nowhere/widgets",
      want: 'namespaces "nowhere" not found',
      code: 404,
    },
  ])("$what", async ({ wish, want, code, path = WIDGETS }) => {
    await using started = await start({ validating: [wish] });
    const answer = await create(started, widget("one"), path);
    expect(answer.json()).toMatchObject({ code, message: want });
    expect(started.asked()).toEqual([]);
  });
});

describe("what webhooks answer", () => {
  test.each<{ what: string; status?: object; want: object }>([
    { what: "nothing more", want: { code: 400, message: "without explanation" } },
    { what: "a message", status: { message: "no red" }, want: { code: 400, message: ": no red" } },
    { what: "a reason", status: { reason: "TooRed" }, want: { code: 400, reason: "TooRed", message: ": TooRed" } },
    {
      what: "all of a Status",
      status: { code: 422, reason: "Invalid", message: "no red", details: { causes: [{ field: "spec.color", message: "red" }] } },
      want: { code: 422, reason: "Invalid", message: ": no red", details: { causes: [{ field: "spec.color", message: "red" }] } },
    },
    { what: "a code of success", status: { code: 200, status: "Success", message: "?" }, want: { code: 400, message: ": ?" } },
    // However odd, none is a failed call, which the policy may overlook.
    { what: "a code below all", status: { code: -5, message: "?" }, want: { code: 400, message: ": ?" } },
    { what: "the last code of HTTP/2", status: { code: 599, message: "?" }, want: { code: 599, message: ": ?" } },
    { what: "a code beyond those of HTTP/2", status: { code: 600, message: "?" }, want: { code: 400, message: ": ?" } },
    { what: "a code beyond all", status: { code: 99_999, message: "?" }, want: { code: 400, message: ": ?" } },
  ])("a refusal with $what", async ({ status, want }) => {
    const text = (want as { message: string }).message;
    for (const kind of ["mutating", "validating"] as const) {
      await using started = await start({ [kind]: [{ failurePolicy: "Ignore" }] });
      started.server.answers.set("/", { allowed: false, ...(status === undefined ? {} : { status: status as JSONObject }) });
      const answer = await create(started, widget("one"));
      const message = `admission webhook "a.example.com" denied the request${text.startsWith(":") ? "" : " "}${text}`;
      expect(answer.json()).toEqual({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", ...want, message });
      expect(answer.status).toBe(answer.json().code);
      expect((await started.api.request("GET", `${WIDGETS}/one`)).status).toBe(404);
    }
  });

  test("warnings go to the client, annotations to the log", async () => {
    await using started = await start({ mutating: [{ path: "/m" }], validating: [{ path: "/v" }] });
    started.server.answers.set("/m", { allowed: true, warnings: ["mind the gap"], auditAnnotations: { why: "because" } });
    started.server.answers.set("/v", { allowed: false, warnings: ["no"] });
    const answer = await create(started, widget("one"));
    expect(answer.headers.warning).toEqual(['299 - "mind the gap"', '299 - "no"']);
    expect(started.cluster.log.lines).toContainEqual(expect.stringContaining('"annotations":{"a.example.com/why":"because"}'));
  });

  test("patches, one after the other in the order of names; what they make is defaulted, and pruned at last", async () => {
    await using started = await start({ mutating: [{ path: "/1" }, { path: "/2" }] });
    started.server.answers.set(
      "/1",
      patchAnswer([
        { op: "replace", path: "/spec/color", value: "green" },
        { op: "remove", path: "/spec/size" },
        { op: "add", path: "/spec/unknown", value: 1 },
        { op: "add", path: "/metadata/labels", value: { a: "b" } },
      ]),
    );
    started.server.answers.set("/2", patchAnswer([{ op: "add", path: "/spec/tags", value: ["x"] }]));
    const made = (await create(started, widget("one"))).json();
    expect(made.spec).toEqual({ color: "green", size: 1, tags: ["x"] });
    expect(made.metadata.labels).toEqual({ a: "b" });
    expect(started.server.asked[1]?.review.request.object).toMatchObject({
      spec: { color: "green", size: 1, unknown: 1 },
      metadata: { labels: { a: "b" } },
    });
  });

  test.each<{ what: string; policies: readonly string[]; want: string[] }>([
    { what: "asked again when a later one changed the object", policies: ["IfNeeded", "Never"], want: ["/1", "/2", "/1"] },
    { what: "not asked again where it does not want to be", policies: ["Never", "Never"], want: ["/1", "/2"] },
    { what: "not asked again by its own change", policies: ["Never", "IfNeeded"], want: ["/1", "/2"] },
    { what: "both asked again where the second round changes the object anew", policies: ["IfNeeded", "IfNeeded"], want: ["/1", "/2", "/1", "/2"] },
  ])("$what", async ({ policies, want }) => {
    await using started = await start({ mutating: policies.map((reinvocationPolicy, index) => ({ path: `/${index + 1}`, reinvocationPolicy })) });
    for (const path of ["/1", "/2"]) {
      started.server.answers.set(path, (response, review) => {
        const { tags = [] } = (review.request.object as { spec: { tags?: string[] } }).spec;
        answerReview(response, review, patchAnswer([{ op: "add", path: "/spec/tags", value: [...tags, path] }]));
      });
    }
    expect((await create(started, widget("one"))).json().spec.tags).toEqual(want);
    expect(started.asked()).toEqual(want);
  });

  test.each<{ what: string; sideEffects: string; query: string; code: number }>([
    { what: "none", sideEffects: "None", query: "?dryRun=All", code: 201 },
    { what: "none in a dry run", sideEffects: "NoneOnDryRun", query: "?dryRun=All", code: 201 },
    { what: "some", sideEffects: "Some", query: "?dryRun=All", code: 400 },
    { what: "some, in earnest", sideEffects: "Some", query: "", code: 201 },
  ])("side effects: $what", async ({ sideEffects, query, code }) => {
    await using started = await start({ validating: [{ sideEffects, failurePolicy: "Ignore" }] });
    const answer = await create(started, widget("one"), WIDGETS + query);
    expect(answer.status).toBe(code);
    if (code === 400) expect(answer.json().message).toBe('admission webhook "a.example.com" does not support dry run');
    expect(started.asked()).toHaveLength(code === 400 ? 0 : 1);
  });
});

describe("what a patch may not do", () => {
  const outside = "Internal error occurred: ";
  test.each<{ what: string; operations: unknown; code: number; message: string }>([
    {
      what: "reach where nothing is",
      operations: [{ op: "add", path: "/spec/none/deep", value: 1 }],
      code: 500,
      message: `${outside}add operation does not apply: doc is missing path: "/spec/none/deep": missing value`,
    },
    {
      what: "remove what is not there",
      operations: [{ op: "remove", path: "/spec/none" }],
      code: 500,
      message: `${outside}error in remove for path: '/spec/none': Unable to remove nonexistent key: none: missing value`,
    },
    {
      what: "test what is otherwise",
      operations: [{ op: "test", path: "/spec/color", value: "blue" }],
      code: 500,
      message: `${outside}testing value /spec/color failed: test failed`,
    },
    { what: "take the type away", operations: [{ op: "remove", path: "/kind" }], code: 500, message: `${outside}Object 'Kind' is missing in` },
    { what: "make a list of it", operations: [{ op: "replace", path: "", value: [] }], code: 500, message: `${outside}json: cannot unmarshal array` },
    ...[
      { op: "remove", path: "/metadata" },
      { op: "replace", path: "/metadata", value: null },
    ].map((operation) => ({
      what: `take metadata away (${operation.op})`,
      operations: [operation],
      code: 422,
      message: "name or generateName is required",
    })),
    {
      what: "make a text of metadata",
      operations: [{ op: "replace", path: "/metadata", value: "x" }],
      code: 500,
      message: `${outside}what a patch made`,
    },
    ...[
      { at: "labels", value: { a: 1 }, field: "labels of type string", type: "number" },
      { at: "annotations", value: 5, field: "annotations of type map of strings", type: "number" },
      { at: "finalizers", value: [1], field: "finalizers of type string", type: "number" },
      { at: "ownerReferences", value: [{ uid: 5 }], field: "ownerReferences.uid of type string", type: "number" },
      { at: "name", value: 5, field: "name of type string", type: "number" },
    ].map(({ at, value, field, type }) => ({
      what: `give ${at} another type`,
      operations: [{ op: "add", path: `/metadata/${at}`, value }],
      code: 500,
      message: `${outside}json: cannot unmarshal ${type} into field metadata.${field}`,
    })),
    {
      what: "make another version of it",
      operations: [{ op: "replace", path: "/apiVersion", value: "v1" }],
      code: 500,
      message: `${outside}no kind "Widget" is registered for version "v1"`,
    },
    {
      what: "make another version and kind of it",
      operations: [
        { op: "replace", path: "/apiVersion", value: "example.com/v2" },
        { op: "replace", path: "/kind", value: "Gadget" },
      ],
      code: 500,
      message: `${outside}no kind "Gadget" is registered for version "example.com/v2"`,
    },
    { what: "make another kind of it", operations: [{ op: "replace", path: "/kind", value: "Gadget" }], code: 422, message: "Gadget.example.com" },
    {
      what: "move it to another namespace",
      operations: [{ op: "replace", path: "/metadata/namespace", value: "home" }],
      code: 400,
      message: "the namespace of the provided object does not match the namespace sent on the request",
    },
    { what: "break the schema", operations: [{ op: "add", path: "/spec/size", value: "big" }], code: 422, message: "spec.size" },
    { what: "be an operation of its own", operations: [{ op: "burn", path: "/spec" }], code: 500, message: `${outside}Unexpected kind: burn` },
  ])("$what", async ({ operations, code, message }) => {
    await using started = await start({ mutating: [{ failurePolicy: "Ignore" }] });
    started.server.answers.set("/", patchAnswer(operations));
    const answer = await create(started, widget("one"));
    expect(answer.json()).toMatchObject({ code });
    expect(answer.json().message).toContain(message);
    expect((await started.api.request("GET", WIDGETS)).json().items).toEqual([]);
  });

  test("decide what the server decides", async () => {
    await using started = await start({ mutating: [{}] });
    const before = (await create(started, widget("one"))).json().metadata;
    started.server.answers.set(
      "/",
      patchAnswer([
        { op: "add", path: "/metadata/uid", value: "mine" },
        { op: "add", path: "/metadata/creationTimestamp", value: "2001-01-01T00:00:00Z" },
        { op: "add", path: "/metadata/generation", value: 99 },
        { op: "add", path: "/metadata/deletionTimestamp", value: "2001-01-01T00:00:00Z" },
      ]),
    );
    const after = await started.api.request("PATCH", `${WIDGETS}/one`, { body: { spec: { size: 5 } }, headers: MERGE });
    expect(after.json()).toMatchObject({ code: 422 });
    const fields = after.json().details.causes.map(({ field }) => field);
    expect([...new Set(fields)].sort()).toEqual(["metadata.deletionTimestamp", "metadata.uid"]);
    started.server.answers.set("/", patchAnswer([{ op: "add", path: "/metadata/resourceVersion", value: "1" }]));
    const stale = await started.api.request("PATCH", `${WIDGETS}/one`, { body: { spec: { size: 5 } }, headers: MERGE });
    expect(stale.json()).toMatchObject({ code: 409, reason: "Conflict" });
    expect((await started.api.request("GET", `${WIDGETS}/one`)).json().metadata).toEqual(before);
    const made = (await create(started, widget("two"))).json();
    expect(made).toMatchObject({ code: 500, message: "resourceVersion should not be set on objects to be created" });
  });

  test("write more through status than status", async () => {
    await using started = await start({ mutating: [{ rules: [{ ...EVERYTHING, resources: ["widgets/status"] }] }] });
    await create(started, widget("one"));
    started.server.answers.set(
      "/",
      patchAnswer([
        { op: "replace", path: "/spec/color", value: "stolen" },
        { op: "add", path: "/metadata/labels", value: { stolen: "yes" } },
        { op: "add", path: "/status", value: { size: 7 } },
      ]),
    );
    const answer = await started.api.request("PATCH", `${WIDGETS}/one/status`, { body: { status: { size: 1 } }, headers: MERGE });
    expect(answer.json()).toMatchObject({ spec: { color: "red" }, status: { size: 7 } });
    expect(answer.json().metadata.labels).toBeUndefined();
  });

  test("change what is deleted", async () => {
    await using started = await start({ mutating: [{ rules: [{ ...EVERYTHING, operations: ["DELETE"] }], failurePolicy: "Ignore" }] });
    await create(started, widget("one"));
    started.server.answers.set("/", patchAnswer([{ op: "remove", path: "/spec" }]));
    expect((await started.api.request("DELETE", `${WIDGETS}/one`)).json().message).toBe(
      'Internal error occurred: admission webhook "a.example.com" attempted to modify the object, which is not supported for this operation',
    );
    expect((await started.api.request("GET", `${WIDGETS}/one`)).status).toBe(200);
  });
});

const large = "x".repeat(10 * 1024 * 1024);
const post = (seconds: number) => `failed to call webhook: Post "https://hooks.shop.svc:443/?timeout=${seconds}s"`;
const HOSTILE: readonly {
  what: string;
  answer: NonNullable<ReturnType<WebhookServer["answers"]["get"]>>;
  want: string;
  only?: "mutating" | "validating";
  /** 10 where nothing is said. */
  timeoutSeconds?: number;
}[] = [
  { what: "hangs", answer: () => undefined, want: `${post(1)}: context deadline exceeded`, timeoutSeconds: 1 },
  {
    what: "trickles",
    answer: (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(" "), 50);
      response.on("close", () => clearInterval(timer));
    },
    want: `${post(1)}: context deadline exceeded`,
    timeoutSeconds: 1,
  },
  { what: "closes the connection", answer: (response) => void response.destroy(), want: `${post(10)}: EOF` },
  {
    what: "redirects",
    answer: (response) => void response.writeHead(307, { location: "https://127.0.0.1:1/" }).end(),
    want: "failed to call webhook: the server responded with the status code 307 but did not return more information",
  },
  { what: "answers 10 MB", answer: (response, review) => answerReview(response, review, { allowed: true, large }), want: "the answer has more than" },
  {
    what: "says 500",
    answer: (response) => void response.writeHead(500, { "content-type": "text/plain" }).end("on fire"),
    want: 'failed to call webhook: an error on the server ("on fire") has prevented the request from succeeding',
  },
  {
    what: "says why in a Status",
    answer: (response) =>
      void response
        .writeHead(403, { "content-type": "application/json" })
        .end(JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", message: "not you", code: 403 })),
    want: "failed to call webhook: not you",
  },
  {
    what: "says 404",
    answer: (response) => void response.writeHead(404).end(),
    want: "failed to call webhook: the server could not find the requested resource",
  },
  { what: "answers nothing", answer: (response) => void response.writeHead(200).end(), want: "0-length response with status code: 200" },
  { what: "answers garbage", answer: (response) => void response.writeHead(200).end("<html>"), want: "couldn't get version/kind; json parse error" },
  {
    what: "answers a text",
    answer: (response) => void response.writeHead(200).end('"yes"'),
    want: "failed to call webhook: the answer is no object",
  },
  {
    what: "answers without a response",
    answer: (response) => void response.writeHead(200).end('{"allowed":true}'),
    want: "received invalid webhook response: webhook response was absent",
  },
  {
    what: "answers another review",
    answer: (response, review) => answerReview(response, review, { uid: "another", allowed: true }),
    want: 'received invalid webhook response: expected response.uid="',
  },
  {
    what: "answers in another version",
    answer: (response, review) => answerReview(response, { ...review, apiVersion: "admission.k8s.io/v1beta1" }, { allowed: true }),
    want: "received invalid webhook response: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got admission.k8s.io/v1beta1, Kind=AdmissionReview",
  },
  {
    what: "answers with a status of no form",
    answer: { allowed: false, status: { code: "418", message: ["?"] } },
    want: "received invalid webhook response: response.status has fields of other types",
  },
  {
    what: "answers with a code that is none",
    answer: { allowed: false, status: { code: 2 ** 31 } },
    want: "response.status.code is no 32-bit integer",
  },
  { what: "answers neither yes nor no", answer: { allowed: "true" }, want: "failed to call webhook: response.allowed must be a boolean" },
  { what: "answers with warnings that are none", answer: { allowed: true, warnings: [{}] }, want: "response.warnings is no list of texts" },
  {
    what: "answers with a patch that is no base64",
    only: "mutating",
    answer: { allowed: true, patchType: "JSONPatch", patch: "{}" },
    want: "failed to call webhook: illegal base64 data at input byte 0",
  },
  {
    what: "answers with a patch without padding",
    only: "mutating",
    answer: { allowed: true, patchType: "JSONPatch", patch: "W10" },
    want: "failed to call webhook: illegal base64 data at input byte 0",
  },
  {
    what: "answers with a type of patch that is no text",
    only: "mutating",
    answer: { allowed: true, patchType: 5, patch: "W10=" },
    want: "failed to call webhook: response.patchType must be a string",
  },
  {
    what: "answers with a patch that is no list",
    only: "mutating",
    answer: patchAnswer({ op: "add" }),
    want: "received undecodable patch in webhook response",
  },
  {
    what: "answers with a merge patch",
    only: "mutating",
    answer: { ...patchAnswer([{ op: "remove", path: "/spec" }]), patchType: "MergePatch" },
    want: 'unsupported patch type "MergePatch"',
  },
  {
    what: "answers with a patch of no type",
    only: "mutating",
    answer: { allowed: true, patch: "W10=" },
    want: "received invalid webhook response: webhook returned response.patch but not response.patchType",
  },
  {
    what: "changes what it is to validate",
    only: "validating",
    answer: patchAnswer([]),
    want: "received invalid webhook response: validating webhook may not return response.patch",
  },
];

describe("a webhook that fails: the write is refused, or goes on without it, as its policy says", () => {
  test.each(HOSTILE)("one that $what", async ({ answer, want, only, timeoutSeconds = 10 }) => {
    for (const kind of only === undefined ? (["mutating", "validating"] as const) : [only]) {
      await using started = await start({ [kind]: [{ timeoutSeconds, path: "/" }] });
      started.server.answers.set("/", answer);
      const refused = (await create(started, widget("one"))).json();
      expect(refused).toMatchObject({ code: 500, reason: "InternalError" });
      expect(refused.message).toContain(`Internal error occurred: failed calling webhook "a.example.com": `);
      expect(refused.message).toContain(want);
      expect(refused.message.length).toBeLessThan(4096);
      await using ignoring = await start({ [kind]: [{ timeoutSeconds, failurePolicy: "Ignore" }] });
      ignoring.server.answers.set("/", answer);
      expect((await create(ignoring, widget("one"))).json().spec).toEqual({ color: "red", size: 1 });
      expect(ignoring.cluster.log.lines).toContainEqual(
        expect.stringContaining("warn: a webhook of the cluster could not be asked: the write goes on"),
      );
    }
  });

  test.each<{ what: string; client: (server: WebhookServer) => object; want: string }>([
    {
      what: "has a certificate of another name",
      client: ({ caBundle }) => ({ service: { namespace: "shop", name: "other" }, caBundle }),
      want: "x509: certificate is not valid for the name of the webhook",
    },
    {
      what: "has a certificate of another CA",
      client: () => ({ service: { namespace: "shop", name: "hooks" } }),
      want: "x509: certificate signed by unknown authority",
    },
    {
      what: "has a caBundle that is none",
      client: () => ({ service: { namespace: "shop", name: "hooks" }, caBundle: Buffer.from("no PEM").toString("base64") }),
      want: 'Post "https://hooks.shop.svc:443/?timeout=10s": ',
    },
    {
      what: "is not there",
      client: ({ caBundle }) => ({ url: "https://127.0.0.1:1/", caBundle }),
      want: "dial tcp 127.0.0.1:1: connect: connection refused",
    },
    {
      what: "is asked without TLS",
      client: ({ port }) => ({ url: `http://127.0.0.1:${port}/` }),
      want: "webhook configuration must have either service or URL",
    },
  ])("one that $what", async ({ client, want }) => {
    const server = await startWebhookServer();
    await using _server = server;
    await using started = await start(
      { validating: [{ clientConfig: client(server) }] },
      { resolver: () => ({ host: "127.0.0.1", port: server.port }) },
    );
    const refused = (await create(started, widget("one"))).json();
    expect(refused).toMatchObject({ code: 500 });
    expect(refused.message).toContain(want);
    expect(server.asked).toEqual([]);
  });

  test("one at a URL", async () => {
    const server = await startWebhookServer();
    await using _server = server;
    await using started = await start({
      validating: [{ clientConfig: { url: `https://127.0.0.1:${server.port}/path`, caBundle: server.caBundle } }],
    });
    expect((await create(started, widget("one"))).status).toBe(201);
    expect(server.asked.map(({ path }) => path)).toEqual(["/path"]);
  });

  test("one that is too busy is asked again", async () => {
    await using started = await start({ validating: [{}] });
    let count = 0;
    started.server.answers.set("/", (response, review) => {
      if (++count === 1) response.writeHead(429, { "retry-after": "0" }).end();
      else answerReview(response, review, { allowed: true });
    });
    expect((await create(started, widget("one"))).status).toBe(201);
    expect(count).toBe(2);
  });

  test("the refusal of one is heard though others hang", async () => {
    await using started = await start({ validating: [{ path: "/hangs", timeoutSeconds: 1 }, { path: "/no" }] });
    started.server.answers.set("/hangs", () => undefined);
    started.server.answers.set("/no", { allowed: false, status: { message: "no" } });
    expect((await create(started, widget("one"))).json().message).toBe('admission webhook "b.example.com" denied the request: no');
  });

  test("what a client may not do is refused before anybody is asked", async () => {
    await using started = await start({ mutating: [{}] });
    expect((await started.api.request("POST", WIDGETS, { body: widget("one"), user: ALICE })).status).toBe(403);
    expect(started.asked()).toEqual([]);
  });
});
