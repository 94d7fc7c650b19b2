// Both versions of a RancherToken, through kubectl: the preferred one where nothing is said, the other by its full name.
import { expect, test } from "vitest";
import { describeKubectl, expectNoPlaintext, parseObject, parseTable, plaintextOf, printed, token, tokenV1, V1ALPHA1 } from "./kubectl-suite.ts";

const V1 = "ranchertokens.v1.tomlebreux.com";
const DESCRIPTION = "tomlebreux.com/description";

describeKubectl((context) => {
  const { ok, okWith, fails, failsWith, newNamespace, editor } = context;
  const object = async (resource: string, name: string, namespace: string) =>
    parseObject(await ok("get", resource, name, "-n", namespace, "-o", "json"));

  test("the examples of v1: shown once, disabled by apply, deleted", async () => {
    const created = await ok("create", "-f", "./hack/v1/token.yaml", "-o", "yaml");
    const plaintext = plaintextOf(created);
    expect(created.split(plaintext)).toHaveLength(2);
    expect(created).toMatch(/^ {2}ttlSeconds: 90$/m);
    const wide = await ok("get", "ranchertokens", "foo", "-o", "wide");
    expect(parseTable(wide)).toMatchObject([
      {
        NAME: "foo",
        ENABLED: "true",
        HASH: expect.stringMatching(/^sha256:/),
        READY: "True",
        REASON: "Usable",
        DESCRIPTION: "For the nightly build.",
      },
    ]);
    const texts = [wide];
    for (const resource of [V1, V1ALPHA1]) texts.push(await ok("get", resource, "foo", "-o", "yaml"));
    for (const text of texts) expectNoPlaintext(text, plaintext);
    const applied = await context.kubectl(["apply", "-f", "./hack/v1/token-disabled.yaml"]);
    expect(applied).toMatchObject({ code: 0, stdout: "ranchertoken.tomlebreux.com/foo configured\n" });
    expect(await ok("apply", "-f", "./hack/v1/token-disabled.yaml")).toBe("ranchertoken.tomlebreux.com/foo unchanged\n");
    expect(await ok("wait", "ranchertoken/foo", "--for=condition=Ready=false", "--timeout=10s")).toBe(
      "ranchertoken.tomlebreux.com/foo condition met\n",
    );
    await ok("delete", V1, "foo");
    const mine = parseObject(await ok("create", "-f", "./hack/v1/clustertoken.yaml", "-o", "json"));
    expect(mine.spec).toMatchObject({ userID: "kubernetes-admin", ttlSeconds: 90, description: "Mine, in every namespace." });
    await ok("delete", "clusterranchertokens.v1alpha1.tomlebreux.com", "my-request");
  });

  test("the same objects in both, with the columns and fields of each", async () => {
    const namespace = await newNamespace();
    await okWith(tokenV1("a", { ttlSeconds: 7200, description: "d" }), "create", "-n", namespace, "-f", "-");
    const heads = { "": "DESCRIPTION", [V1]: "DESCRIPTION", [V1ALPHA1]: "HEALTHY" };
    for (const [resource, last] of Object.entries(heads)) {
      const [head = ""] = (await ok("get", resource || "ranchertokens", "-n", namespace, "-o", "wide")).split("\n");
      expect(head.trim().split(/\s+/)).toEqual(expect.arrayContaining(["NAME", "USER", "CLUSTER", "ENABLED", "TTL", "AGE", "EXPIRES", "HASH", last]));
      expect(head.trim().endsWith(last)).toBe(true);
    }
    const present = await object("ranchertokens", "a", namespace);
    expect(present).toMatchObject({ apiVersion: "tomlebreux.com/v1", spec: { ttlSeconds: 7200, enabled: true, description: "d" } });
    const old = await object(V1ALPHA1, "a", namespace);
    expect(old).toMatchObject({ apiVersion: "tomlebreux.com/v1alpha1", spec: { ttl: "7200", enabled: "true" } });
    expect(old.spec).not.toHaveProperty("description");
    expect(old.metadata.annotations).toEqual({ [DESCRIPTION]: "d" });
    expect(await ok("get", `${V1ALPHA1},${V1}`, "-n", namespace, "-o", "jsonpath={.items[*].apiVersion}")).toBe(
      "tomlebreux.com/v1alpha1 tomlebreux.com/v1",
    );
  });

  test("patch, edit, replace, label and watch in the one are seen in the other, and lose nothing", async () => {
    const namespace = await newNamespace();
    await okWith(tokenV1("a", { ttlSeconds: 7200, description: "d" }), "create", "-n", namespace, "-f", "-");
    const watches = [V1ALPHA1, V1].map((resource) => context.kubectl.start(["get", resource, "-n", namespace, "-w", "--output-watch-events"]));
    for (const watch of watches) await watch.waitFor(/^ADDED +a +my-user +my-cluster +true/m);

    await ok("patch", V1ALPHA1, "a", "-n", namespace, "--type=merge", "-p", '{"spec":{"enabled":false}}');
    for (const watch of watches) await watch.waitFor(/^MODIFIED +a +my-user +my-cluster +false/m);
    const script = await editor('s/enabled: "false"/enabled: "true"/');
    expect(printed(await context.kubectl(["edit", V1ALPHA1, "a", "-n", namespace], { env: script }))).toBe("ranchertoken.tomlebreux.com/a edited\n");
    for (const watch of watches) await watch.waitFor(/^MODIFIED +a +my-user +my-cluster +true/m);
    expect((await object(V1, "a", namespace)).spec).toMatchObject({ ttlSeconds: 7200, enabled: true, description: "d" });

    const script1 = await editor("s/ttlSeconds: 7200/ttlSeconds: 3600/");
    expect(printed(await context.kubectl(["edit", "ranchertoken", "a", "-n", namespace], { env: script1 }))).toBe(
      "ranchertoken.tomlebreux.com/a edited\n",
    );
    const old = await object(V1ALPHA1, "a", namespace);
    expect(old.spec).toMatchObject({ ttl: "3600" });
    await okWith({ ...old, spec: { ...old.spec, ttl: "" } }, "replace", "-n", namespace, "-f", "-");
    await ok("label", V1ALPHA1, "a", "-n", namespace, "tier=gold");
    const last = await object(V1, "a", namespace);
    expect(last).toMatchObject({ metadata: { labels: { tier: "gold" } }, spec: { enabled: true, description: "d" } });
    expect(last.spec).toMatchObject({ ttlSeconds: 0 });
    expect(await fails("patch", V1, "a", "-n", namespace, "--type=merge", "-p", '{"spec":{"ttlSeconds":-5}}')).toMatch(
      /^The RancherToken "a" is invalid: spec.ttlSeconds: Invalid value: -5: /,
    );
    for (const watch of watches) {
      watch.kill("SIGTERM");
      await watch.finished;
    }
  });

  test("server-side apply by one manager in v1 and another in v1alpha1", async () => {
    const namespace = await newNamespace();
    const apply = ["apply", "--server-side", "-n", namespace, "-f", "-"];
    const applied = "ranchertoken.tomlebreux.com/a serverside-applied\n";
    expect(await okWith(tokenV1("a", { ttlSeconds: 7200, description: "d" }), ...apply)).toBe(applied);
    const old = { ...token("a"), spec: { ttl: "100" } };
    const other = [...apply, "--field-manager=other"];
    expect(await failsWith(old, ...other)).toMatch(/^error: Apply failed with 1 conflict: conflict with "kubectl": .spec.ttlSeconds$/m);
    expect(await okWith(old, ...other, "--force-conflicts")).toBe(applied);
    expect((await object(V1, "a", namespace)).spec).toMatchObject({ ttlSeconds: 100, enabled: true, description: "d" });
    // What the first one lets go of is gone, what the other one has stays.
    expect(await okWith({ ...tokenV1("a"), spec: { userID: "my-user", clusterName: "my-cluster" } }, ...apply)).toBe(applied);
    const last = await object("ranchertokens", "a", namespace);
    expect(last.spec).toEqual({ userID: "my-user", clusterName: "my-cluster", ttlSeconds: 100, enabled: true });
  });
});
