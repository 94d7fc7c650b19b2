// The kinds that kubectl knows: namespaces and secrets, which it sends as protobuf where it can, and patches by strategic merge.
import { expect, test } from "vitest";
import { describeKubectl, parseObject, parseTable, printed, token } from "./kubectl-suite.ts";

const secret = (name: string, stringData: Readonly<Record<string, string>>, more: object = {}) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name },
  stringData,
  ...more,
});

const encode = (text: string) => Buffer.from(text).toString("base64");

describeKubectl((context) => {
  const { ok, okWith, fails, failsWith, newNamespace, editor, version } = context;
  const from = (namespace: string) => (Number(version.slice(2)) >= 34 ? ` from ${namespace} namespace` : "");

  test("create secret generic, and what get and describe show", async () => {
    const namespace = await newNamespace();
    expect(await ok("create", "secret", "generic", "a", "-n", namespace, "--from-literal=user=alice", "--from-literal=empty=")).toBe(
      "secret/a created\n",
    );
    expect(parseTable(await ok("get", "secret", "a", "-n", namespace))).toEqual([
      { NAME: "a", TYPE: "Opaque", DATA: "2", AGE: expect.stringMatching(/^\d+s$/) },
    ]);
    expect(parseObject(await ok("get", "secret", "a", "-n", namespace, "-o", "json"))).toMatchObject({
      kind: "Secret",
      type: "Opaque",
      data: { user: encode("alice"), empty: "" },
    });
    const described = await ok("describe", "secret", "a", "-n", namespace);
    expect(described).toMatch(/^Type: +Opaque$/m);
    expect(described).toMatch(/^user: +5 bytes$/m);
    expect(await ok("get", "secrets", "-A", "--field-selector=type=Opaque", "-o", "name")).toBe("secret/a\n");
    expect(await ok("delete", "secret", "a", "-n", namespace)).toBe(`secret "a" deleted${from(namespace)}\n`);
  });

  test("apply of a secret: what is no longer in the file goes, what others set stays", async () => {
    const namespace = await newNamespace();
    const apply = (object: unknown) => okWith(object, "apply", "-n", namespace, "-f", "-");
    const read = async () => parseObject(await ok("get", "secret", "a", "-n", namespace, "-o", "json"));
    const withData = (data: Readonly<Record<string, string>>) => ({ apiVersion: "v1", kind: "Secret", metadata: { name: "a" }, data });

    expect(await apply(withData({ one: encode("1"), two: encode("2") }))).toBe("secret/a created\n");
    expect(await ok("patch", "secret", "a", "-n", namespace, "-p", '{"stringData":{"other":"3"}}')).toBe("secret/a patched\n");
    expect(await apply(withData({ one: encode("1!") }))).toBe("secret/a configured\n");
    expect((await read()).data).toEqual({ one: encode("1!"), other: encode("3") });
    expect(await apply(withData({ one: encode("1!") }))).toBe("secret/a unchanged\n");
    const diff = await context.kubectl(["diff", "-n", namespace, "-f", "-"], { input: JSON.stringify(withData({ one: encode("x") })) });
    expect(diff).toMatchObject({ code: 1, stderr: "" });
    // kubectl masks the values of Secrets.
    expect(diff.stdout).toMatch(/^-\s+one: '\*\*\* \(before\)'$/m);
  });

  test("patches of a secret: strategic merge joins what a list's keys join, merge and JSON replace", async () => {
    const namespace = await newNamespace();
    await okWith(secret("a", { one: "1" }), "create", "-n", namespace, "-f", "-");
    const patch = (...args: string[]) => ok("patch", "secret", "a", "-n", namespace, ...args);
    const read = async () => parseObject(await ok("get", "secret", "a", "-n", namespace, "-o", "json"));

    await patch("-p", '{"metadata":{"finalizers":["example.com/one"]}}');
    expect(await patch("-p", '{"metadata":{"finalizers":["example.com/two"]}}')).toBe("secret/a patched\n");
    expect([...((await read()).metadata.finalizers as string[])].sort()).toEqual(["example.com/one", "example.com/two"]);
    await patch("--type=merge", "-p", '{"metadata":{"finalizers":["example.com/three"]},"data":{"one":null}}');
    expect(await read()).toMatchObject({ metadata: { finalizers: ["example.com/three"] } });
    expect((await read()).data ?? {}).toEqual({});
    await patch("--type=json", "-p", '[{"op":"remove","path":"/metadata/finalizers"},{"op":"add","path":"/data","value":{"two":"Mg=="}}]');
    expect((await read()).data).toEqual({ two: encode("2") });
    expect((await read()).metadata).not.toHaveProperty("finalizers");
  });

  test("edit, replace and label a secret; an immutable one stays as it is", async () => {
    const namespace = await newNamespace();
    await okWith(secret("a", { one: "1" }), "create", "-n", namespace, "-f", "-");
    const edited = await context.kubectl(["edit", "secret", "a", "-n", namespace], {
      env: await editor(`s/one: ${encode("1")}/one: ${encode("2")}/`),
    });
    expect(printed(edited)).toBe("secret/a edited\n");
    expect(await ok("label", "secret", "a", "-n", namespace, "tier=gold")).toBe("secret/a labeled\n");
    expect(parseObject(await ok("get", "secret", "a", "-n", namespace, "-o", "json"))).toMatchObject({
      metadata: { labels: { tier: "gold" } },
      data: { one: encode("2") },
    });
    expect(await okWith(secret("a", { one: "3" }, { immutable: true }), "replace", "-n", namespace, "-f", "-")).toBe("secret/a replaced\n");
    expect(await fails("patch", "secret", "a", "-n", namespace, "-p", '{"stringData":{"one":"4"}}')).toBe(
      'The Secret "a" is invalid: data: Forbidden: field is immutable when `immutable` is set\n',
    );
  });

  test("a secret whose value is no base64", async () => {
    const namespace = await newNamespace();
    const manifest = { apiVersion: "v1", kind: "Secret", metadata: { name: "a" }, data: { one: "@@" } };
    expect(await failsWith(manifest, "create", "-n", namespace, "-f", "-")).toBe(
      'Error from server (BadRequest): error when creating "STDIN": Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0\n',
    );
  });

  test("apply, edit and patch a namespace", async () => {
    const namespace = await newNamespace();
    const manifest = (labels: Readonly<Record<string, string>>) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: `${namespace}-b`, labels },
    });
    expect(await okWith(manifest({ one: "1", two: "2" }), "apply", "-f", "-")).toBe(`namespace/${namespace}-b created\n`);
    expect(await okWith(manifest({ one: "1" }), "apply", "-f", "-")).toBe(`namespace/${namespace}-b configured\n`);
    expect(await ok("patch", "ns", `${namespace}-b`, "-p", '{"metadata":{"labels":{"three":"3"}}}')).toBe(`namespace/${namespace}-b patched\n`);
    const edited = await context.kubectl(["edit", "ns", `${namespace}-b`], { env: await editor('s/three: "3"/three: "33"/') });
    expect(printed(edited)).toBe(`namespace/${namespace}-b edited\n`);
    expect(parseObject(await ok("get", "ns", `${namespace}-b`, "-o", "json"))).toMatchObject({
      metadata: { labels: { one: "1", three: "33", "kubernetes.io/metadata.name": `${namespace}-b` } },
      status: { phase: "Active" },
    });
    expect(parseTable(await ok("get", "ns", `${namespace}-b`))).toEqual([
      { NAME: `${namespace}-b`, STATUS: "Active", AGE: expect.stringMatching(/^\d+s$/) },
    ]);
    const described = await ok("describe", "ns", `${namespace}-b`);
    expect(described).toMatch(new RegExp(`^Name: +${namespace}-b$`, "m"));
    expect(described).toMatch(/^Status: +Active$/m);
  });

  test("deleting a namespace takes along what is in it, and waits for what is held", async () => {
    const namespace = await newNamespace();
    await okWith(token("a"), "create", "-n", namespace, "-f", "-");
    await okWith(secret("plain", { one: "1" }), "create", "-n", namespace, "-f", "-");
    await okWith({ ...token("held"), metadata: { name: "held", finalizers: ["example.com/hold"] } }, "create", "-n", namespace, "-f", "-");

    expect(await ok("delete", "ns", namespace, "--wait=false")).toBe(`namespace "${namespace}" deleted\n`);
    await ok("wait", `ns/${namespace}`, "--for=jsonpath={.status.phase}=Terminating", "--timeout=20s");
    expect(parseTable(await ok("get", "ns", namespace))).toMatchObject([{ NAME: namespace, STATUS: "Terminating" }]);
    expect(await failsWith(token("late"), "create", "-n", namespace, "-f", "-")).toBe(
      `Error from server (Forbidden): error when creating "STDIN": ranchertokens.tomlebreux.com "late" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated\n`,
    );
    await ok("wait", "ranchertoken/a", "secret/plain", "-n", namespace, "--for=delete", "--timeout=20s");
    expect(await ok("get", "ranchertokens", "-n", namespace, "-o", "name")).toBe("ranchertoken.tomlebreux.com/held\n");

    const waiting = context.kubectl(["wait", `ns/${namespace}`, "--for=delete", "--timeout=30s"]);
    await ok("patch", "ranchertoken", "held", "-n", namespace, "--type=json", "-p", '[{"op":"remove","path":"/metadata/finalizers"}]');
    expect(await waiting).toMatchObject({ code: 0, stderr: "" });
    expect(await fails("get", "ns", namespace)).toBe(`Error from server (NotFound): namespaces "${namespace}" not found\n`);
    expect(await ok("get", "secrets,ranchertokens", "-n", namespace, "-o", "name")).toBe("");
  });

  test("kubectl delete ns returns when the namespace is gone; default stays", async () => {
    const namespace = await newNamespace();
    await okWith(token("a"), "create", "-n", namespace, "-f", "-");
    expect(await ok("delete", "ns", namespace)).toBe(`namespace "${namespace}" deleted\n`);
    expect(await fails("get", "ns", namespace)).toContain("NotFound");
    expect(await ok("get", "secrets,ranchertokens", "-n", namespace, "-o", "name")).toBe("");
    expect(await fails("delete", "ns", "default")).toBe(
      'Error from server (Forbidden): namespaces "default" is forbidden: this namespace may not be deleted\n',
    );
    expect(parseTable(await ok("get", "ns")).map(({ NAME }) => NAME)).toEqual(expect.arrayContaining(["annex-system", "default", "kube-system"]));
  });
});
