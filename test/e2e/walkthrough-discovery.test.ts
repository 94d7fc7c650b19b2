// How kubectl finds out what is served: discovery, explain, describe, and the raw documents.
import { expect, test } from "vitest";
import { describeKubectl, expectNoPlaintext, parseTable, plaintextOf, token } from "./kubectl-suite.ts";

const TOKEN_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

describeKubectl((context) => {
  const { ok, okWith, fails, newNamespace } = context;
  const raw = async (path: string) => JSON.parse(await ok("get", "--raw", path)) as unknown;

  test("api-resources and api-versions", async () => {
    const resources = parseTable(await ok("api-resources", "--sort-by=name"));
    expect(resources).toEqual([
      { NAME: "clusterranchertokens", SHORTNAMES: "", APIVERSION: "tomlebreux.com/v1", NAMESPACED: "false", KIND: "ClusterRancherToken" },
      { NAME: "clusterrolebindings", SHORTNAMES: "", APIVERSION: "rbac.authorization.k8s.io/v1", NAMESPACED: "false", KIND: "ClusterRoleBinding" },
      { NAME: "clusterroles", SHORTNAMES: "", APIVERSION: "rbac.authorization.k8s.io/v1", NAMESPACED: "false", KIND: "ClusterRole" },
      {
        NAME: "localsubjectaccessreviews",
        SHORTNAMES: "",
        APIVERSION: "authorization.k8s.io/v1",
        NAMESPACED: "true",
        KIND: "LocalSubjectAccessReview",
      },
      { NAME: "namespaces", SHORTNAMES: "ns", APIVERSION: "v1", NAMESPACED: "false", KIND: "Namespace" },
      { NAME: "ranchertokens", SHORTNAMES: "", APIVERSION: "tomlebreux.com/v1", NAMESPACED: "true", KIND: "RancherToken" },
      { NAME: "rolebindings", SHORTNAMES: "", APIVERSION: "rbac.authorization.k8s.io/v1", NAMESPACED: "true", KIND: "RoleBinding" },
      { NAME: "roles", SHORTNAMES: "", APIVERSION: "rbac.authorization.k8s.io/v1", NAMESPACED: "true", KIND: "Role" },
      { NAME: "secrets", SHORTNAMES: "", APIVERSION: "v1", NAMESPACED: "true", KIND: "Secret" },
      {
        NAME: "selfsubjectaccessreviews",
        SHORTNAMES: "",
        APIVERSION: "authorization.k8s.io/v1",
        NAMESPACED: "false",
        KIND: "SelfSubjectAccessReview",
      },
      { NAME: "selfsubjectreviews", SHORTNAMES: "", APIVERSION: "authentication.k8s.io/v1", NAMESPACED: "false", KIND: "SelfSubjectReview" },
      { NAME: "selfsubjectrulesreviews", SHORTNAMES: "", APIVERSION: "authorization.k8s.io/v1", NAMESPACED: "false", KIND: "SelfSubjectRulesReview" },
      { NAME: "serviceaccounts", SHORTNAMES: "sa", APIVERSION: "v1", NAMESPACED: "true", KIND: "ServiceAccount" },
      {
        NAME: "storageversionmigrations",
        SHORTNAMES: "",
        APIVERSION: "storagemigration.k8s.io/v1beta1",
        NAMESPACED: "false",
        KIND: "StorageVersionMigration",
      },
      { NAME: "subjectaccessreviews", SHORTNAMES: "", APIVERSION: "authorization.k8s.io/v1", NAMESPACED: "false", KIND: "SubjectAccessReview" },
      { NAME: "tokenreviews", SHORTNAMES: "", APIVERSION: "authentication.k8s.io/v1", NAMESPACED: "false", KIND: "TokenReview" },
    ]);
    expect(await ok("api-resources", "--api-group=tomlebreux.com", "--verbs=deletecollection", "-o", "name")).toBe(
      "clusterranchertokens.tomlebreux.com\nranchertokens.tomlebreux.com\n",
    );
    expect(await ok("api-versions")).toBe(
      "authentication.k8s.io/v1\nauthorization.k8s.io/v1\nrbac.authorization.k8s.io/v1\nstoragemigration.k8s.io/v1beta1\ntomlebreux.com/v1\ntomlebreux.com/v1alpha1\nv1\n",
    );
  });

  test("explain: the kind, its fields, all the way down", async () => {
    const kind = await ok("explain", "ranchertokens");
    expect(kind).toMatch(/^GROUP: +tomlebreux.com$/m);
    expect(kind).toMatch(/^KIND: +RancherToken$/m);
    expect(kind).toMatch(/^VERSION: +v1$/m);
    expect(kind).toMatch(/^ {2}spec\t<.*Object>|^ {2}spec\t<\S+>/m);
    const recursive = await ok("explain", "ranchertokens", "--recursive");
    for (const field of ["userID", "clusterName", "description", "hash", "plaintextToken", "expiresAt"]) {
      expect(recursive).toMatch(new RegExp(`^ {4}${field}\t<string>`, "m"));
    }
    expect(recursive).toMatch(/^ {4}ttlSeconds\t<integer>$/m);
    expect(recursive).toMatch(/^ {4}enabled\t<boolean>$/m);
    expect(recursive).toMatch(/^ {4}conditions\t<\[\]Object>$/m);
    expect(recursive).toMatch(/^ {4}resourceVersion\t<string>$/m);
    const old = await ok("explain", "ranchertokens", "--recursive", "--api-version=tomlebreux.com/v1alpha1");
    for (const field of ["userID", "clusterName", "ttl", "enabled", "hashedToken", "plaintextToken", "expiresAt"]) {
      expect(old).toMatch(new RegExp(`^ {4}${field}\t<string>`, "m"));
    }
    expect(old).toMatch(/^ {4}healthy\t<boolean>$/m);
    const field = await ok("explain", "ranchertoken.spec.ttl", "--api-version=tomlebreux.com/v1alpha1");
    expect(field).toMatch(/^FIELD: ttl <string>$/m);
    expect(await ok("explain", "ranchertoken.spec.ttlSeconds")).toMatch(/^FIELD: ttlSeconds <integer>$/m);
    expect(field).toMatch(/^DESCRIPTION:\n {4}How long the token is valid, in seconds/m);
    expect(await fails("explain", "ranchertoken.spec.nothing")).toBe('error: field "nothing" does not exist\n');
    expect(await ok("explain", "clusterranchertoken.status.hash")).toMatch(/^FIELD: hash <string>$/m);
    expect(await ok("explain", "secret.data")).toMatch(/^FIELD: data <map\[string\]string>$/m);
    expect(await ok("explain", "namespace.status.phase")).toMatch(/^FIELD: phase <string>$/m);
  });

  test("describe", async () => {
    const namespace = await newNamespace();
    const plaintext = plaintextOf(await okWith(token("a"), "create", "-n", namespace, "-f", "-", "-o", "json"));
    const text = await ok("describe", "ranchertoken", "a", "-n", namespace);
    expect(text).toMatch(/^Name: +a$/m);
    expect(text).toMatch(new RegExp(`^Namespace: +${namespace}$`, "m"));
    expect(text).toMatch(/^API Version: +tomlebreux.com\/v1$/m);
    expect(text).toMatch(/^Kind: +RancherToken$/m);
    expect(text).toMatch(/^ {2}Cluster Name: +my-cluster$/m);
    expect(text).toMatch(/^ {2}Hash: +sha256:/m);
    expect(text).toMatch(/^ {4}Reason: +Usable$/m);
    expectNoPlaintext(text, plaintext);
  });

  test("the raw documents: discovery", async () => {
    expect(await raw("/apis/tomlebreux.com/v1alpha1")).toMatchObject({
      kind: "APIResourceList",
      groupVersion: "tomlebreux.com/v1alpha1",
      resources: expect.arrayContaining([
        expect.objectContaining({ name: "clusterranchertokens", singularName: "clusterranchertoken", namespaced: false, verbs: TOKEN_VERBS }),
        expect.objectContaining({ name: "ranchertokens", singularName: "ranchertoken", namespaced: true, kind: "RancherToken", verbs: TOKEN_VERBS }),
      ]),
    });
    const [v1, v1alpha1] = ["v1", "v1alpha1"].map((version) => ({ groupVersion: `tomlebreux.com/${version}`, version }));
    const group = { name: "tomlebreux.com", versions: [v1, v1alpha1], preferredVersion: v1 };
    expect(await raw("/apis/tomlebreux.com")).toMatchObject({ kind: "APIGroup", apiVersion: "v1", ...group });
    expect(await raw("/apis")).toMatchObject({
      kind: "APIGroupList",
      groups: [...["authentication", "authorization", "rbac.authorization", "storagemigration"].map((name) => ({ name: `${name}.k8s.io` })), group],
    });
    expect(await raw("/api")).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
  });

  test.each(["v1", "v1alpha1"])("the raw documents: OpenAPI of %s", async (version) => {
    const kinds = [{ group: "tomlebreux.com", version, kind: "RancherToken" }];
    const definitions = { [`com.tomlebreux.${version}.RancherToken`]: { "x-kubernetes-group-version-kind": kinds } };
    expect(await raw("/openapi/v2")).toMatchObject({
      swagger: "2.0",
      definitions,
      paths: { [`/apis/tomlebreux.com/${version}/namespaces/{namespace}/ranchertokens`]: { get: { "x-kubernetes-action": "list" } } },
    });
    expect(await raw("/openapi/v3")).toMatchObject({
      paths: { "api/v1": { serverRelativeURL: expect.stringContaining("?hash=") }, [`apis/tomlebreux.com/${version}`]: expect.anything() },
    });
    expect(await raw(`/openapi/v3/apis/tomlebreux.com/${version}`)).toMatchObject({
      openapi: expect.stringMatching(/^3\.0/),
      components: { schemas: definitions },
    });
  });

  test("the raw documents: health, version, metrics; and what is not there", async () => {
    for (const path of ["/healthz", "/livez", "/readyz"]) expect(await ok("get", "--raw", path)).toBe("ok");
    expect(await ok("get", "--raw", "/readyz?verbose")).toMatch(/^\[\+\]ping ok\n[\s\S]*readyz check passed\n$/);
    expect(await ok("get", "--raw", "/livez/ping")).toBe("ok");
    expect(await raw("/version")).toMatchObject({ major: "1", gitVersion: expect.stringMatching(/^v1\.\d+\./) });
    // Old ones warn of the distance between the versions.
    const { stdout } = await context.kubectl(["version", "--output=json"]);
    expect(JSON.parse(stdout)).toMatchObject({ serverVersion: { gitVersion: expect.stringMatching(/^v1\.\d+\./) } });
    expect(await ok("get", "--raw", "/metrics")).toMatch(/^apiserver_request_total\{.*resource="namespaces".*\} \d+$/m);
    expect(await fails("get", "--raw", "/nothing")).toBe("Error from server (NotFound): the server could not find the requested resource\n");
  });

  test("over HTTP/1.1", async () => {
    const namespace = await newNamespace();
    const run = (args: readonly string[], object?: unknown) =>
      context.kubectl(args, { env: { DISABLE_HTTP2: "1" }, ...(object === undefined ? {} : { input: JSON.stringify(object) }) });
    expect(await run(["create", "-n", namespace, "-f", "-"], token("a"))).toMatchObject({
      code: 0,
      stdout: "ranchertoken.tomlebreux.com/a created\n",
    });
    expect(await run(["get", "ranchertokens", "-n", namespace, "-o", "name"])).toMatchObject({ code: 0, stdout: "ranchertoken.tomlebreux.com/a\n" });
    // It says itself that it does without HTTP/2.
    expect(await run(["delete", "ranchertokens", "--all", "-n", namespace])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^ranchertoken.tomlebreux.com "a" deleted/),
      stderr: expect.stringMatching(/^[^\n]*HTTP2 has been explicitly disabled\n$/),
    });
  });

  test("a kind that is not served", async () => {
    expect(await fails("get", "events")).toBe('error: the server doesn\'t have a resource type "events"\n');
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "a" } };
    expect(await context.failsWith(pod, "create", "--validate=false", "-f", "-")).toMatch(
      /resource mapping not found for name: "a" namespace: "" from "STDIN": no matches for kind "Pod" in version "v1"/,
    );
  });
});
