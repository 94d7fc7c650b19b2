// Server-side apply through kubectl: of tokens and of namespaces, beside client-side apply, and refused where others own.
import { expect, test } from "vitest";
import { describeKubectl, expectNoPlaintext, parseObject, plaintextOf, printed, tokenV1 } from "./kubectl-suite.ts";

describeKubectl((context) => {
  const { ok, okWith, failsWith, newNamespace } = context;
  const apply = ["apply", "--server-side", "-f", "-"] as const;
  /** `kubectl Apply` and so on. */
  const owners = async (namespace: string): Promise<readonly string[]> => {
    const { managedFields } = parseObject(await ok("get", "ns", namespace, "-o", "json", "--show-managed-fields")).metadata;
    return (managedFields as readonly { manager: string; operation: string }[]).map(({ manager, operation }) => `${manager} ${operation}`);
  };

  test("a token: applied, shown once, changed, and diffed", async () => {
    const namespace = await newNamespace();
    const token = (spec: Readonly<Record<string, unknown>>) => ({ ...tokenV1("a", spec), metadata: { name: "a", namespace } });
    const created = await okWith(token({ ttlSeconds: 3600, enabled: true }), ...apply, "-o", "yaml");
    const plaintext = plaintextOf(created);
    expect(await okWith(token({ ttlSeconds: 3600, enabled: true }), ...apply)).toBe("ranchertoken.tomlebreux.com/a serverside-applied\n");
    const diff = await context.kubectl(["diff", "--server-side", "-f", "-"], { input: JSON.stringify(token({ ttlSeconds: 3600, enabled: false })) });
    expect(diff).toMatchObject({ code: 1, stderr: "" });
    expect(diff.stdout).toMatch(/^- {2}enabled: true\n\+ {2}enabled: false$/m);
    await okWith(token({ ttlSeconds: 3600, enabled: false }), ...apply);
    const read = await ok("get", "ranchertoken", "a", "-n", namespace, "-o", "yaml", "--show-managed-fields");
    expect(read).toMatch(/^ {2}enabled: false$/m);
    expectNoPlaintext(read, plaintext);
  });

  test("what is no longer applied goes, and what others own stays", async () => {
    const name = await newNamespace();
    const labelled = (labels: object) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    await okWith(labelled({ one: "1", both: "1" }), ...apply);
    await okWith(labelled({ both: "1", two: "2" }), ...apply, "--field-manager=other");
    await okWith(labelled({}), ...apply);
    const { labels } = parseObject(await ok("get", "ns", name, "-o", "json")).metadata;
    expect(labels).toMatchObject({ both: "1", two: "2" });
    expect(labels).not.toHaveProperty("one");
  });

  test("a conflict is told, and taken by force", async () => {
    const name = await newNamespace();
    const labelled = (value: string) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { team: value } } });
    await okWith(labelled("a"), ...apply);
    const refused = await failsWith(labelled("b"), ...apply, "--field-manager=other");
    expect(refused).toMatch(/Apply failed with 1 conflict: conflict with "kubectl": \.metadata\.labels\.team/);
    await okWith(labelled("b"), ...apply, "--field-manager=other", "--force-conflicts");
    expect(await owners(name)).toContain("other Apply");
    expect(await owners(name)).not.toContain("kubectl Apply");
  });

  test("text of a secret is put into its data, and is its applier's", async () => {
    const namespace = await newNamespace();
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace }, stringData: { a: "hello" } };
    await okWith(secret, ...apply);
    const read = parseObject(await ok("get", "secret", "s", "-n", namespace, "-o", "json", "--show-managed-fields"));
    expect(read).toMatchObject({ data: { a: "aGVsbG8=" }, metadata: { managedFields: [{ fieldsV1: { "f:stringData": { "f:a": {} } } }] } });
    expect(read).not.toHaveProperty("stringData");
  });

  test("from client-side apply to server-side apply and back", async () => {
    const name = await newNamespace();
    const labelled = (labels: object) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    const client = ["apply", "-f", "-"] as const;
    const first = await context.kubectl(client, { input: JSON.stringify(labelled({ a: "1", b: "1" })) });
    expect(first).toMatchObject({ code: 0 }); // warns that the namespace was not made by apply
    expect(await okWith(labelled({ a: "2" }), ...apply)).toBe(`namespace/${name} serverside-applied\n`);
    const moved = parseObject(await ok("get", "ns", name, "-o", "json")).metadata;
    expect(moved.labels).toMatchObject({ a: "2" });
    const { "kubectl.kubernetes.io/last-applied-configuration": last = "{}" } = moved.annotations as Readonly<Record<string, string>>;
    expect(parseObject(last).metadata.labels).toEqual({ a: "2" });
    expect(printed(await context.kubectl(client, { input: JSON.stringify(labelled({ a: "3" })) }))).toBe(`namespace/${name} configured\n`);
    expect(parseObject(await ok("get", "ns", name, "-o", "json")).metadata.labels).toMatchObject({ a: "3" });
  });
});
