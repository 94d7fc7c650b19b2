import { t } from "@annex/apimachinery";
import { defineResource } from "@annex/apiserver";
import { type Harness, startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { startAdmissionCluster } from "../../testing/admission-cluster.ts";

// What is said of writes in the words of Kubernetes is compared in test/e2e/cluster/policies.test.ts; here is what it does not have.
const Widget = defineResource({
  group: "example.com",
  kind: "Widget",
  scope: "Namespaced",
  versions: {
    v1: { storage: true, schema: { spec: t.object({ color: t.optional(t.string()), size: t.integer({ default: 1 }) }) } },
    v2: {
      schema: { spec: t.object({ colour: t.optional(t.string()), size: t.integer({ default: 1 }) }) },
      toStorage: ({ spec: { colour, ...rest }, ...object }) => ({ ...object, spec: { ...rest, ...(colour === undefined ? {} : { color: colour }) } }),
      fromStorage: ({ spec: { color, ...rest }, ...object }) => ({ ...object, spec: { ...rest, ...(color === undefined ? {} : { colour: color }) } }),
    },
  },
});
const WIDGETS = "/apis/example.com/v1/namespaces/shop/widgets";
const API = "/apis/admissionregistration.k8s.io/v1";
const widget = (name: string, spec: object = { color: "red" }) => ({ apiVersion: "example.com/v1", kind: "Widget", metadata: { name }, spec });
const EVERYTHING = { resourceRules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] }], matchPolicy: "Equivalent" };
const CONFIG_MAPS = { paramKind: { apiVersion: "v1", kind: "ConfigMap" } };
const CORE = { kind: "APIResourceList", resources: [{ name: "configmaps", kind: "ConfigMap", namespaced: true }] };
const configMap = (name: string, color: string) => ({ metadata: { name, namespace: "shop" }, data: { color } });

interface Started extends AsyncDisposable {
  readonly api: Harness;
  readonly lines: readonly string[];
}

