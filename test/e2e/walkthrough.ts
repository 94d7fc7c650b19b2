// The proof of concept's walkthrough, line by line, and what it could not do: alone on a machine, and in a cluster.
import { expect, test } from "vitest";
import { expectNoPlaintext, type KubectlContext, parseObject, parseTable, plaintextOf, printed, token, tokenV1, V1ALPHA1 } from "./kubectl-suite.ts";

/** @param admin the name of kubectl's user. */
export function declareWalkthrough(context: KubectlContext, admin: string): void {
  const { ok, okWith, fails, failsWith, newNamespace, editor, version } = context;
  const deleted = (name: string, namespace: string) =>
    `ranchertoken.tomlebreux.com "${name}" deleted${Number(version.slice(2)) >= 34 ? ` from ${namespace} namespace` : ""}\n`;

  test("the walkthrough, line by line", async () => {
    const created = await ok("create", "-f", "./hack/token.yaml", "-o", "yaml");
    const plaintext = plaintextOf(created);
    expect(created.split(plaintext)).toHaveLength(2);
    expect(created).toMatch(/^ {2}hashedToken: sha256:\S{32,}$/m);
    expect(created).toMatch(/^ {2}expiresAt: "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"$/m);

    const secret = await ok("get", "secret", "foo", "-o", "yaml");
    expectNoPlaintext(secret, plaintext);
    expect(secret).toMatch(/^type: tomlebreux.com\/token$/m);
    const { data } = parseObject(await ok("get", "secret", "foo", "-o", "json"));
    const decoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]));
    expect(decoded).toMatchObject({ userID: "my-user", clusterName: "my-cluster", ttl: "90", enabled: "true" });
    expect(decoded.hashedToken).toMatch(/^sha256:/);

    const table = await ok("get", "ranchertokens", "foo");
    expect(table.split("\n", 1)[0]?.split(/\s+/).filter(Boolean)).toEqual(["NAME", "USER", "CLUSTER", "ENABLED", "TTL", "AGE"]);
    expect(parseTable(table)).toEqual([
      {
        NAME: "foo",
        USER: "my-user",
        CLUSTER: "my-cluster",
        ENABLED: "true",
        TTL: expect.stringMatching(/^\d+s$/),
        AGE: expect.stringMatching(/^\d+s$/),
      },
    ]);
    const [wide] = parseTable(await ok("get", "ranchertokens", "foo", "-o", "wide"));
    expect(wide).toMatchObject({ NAME: "foo", EXPIRES: expect.stringMatching(/^\d{4}-.*Z$/), HASH: expect.stringMatching(/^sha256:/) });
    const json = await ok("get", "ranchertokens", "foo", "-o", "json");
    expect(parseObject(json)).toMatchObject({
      apiVersion: "tomlebreux.com/v1",
      kind: "RancherToken",
      metadata: { name: "foo", namespace: "default" },
      spec: { userID: "my-user", clusterName: "my-cluster", ttlSeconds: 90, enabled: true },
      status: { hash: decoded.hashedToken, expired: false },
    });
    const yaml = await ok("get", "ranchertokens", "foo", "-o", "yaml");
    expect(yaml).toMatch(/^ {2}ttlSeconds: 90$/m);
    // As the proof of concept has it.
    const seedJSON = await ok("get", V1ALPHA1, "foo", "-o", "json");
    expect(parseObject(seedJSON)).toMatchObject({
      apiVersion: "tomlebreux.com/v1alpha1",
      spec: { userID: "my-user", clusterName: "my-cluster", ttl: "90", enabled: "true" },
      status: { hashedToken: decoded.hashedToken, expired: false, healthy: true },
    });
    const seedYAML = await ok("get", V1ALPHA1, "foo", "-o", "yaml");
    expect(seedYAML).toMatch(/^ {2}ttl: "90"$/m);
    expect(seedYAML).toMatch(/^ {2}enabled: "true"$/m);
    for (const text of [table, JSON.stringify(wide), json, yaml, seedJSON, seedYAML]) expectNoPlaintext(text, plaintext);

    const applied = await context.kubectl(["apply", "-f", "./hack/token-disabled.yaml"]);
    expect(applied).toMatchObject({ code: 0, stdout: "ranchertoken.tomlebreux.com/foo configured\n" });
    expect(applied.stderr).toMatch(
      /^Warning: resource ranchertokens\/foo is missing the kubectl.kubernetes.io\/last-applied-configuration annotation/,
    );
    expect(await ok("apply", "-f", "./hack/token-disabled.yaml")).toBe("ranchertoken.tomlebreux.com/foo unchanged\n");
    expect(await ok("get", "ranchertokens", "foo", "-o", "jsonpath={.spec.enabled}")).toBe("false");

    expect(await ok("delete", "ranchertokens", "foo")).toBe(deleted("foo", "default"));
    expect(await fails("get", "ranchertokens", "foo")).toBe('Error from server (NotFound): ranchertokens.tomlebreux.com "foo" not found\n');
    expect(await fails("get", "secret", "foo")).toBe('Error from server (NotFound): secrets "foo" not found\n');

    const list = await context.kubectl(["get", "ranchertokens"]);
    expect(list).toMatchObject({ code: 0, stdout: "", stderr: "No resources found in default namespace.\n" });
  });

  test("a cluster token whose ttl is a number, for the caller", async () => {
    const created = await ok("create", "-f", "./hack/clustertoken.yaml", "-o", "json");
    const plaintext = plaintextOf(created);
    expect(parseObject(created).spec).toEqual({ userID: admin, clusterName: "my-cluster", ttl: "90", enabled: "true" });

    expect(parseTable(await ok("get", "clusterranchertokens"))).toMatchObject([{ NAME: "my-request", USER: admin, ENABLED: "true" }]);
    const secret = await ok("get", "secret", "my-request", "-n", "annex-system", "-o", "json");
    expect(parseObject(secret)).toMatchObject({ type: "tomlebreux.com/cluster-token" });
    expectNoPlaintext(secret, plaintext);

    expect(await ok("delete", "clusterranchertoken", "my-request")).toBe('clusterranchertoken.tomlebreux.com "my-request" deleted\n');
    expect(await fails("get", "secret", "my-request", "-n", "annex-system")).toBe('Error from server (NotFound): secrets "my-request" not found\n');
  });

  test("lists, of a namespace and of all", async () => {
    const [one, two] = [await newNamespace(), await newNamespace()];
    await okWith(token("a"), "create", "-n", one, "-f", "-");
    await okWith(token("b", { enabled: false }), "create", "-n", one, "-f", "-");
    await okWith(token("a"), "create", "-n", two, "-f", "-");

    expect(parseTable(await ok("get", "ranchertokens", "-n", one))).toMatchObject([
      { NAME: "a", ENABLED: "true", TTL: "never" },
      { NAME: "b", ENABLED: "false" },
    ]);
    const all = parseTable(await ok("get", "ranchertokens", "-A")).map(({ NAMESPACE, NAME }) => `${NAMESPACE}/${NAME}`);
    expect(all).toEqual([`${one}/a`, `${one}/b`, `${two}/a`].sort());
    const inPages = parseTable(await ok("get", "ranchertokens", "-A", "--chunk-size=1"));
    expect(inPages).toHaveLength(3);
    expect(await ok("get", "ranchertokens", "-n", one, "-o", "name")).toBe("ranchertoken.tomlebreux.com/a\nranchertoken.tomlebreux.com/b\n");
    expect(await ok("get", "ranchertokens", "-A", "--field-selector=metadata.name=b", "-o", "name")).toBe("ranchertoken.tomlebreux.com/b\n");

    expect(await ok("delete", "ranchertokens", "--all", "-n", one)).toBe(deleted("a", one) + deleted("b", one));
    expect(await ok("get", "secrets,ranchertokens", "-n", one, "-o", "name")).toBe("");
    expect(await ok("get", "ranchertokens", "-A", "-o", "name")).toBe("ranchertoken.tomlebreux.com/a\n");
    await ok("delete", "ranchertokens", "--all", "-n", two);
  });

  test("a watch sees what another kubectl creates, changes and deletes", async () => {
    const namespace = await newNamespace();
    const table = context.kubectl.start(["get", "ranchertokens", "-n", namespace, "-w", "--output-watch-events"]);
    const json = context.kubectl.start(["get", "ranchertokens", "-n", namespace, "-w", "--output-watch-events", "-o", "json"]);
    const plaintext = plaintextOf(await okWith(token("seen"), "create", "-n", namespace, "-f", "-", "-o", "yaml"));
    await table.waitFor(/^ADDED +seen +my-user +my-cluster +true/m);
    await json.waitFor(/"type": ?"ADDED"/);
    await ok("patch", "ranchertoken", "seen", "-n", namespace, "--type=merge", "-p", '{"spec":{"enabled":false}}');
    await table.waitFor(/^MODIFIED +seen +my-user +my-cluster +false/m);
    await ok("delete", "ranchertoken", "seen", "-n", namespace);
    await table.waitFor(/^DELETED +seen/m);
    await json.waitFor(/"type": ?"DELETED"/);
    for (const watch of [table, json]) {
      watch.kill("SIGTERM");
      await watch.finished;
      expectNoPlaintext(watch.output(), plaintext);
    }
    expect(table.output().match(/^(EVENT|ADDED|MODIFIED|DELETED)/gm)).toEqual(["EVENT", "ADDED", "MODIFIED", "DELETED"]);
  });

  test("patches: merge and JSON; strategic merge is for the kinds that kubectl knows", async () => {
    const namespace = await newNamespace();
    await okWith(token("a"), "create", "-n", namespace, "-f", "-");
    const patch = ["patch", "ranchertoken", "a", "-n", namespace];
    const spec = async () => parseObject(await ok("get", "ranchertoken", "a", "-n", namespace, "-o", "json")).spec;

    expect(await ok(...patch, "--type=merge", "-p", '{"spec":{"enabled":false}}')).toBe("ranchertoken.tomlebreux.com/a patched\n");
    expect(await spec()).toMatchObject({ enabled: false });
    expect(await ok(...patch, "--type=merge", "-p", '{"spec":{"enabled":false}}')).toBe("ranchertoken.tomlebreux.com/a patched (no change)\n");
    const operations = [
      { op: "test", path: "/spec/enabled", value: false },
      { op: "add", path: "/spec/ttlSeconds", value: 3600 },
    ];
    expect(await ok(...patch, "--type=json", "-p", JSON.stringify(operations))).toBe("ranchertoken.tomlebreux.com/a patched\n");
    expect(await spec()).toMatchObject({ enabled: false, ttlSeconds: 3600 });

    expect(await fails(...patch, "--type=merge", "-p", '{"spec":{"userID":"somebody-else"}}')).toBe(
      'The RancherToken "a" is invalid: spec.userID: Invalid value: "somebody-else": field is immutable\n',
    );
    expect(await fails(...patch, "-p", '{"spec":{"enabled":"true"}}')).toBe(
      "error: application/strategic-merge-patch+json is not supported by tomlebreux.com/v1, Kind=RancherToken: the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml\n",
    );
    expect(await spec()).toMatchObject({ userID: "my-user", enabled: false });
  });

  test("labels and annotations are the Secret's too", async () => {
    const namespace = await newNamespace();
    await okWith(token("a"), "create", "-n", namespace, "-f", "-");
    expect(await ok("label", "ranchertoken", "a", "-n", namespace, "tier=gold")).toBe("ranchertoken.tomlebreux.com/a labeled\n");
    expect(await ok("annotate", "ranchertoken", "a", "-n", namespace, "why=test")).toMatch(/^ranchertoken.tomlebreux.com\/a annotated?\n$/);
    expect(await ok("get", "ranchertokens", "-n", namespace, "-l", "tier=gold", "-o", "name")).toBe("ranchertoken.tomlebreux.com/a\n");
    expect(parseObject(await ok("get", "secret", "a", "-n", namespace, "-o", "json")).metadata).toMatchObject({
      labels: { tier: "gold" },
      annotations: { why: "test" },
    });
    expect(await ok("label", "ranchertoken", "a", "-n", namespace, "tier-")).toMatch(/^ranchertoken.tomlebreux.com\/a unlabeled\n$/);
    expect(await ok("get", "ranchertokens", "-n", namespace, "-l", "!tier", "-o", "name")).toBe("ranchertoken.tomlebreux.com/a\n");
  });

  test("edit, with a script as the editor", async () => {
    const namespace = await newNamespace();
    await okWith(token("a"), "create", "-n", namespace, "-f", "-");
    const edit = async (script: string) => context.kubectl(["edit", "ranchertoken", "a", "-n", namespace], { env: await editor(script) });
    expect(printed(await edit("s/enabled: true/enabled: false/"))).toBe("ranchertoken.tomlebreux.com/a edited\n");
    expect(await ok("get", "ranchertoken", "a", "-n", namespace, "-o", "jsonpath={.spec.enabled}")).toBe("false");
    expect(await edit("s/nothing of that/kind/")).toMatchObject({ code: 0, stderr: "Edit cancelled, no changes made.\n" });
    const refused = await edit("s/userID: my-user/userID: another/");
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toMatch(/^error: ranchertokens.tomlebreux.com "a" is invalid$/m);
    expect(await ok("get", "ranchertoken", "a", "-n", namespace, "-o", "jsonpath={.spec.userID}")).toBe("my-user");
  });

  test("replace, and the conflict when the object has changed meanwhile", async () => {
    const namespace = await newNamespace();
    await okWith(token("a"), "create", "-n", namespace, "-f", "-");
    const read = parseObject(await ok("get", "ranchertoken", "a", "-n", namespace, "-o", "json"));
    const changed = { ...read, spec: { ...read.spec, enabled: false } };
    expect(await okWith(changed, "replace", "-n", namespace, "-f", "-")).toBe("ranchertoken.tomlebreux.com/a replaced\n");
    expect(await failsWith(changed, "replace", "-n", namespace, "-f", "-")).toBe(
      'Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on ranchertokens.tomlebreux.com "a": the object has been modified; please apply your changes to the latest version and try again\n',
    );
    const { metadata: _, ...unversioned } = token("a", { ttl: "60" });
    expect(await okWith({ ...unversioned, metadata: { name: "a" } }, "replace", "-n", namespace, "-f", "-")).toMatch(/replaced/);
    const after = parseObject(await ok("get", "ranchertoken", "a", "-n", namespace, "-o", "json"));
    expect(after).toMatchObject({ spec: { ttlSeconds: 60, enabled: true }, status: { hash: read.status.hash } });
  });

  test("diff: 1 with differences, 0 without, and never a plaintext", async () => {
    const namespace = await newNamespace();
    const diff = (object: unknown) => context.kubectl(["diff", "-n", namespace, "-f", "-"], { input: JSON.stringify(object) });
    const absent = await diff(token("a"));
    expect(absent).toMatchObject({ code: 1, stderr: "" });
    expect(absent.stdout).toMatch(/^\+kind: RancherToken$/m);
    expect(absent.stdout).not.toContain("plaintextToken");
    expect(await fails("get", "ranchertoken", "a", "-n", namespace)).toContain("NotFound");

    expect(await okWith(token("a"), "apply", "-n", namespace, "-f", "-")).toBe("ranchertoken.tomlebreux.com/a created\n");
    expect(await diff(token("a"))).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const different = await diff(token("a", { enabled: "false" }));
    expect(different).toMatchObject({ code: 1, stderr: "" });
    expect(different.stdout).toMatch(/^-\s+enabled: "true"$/m);
    expect(different.stdout).toMatch(/^\+\s+enabled: "false"$/m);
    expect(await ok("get", "ranchertoken", "a", "-n", namespace, "-o", "jsonpath={.spec.enabled}")).toBe("true");
  });

  test("wait, for a value and for the end", async () => {
    const namespace = await newNamespace();
    await okWith(token("a"), "create", "-n", namespace, "-f", "-");
    const wait = ["wait", "ranchertoken/a", "-n", namespace, "--timeout=30s"];
    expect(await ok(...wait, "--for=condition=Ready")).toBe("ranchertoken.tomlebreux.com/a condition met\n");
    const startWait = async (condition: string) => {
      const waiting = context.kubectl.start([...wait, `--for=${condition}`, "-v=6"]);
      await waiting.waitFor(/watch=true/);
      return waiting;
    };
    const disabled = await startWait("jsonpath={.spec.enabled}=false");
    await ok("patch", "ranchertoken", "a", "-n", namespace, "--type=merge", "-p", '{"spec":{"enabled":false}}');
    expect(await disabled.finished).toMatchObject({ code: 0, stdout: "ranchertoken.tomlebreux.com/a condition met\n" });
    const gone = await startWait("delete");
    await ok("delete", "ranchertoken", "a", "-n", namespace, "--wait=false");
    expect(await gone.finished).toMatchObject({ code: 0, stdout: "ranchertoken.tomlebreux.com/a condition met\n" });
  });

  test("a server-side dry run stores nothing and tells no plaintext", async () => {
    const namespace = await newNamespace();
    const answer = await okWith(token("a"), "create", "-n", namespace, "-f", "-", "--dry-run=server", "-o", "yaml");
    expect(answer).toMatch(/^ {2}name: a$/m);
    expect(answer).not.toContain("plaintextToken");
    expect(await ok("get", "secrets,ranchertokens", "-n", namespace, "-o", "name")).toBe("");
  });

  test("what is refused, in Kubernetes' words", async () => {
    const namespace = await newNamespace();
    const create = (object: unknown, ...args: string[]) => failsWith(object, "create", "-n", namespace, "-f", "-", ...args);
    await okWith(token("a"), "create", "-n", namespace, "-f", "-");
    expect(await create(token("a"))).toBe(
      'Error from server (AlreadyExists): error when creating "STDIN": ranchertokens.tomlebreux.com "a" already exists\n',
    );
    expect(await create(token("b", { userID: "" }))).toBe('The RancherToken "b" is invalid: spec.userID: Required value\n');
    expect(await create(tokenV1("b", { userID: "" }))).toBe('The RancherToken "b" is invalid: spec.userID: Required value\n');
    expect(await create(tokenV1("b", { ttlSeconds: -1 }))).toMatch(/^The RancherToken "b" is invalid: spec.ttlSeconds: Invalid value: -1: /);
    expect(await create(token("b", { ttl: -1 }))).toMatch(/^The RancherToken "b" is invalid: spec.ttl: Invalid value: /);
    expect(await create(token("B"))).toMatch(/^The RancherToken "B" is invalid: metadata.name: Invalid value: "B": a lowercase RFC 1123 subdomain/);
    expect(await create(token("b", { bogus: "x" }))).toBe(
      'Error from server (BadRequest): error when creating "STDIN": RancherToken in version "v1alpha1" cannot be handled as a RancherToken: strict decoding error: unknown field "spec.bogus"\n',
    );
    expect(await failsWith(token("b"), "create", "-n", "nowhere", "-f", "-")).toBe(
      'Error from server (NotFound): error when creating "STDIN": namespaces "nowhere" not found\n',
    );
    await okWith({ apiVersion: "v1", kind: "Secret", metadata: { name: "taken" } }, "create", "-n", namespace, "-f", "-");
    expect(await create(token("taken"))).toMatch(/AlreadyExists/);
    expect(await ok("get", "ranchertokens", "-n", namespace, "-o", "name")).toBe("ranchertoken.tomlebreux.com/a\n");
  });
}
