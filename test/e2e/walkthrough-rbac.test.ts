// Roles and bindings as kubectl makes them, and what those whom they are about may do.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Kubectl, kubectlVersions, openKubectl, uniqueName } from "./kubectl.ts";
import { parseObject, parseTable, printed, token } from "./kubectl-suite.ts";
import { startServer, type TestServer, temporaryFolder, tokenKubeconfig } from "./server.ts";

const RBAC = "rbac.authorization.k8s.io";
const TOKENS = `alice-token,alice,1,devs
reader-token,system:serviceaccount:default:apiserver-poc-read,2,"system:serviceaccounts,system:serviceaccounts:default"
writer-token,system:serviceaccount:default:apiserver-poc-admin,3,"system:serviceaccounts,system:serviceaccounts:default"
`;

describe.each(kubectlVersions())("kubectl %s", (version) => {
  let server: TestServer;
  let admin: Kubectl;
  let alice: Kubectl;
  beforeAll(async () => {
    const path = join(await temporaryFolder(), "tokens.csv");
    await writeFile(path, TOKENS, { mode: 0o600 });
    server = await startServer({ args: [`--token-auth-file=${path}`] });
    admin = await openKubectl(server.kubeconfig, version);
    alice = await openKubectl(await tokenKubeconfig(server, "alice-token"), version);
  });
  afterAll(async () => {
    await server.stop();
  });
  const ok = async (...args: readonly string[]) => printed(await admin(args));
  const refused = async (user: Kubectl, ...args: readonly string[]) => {
    const finished = await user(args);
    expect(finished).toMatchObject({ code: 1 });
    return finished.stderr;
  };

  test("alice gets rights in a namespace, and loses them", async () => {
    const namespace = uniqueName("rbac");
    await ok("create", "ns", namespace);
    const no = `Error from server (Forbidden): secrets is forbidden: User "alice" cannot list resource "secrets" in API group "" in the namespace "${namespace}"\n`;
    expect(await refused(alice, "get", "secrets", "-n", namespace)).toBe(no);
    expect(await ok("create", "role", "reader", "--verb=get,list,watch", "--resource=secrets,ranchertokens.tomlebreux.com", "-n", namespace)).toBe(
      `role.${RBAC}/reader created\n`,
    );
    expect(await ok("create", "rolebinding", "alice", "--role=reader", "--user=alice", "-n", namespace)).toBe(`rolebinding.${RBAC}/alice created\n`);
    expect(await alice(["get", "secrets,ranchertokens", "-n", namespace])).toMatchObject({ code: 0, stdout: "" });
    expect(await refused(alice, "create", "secret", "generic", "a", "-n", namespace)).toContain('User "alice" cannot create resource "secrets"');
    expect(await refused(alice, "get", "secrets", "-n", "default")).toContain('in the namespace "default"');
    expect(parseTable(await ok("get", "rolebindings", "-n", namespace, "-o", "wide"))).toEqual([
      { NAME: "alice", ROLE: "Role/reader", AGE: expect.stringMatching(/^\d+s$/), USERS: "alice", GROUPS: "", SERVICEACCOUNTS: "" },
    ]);
    await ok("delete", "role", "reader", "-n", namespace);
    expect(await refused(alice, "get", "secrets", "-n", namespace)).toBe(
      `${no.trimEnd()}: RBAC: role.rbac.authorization.k8s.io "reader" not found\n`,
    );
    await ok("delete", "rolebinding", "alice", "-n", namespace);
    expect(await refused(alice, "get", "secrets", "-n", namespace)).toBe(no);
  });

  test("create clusterrole and clusterrolebinding, in all their forms", async () => {
    const name = uniqueName("role");
    const roleOf = async (suffix: string) => parseObject(await ok("get", "clusterrole", `${name}-${suffix}`, "-o", "json"));
    await ok("create", "clusterrole", `${name}-names`, "--verb=get", "--resource=secrets", "--resource-name=a", "--resource-name=b");
    expect(await roleOf("names")).toMatchObject({
      rules: [{ verbs: ["get"], apiGroups: [""], resources: ["secrets"], resourceNames: ["a", "b"] }],
    });
    await ok("create", "clusterrole", `${name}-urls`, "--verb=get", "--non-resource-url=/metrics");
    expect(await roleOf("urls")).toMatchObject({ rules: [{ verbs: ["get"], nonResourceURLs: ["/metrics"] }] });
    await ok("create", "clusterrole", `${name}-all`, `--aggregation-rule=example.com/${name}=true`);
    expect(await roleOf("all")).toMatchObject({ aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [`example.com/${name}`]: "true" } }] } });

    expect(await refused(alice, "get", "--raw", "/metrics")).toContain('cannot get path "/metrics"');
    await ok("create", "clusterrolebinding", name, `--clusterrole=${name}-all`, "--group=devs");
    await ok("label", "clusterrole", `${name}-urls`, `example.com/${name}=true`);
    await expect.poll(async () => (await alice(["get", "--raw", "/metrics"])).code, { timeout: 10_000 }).toBe(0);
    const described = await ok("describe", "clusterrolebinding", name);
    expect(described).toMatch(/^ {2}Group +devs/m);
    await ok("delete", "clusterrolebinding", name);
    expect(await refused(alice, "get", "--raw", "/metrics")).toContain('cannot get path "/metrics"');
    expect(await refused(admin, "patch", "clusterrolebinding", "cluster-admin", "--type=merge", "-p", '{"roleRef":{"name":"view"}}')).toBe(
      'The ClusterRoleBinding "cluster-admin" is invalid: roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"view"}: cannot change roleRef\n',
    );
  });

  test("who manages roles grants what they have and no more", async () => {
    const namespace = uniqueName("rbac");
    await ok("create", "ns", namespace);
    await ok("create", "rolebinding", "alice", "--clusterrole=admin", "--user=alice", "-n", namespace);
    expect(await alice(["create", "role", "mine", "--verb=get", "--resource=secrets", "-n", namespace])).toMatchObject({ code: 0, stderr: "" });
    expect(await alice(["create", "rolebinding", "bob", "--clusterrole=edit", "--user=bob", "-n", namespace])).toMatchObject({ code: 0, stderr: "" });
    const groups = 'groups=["devs" "system:authenticated"]';
    expect(await refused(alice, "create", "role", "more", "--verb=get", "--resource=ranchertokens.tomlebreux.com", "-n", namespace)).toContain(
      `roles.${RBAC} "more" is forbidden: user "alice" (${groups}) is attempting to grant RBAC permissions not currently held:\n{APIGroups:["tomlebreux.com"], Resources:["ranchertokens"], Verbs:["get"]}\n`,
    );
    expect(await refused(alice, "create", "rolebinding", "all", "--clusterrole=cluster-admin", "--user=alice", "-n", namespace)).toContain(
      `(${groups}) is attempting to grant RBAC permissions not currently held:\n{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}\n`,
    );
  });

  test("the roles of hack/sa.yaml apply twice, and their accounts can do what they should and nothing else", async () => {
    const manifest = await readFile(new URL("../../hack/sa.yaml", import.meta.url), "utf8");
    const roles = manifest.split("\n---\n").filter((document) => document.includes(`apiVersion: ${RBAC}/v1`));
    const apply = async () => printed(await admin(["apply", "-f", "-"], { input: roles.join("\n---\n") }));
    const names = ["clusterrole.rbac.authorization.k8s.io", "clusterrolebinding.rbac.authorization.k8s.io"].flatMap((kind) => [
      `${kind}/apiserver-poc-read`,
      `${kind}/apiserver-poc-admin`,
    ]);
    expect(await apply()).toBe(names.map((name) => `${name} created\n`).join(""));
    expect(await apply()).toBe(names.map((name) => `${name} unchanged\n`).join(""));
    const reader = await openKubectl(await tokenKubeconfig(server, "reader-token"), version);
    const writer = await openKubectl(await tokenKubeconfig(server, "writer-token"), version);
    const name = uniqueName("token");
    const input = JSON.stringify(token(name));
    expect((await reader(["create", "--validate=false", "-f", "-"], { input })).stderr).toContain("cannot create resource");
    expect(await writer(["create", "-f", "-"], { input })).toMatchObject({ code: 0 });
    expect(await reader(["get", "ranchertokens", "-A", "-o", "name"])).toMatchObject({ code: 0, stderr: "" });
    expect(await refused(reader, "delete", "ranchertoken", name)).toContain("cannot delete resource");
    expect(await writer(["delete", "ranchertoken", name])).toMatchObject({ code: 0 });
    for (const user of [reader, writer]) expect(await refused(user, "get", "secrets")).toContain('cannot list resource "secrets"');
  });

  test("auth reconcile brings roles and bindings up to date", async () => {
    const name = uniqueName("role");
    const role = (verbs: readonly string[]) =>
      JSON.stringify({
        apiVersion: `${RBAC}/v1`,
        kind: "ClusterRole",
        metadata: { name },
        rules: [{ verbs, apiGroups: [""], resources: ["secrets"] }],
      });
    expect(await admin(["auth", "reconcile", "-f", "-"], { input: role(["get"]) })).toMatchObject({ code: 0 });
    expect(await admin(["auth", "reconcile", "-f", "-"], { input: role(["get", "list"]) })).toMatchObject({ code: 0 });
    expect(parseObject(await ok("get", "clusterrole", name, "-o", "json"))).toMatchObject({
      rules: [
        { verbs: ["get"], apiGroups: [""], resources: ["secrets"] },
        { verbs: ["list"], apiGroups: [""], resources: ["secrets"] },
      ],
    });
  });
});