async function start(spec: object, binding: object = {}, more: Readonly<Record<string, readonly object[] | undefined>> = {}): Promise<Started> {
  const metadata = { name: "p", resourceVersion: "1" };
  const cluster = await startAdmissionCluster({
    objects: {
      [`${API}/validatingadmissionpolicies`]: [{ metadata, spec: { matchConstraints: EVERYTHING, ...spec } }],
      [`${API}/validatingadmissionpolicybindings`]: [{ metadata, spec: { policyName: "p", validationActions: ["Deny"], ...binding } }],
      "/api/v1/namespaces": [{ metadata: { name: "shop" } }],
      "/api/v1/configmaps": [],
      ...more,
    },
    documents: { "/api/v1": CORE },
  });
  const api = await startHarness([Widget], { admission: cluster.plugins });
  return {
    api,
    lines: cluster.log.lines,
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

const create = ({ api }: Started, body: object) => api.request("POST", WIDGETS, { body });

describe("validating policies", () => {
  test("refuse creations, updates and deletions, and see what was before", async () => {
    await using started = await start({
      validations: [{ expression: "request.operation == 'DELETE' ? oldObject.spec.size < 5 : object.spec.size < 5 || oldObject != null" }],
    });
    expect((await create(started, widget("big", { size: 9 }))).status).toBe(422);
    expect((await create(started, widget("one"))).status).toBe(201);
    const grown = await started.api.request("PATCH", `${WIDGETS}/one`, {
      body: { spec: { size: 9 } },
      headers: { "content-type": "application/merge-patch+json" },
    });
    expect(grown.status).toBe(200);
    const kept = await started.api.request("DELETE", `${WIDGETS}/one`);
    expect(kept.json()).toMatchObject({ code: 422, reason: "Invalid" });
    expect(kept.json().message).toMatch(
      /^widgets.example.com "one" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: failed expression: /,
    );
    expect((await started.api.request("DELETE", WIDGETS)).json().message).toMatch(/^widgets.example.com "Unknown" is forbidden: /);
  });

  test("audit in the log, and annotate", async () => {
    await using started = await start(
      { validations: [{ expression: "false", message: "no" }], auditAnnotations: [{ key: "k", valueExpression: "string(object.spec.color)" }] },
      { validationActions: ["Audit"] },
    );
    expect((await create(started, widget("one"))).status).toBe(201);
    expect(started.lines.filter((line) => line.includes("a write was annotated"))).toEqual([
      expect.stringContaining(
        '"validation.policy.admission.k8s.io/validation_failure":"[{\\"message\\":\\"no\\",\\"policy\\":\\"p\\",\\"binding\\":\\"p\\"',
      ),
      expect.stringContaining('"p/k":"red"'),
    ]);
  });

  test("one that the cluster does not bind says nothing", async () => {
    await using started = await start({ validations: [{ expression: "false" }] }, { policyName: "other" });
    expect((await create(started, widget("one"))).status).toBe(201);
  });

  test("params are followed: those there are, all of them", async () => {
    const spec = {
      ...CONFIG_MAPS,
      validations: [{ expression: "params.data.color != object.spec.color", messageExpression: "string(params.metadata.name)" }],
    };
    const binding = { paramRef: { selector: {}, parameterNotFoundAction: "Deny" } };
    const maps = {
      "/api/v1/configmaps": [
        configMap("a", "blue"),
        configMap("b", "red"),
        { ...configMap("c", "green"), metadata: { name: "c", namespace: "home" } },
      ],
    };
    await using started = await start(spec, binding, maps);
    expect((await create(started, widget("one", { color: "green" }))).status).toBe(201);
    expect((await create(started, widget("two", { color: "red" }))).json().message).toMatch(/denied request: b$/);
  });

  test("too many params are none", async () => {
    const many = Array.from({ length: 10_001 }, (_, index) => configMap(`m${index}`, "red"));
    await using started = await start(
      { ...CONFIG_MAPS, validations: [{ expression: "true" }] },
      { paramRef: { name: "m1", parameterNotFoundAction: "Allow" } },
      { "/api/v1/configmaps": many },
    );
    expect((await create(started, widget("one"))).json().message).toContain("there are more than 10000 objects of paramKind");
  });

  test("a cluster that has no policies yet is asked about none", async () => {
    await using started = await start(
      {},
      {},
      { [`${API}/validatingadmissionpolicies`]: undefined, [`${API}/validatingadmissionpolicybindings`]: undefined },
    );
    expect((await create(started, widget("one"))).status).toBe(201);
  });
});

describe("mutating policies", () => {
  const apply = (expression: string) => ({ mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }] });

  async function startMutating(...policies: readonly object[]): Promise<Harness & AsyncDisposable> {
    const named = policies.map((spec, index) => ({
      metadata: { name: `p${index}`, resourceVersion: "1" },
      spec: { matchConstraints: EVERYTHING, ...spec },
    }));
    const bindings = named.map(({ metadata }) => ({ metadata, spec: { policyName: metadata.name } }));
    const cluster = await startAdmissionCluster({
      objects: {
        [`${API}/mutatingadmissionpolicies`]: named,
        [`${API}/mutatingadmissionpolicybindings`]: bindings,
        "/api/v1/namespaces": [{ metadata: { name: "shop" } }],
      },
    });
    const api = await startHarness([Widget], { admission: cluster.plugins });
    return {
      ...api,
      async [Symbol.asyncDispose]() {
        await api[Symbol.asyncDispose]();
        await cluster[Symbol.asyncDispose]();
      },
    };
  }

  test("each sees what those before it made, and one that wants to is asked again", async () => {
    const grow = apply("Object{spec: Object.spec{size: object.spec.size + 1}}");
    const paint = apply('Object{spec: Object.spec{color: object.spec.size == 2 ? "two" : "other"}}');
    await using api = await startMutating({ ...grow, reinvocationPolicy: "IfNeeded" }, { ...paint, reinvocationPolicy: "Never" });
    const made = (await api.request("POST", WIDGETS, { body: widget("one") })).json();
    expect(made.spec).toEqual({ color: "two", size: 3 });
  });

  test("a deletion changes nothing, an update is one of what it makes", async () => {
    await using api = await startMutating(apply("Object{spec: Object.spec{color: request.operation}}"));
    expect((await api.request("POST", WIDGETS, { body: widget("one") })).json().spec.color).toBe("CREATE");
    const updated = await api.request("PATCH", `${WIDGETS}/one`, {
      body: { spec: { size: 2 } },
      headers: { "content-type": "application/merge-patch+json" },
    });
    expect(updated.json().spec).toEqual({ color: "UPDATE", size: 2 });
    expect((await api.request("DELETE", `${WIDGETS}/one`)).status).toBe(200);
  });

  test("what they make of another version is converted", async () => {
    const expression = `[
      JSONPatch{op: "replace", path: "/apiVersion", value: "example.com/v2"},
      JSONPatch{op: "replace", path: "/spec", value: {"colour": "green"}},
    ]`;
    await using api = await startMutating({ mutations: [{ patchType: "JSONPatch", jsonPatch: { expression } }] });
    const made = (await api.request("POST", WIDGETS, { body: widget("one") })).json();
    expect(made).toMatchObject({ apiVersion: "example.com/v1", spec: { color: "green", size: 1 } });
  });

  test("what they make is validated as what a client sent", async () => {
    await using api = await startMutating({
      mutations: [{ patchType: "JSONPatch", jsonPatch: { expression: '[JSONPatch{op: "replace", path: "/metadata/namespace", value: "home"}]' } }],
    });
    expect((await api.request("POST", WIDGETS, { body: widget("one") })).json()).toMatchObject({
      code: 400,
      message: "the namespace of the provided object does not match the namespace sent on the request",
    });
  });
});
