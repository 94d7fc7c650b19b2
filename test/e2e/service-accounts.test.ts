// Service accounts and their tokens, who somebody is and what they may do, and acting as somebody else: as kubectl does all of it.
import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Kubectl, openKubectl, uniqueName } from "./kubectl.ts";
import { describeKubectl, parseObject, parseTable, token } from "./kubectl-suite.ts";
import { startServer, temporaryFolder, tokenKubeconfig } from "./server.ts";

const NAMES = ["apiserver-poc-read", "apiserver-poc-admin"] as const;
const userOf = (name: string, namespace = "default") => `system:serviceaccount:${namespace}:${name}`;
const payloadOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;

describeKubectl((context) => {
  const { ok, okWith, fails, newNamespace, version } = context;
  const minor = Number(version.slice(2));

  /** A kubectl that acts under a token of a service account. */
  const openAs = async (jwt: string): Promise<Kubectl> => openKubectl(await tokenKubeconfig(context.server, jwt.trim()), version);
  const applySample = () => ok("apply", "-f", "hack/sa.yaml");

  test("every namespace has the account default, and has it again after its deletion", async () => {
    const namespace = await newNamespace();
    const names = async () => ok("get", "sa", "-n", namespace, "-o", "name");
    await expect.poll(names, { timeout: 10_000 }).toBe("serviceaccount/default\n");
    const [row] = parseTable(await ok("get", "serviceaccounts", "-n", namespace));
    expect(row).toEqual({ NAME: "default", AGE: expect.stringMatching(/^\d+s$/) });
    expect(await ok("delete", "sa", "default", "-n", namespace)).toMatch(/^serviceaccount "default" deleted/);
    await expect.poll(names, { timeout: 10_000 }).toBe("serviceaccount/default\n");
    expect(await ok("create", "serviceaccount", "robot", "-n", namespace)).toBe("serviceaccount/robot created\n");
    expect(await ok("describe", "sa", "robot", "-n", namespace)).toMatch(/^Name: +robot$/m);
  });

  test("create token: for whom, for how long, bound to what", async () => {
    const namespace = await newNamespace();
    await ok("create", "sa", "robot", "-n", namespace);
    const create = (...args: readonly string[]) => ok("create", "token", "robot", "-n", namespace, ...args);
    expect(payloadOf(await create())).toMatchObject({ sub: userOf("robot", namespace), aud: ["https://kubernetes.default.svc.cluster.local"] });
    const { iat, exp, aud } = payloadOf(await create("--duration=20m", "--audience=a", "--audience=b"));
    expect([Number(exp) - Number(iat), aud]).toEqual([1200, ["a", "b"]]);
    expect(parseObject(await create("-o", "json"))).toMatchObject({ kind: "TokenRequest", status: { token: expect.any(String) } });
    await ok("create", "secret", "generic", "sec", "-n", namespace);
    const bound = await create("--bound-object-kind=Secret", "--bound-object-name=sec");
    expect(payloadOf(bound)["kubernetes.io"]).toMatchObject({ secret: { name: "sec" } });
    const robot = await openAs(bound);
    expect((await robot(["get", "--raw", "/apis"])).code).toBe(0);
    await ok("delete", "secret", "sec", "-n", namespace);
    expect((await robot(["get", "--raw", "/apis"])).stderr).toContain("You must be logged in to the server");

    const refused = (...args: readonly string[]) => fails("create", "token", "robot", "-n", namespace, ...args);
    expect(await refused("--duration=5m")).toBe(
      'error: failed to create token: TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 300: may not specify a duration less than 10 minutes\n',
    );
    expect(await refused("--bound-object-kind=Pod", "--bound-object-name=x")).toBe('error: failed to create token: pods "x" not found\n');
    expect(await fails("create", "token", "nobody", "-n", namespace)).toBe('error: failed to create token: serviceaccounts "nobody" not found\n');
  });

  test("the accounts of hack/sa.yaml can do what they should, and nothing else", async () => {
    await applySample();
    expect(await applySample()).toMatch(/^(\S+ unchanged\n){6}$/);
    const [reader, writer] = await Promise.all(NAMES.map(async (name) => openAs(await ok("create", "token", name))));
    if (reader === undefined || writer === undefined) throw new Error("two were opened");
    const namespace = await newNamespace();
    const input = JSON.stringify(token("foo"));
    const create = ["create", "-n", namespace, "-f", "-"];
    expect((await reader(create, { input })).stderr).toContain(
      `User "${userOf("apiserver-poc-read")}" cannot create resource "ranchertokens" in API group "tomlebreux.com" in the namespace "${namespace}"`,
    );
    expect(await writer(create, { input })).toMatchObject({ code: 0 });
    for (const user of [reader, writer]) {
      expect(await user(["get", "ranchertokens", "-A", "-o", "name"])).toMatchObject({ code: 0, stdout: expect.stringContaining("/foo\n") });
      for (const what of ["secrets", "namespaces", "serviceaccounts", "clusterroles"]) {
        expect((await user(["get", what])).stderr).toContain(`cannot list resource "${what}"`);
      }
      expect((await user(["create", "token", "apiserver-poc-admin"])).stderr).toContain('cannot create resource "serviceaccounts/token"');
      expect((await user(["get", "--raw", "/api", "--as=kubernetes-admin"])).stderr).toContain("cannot impersonate-on:user-info:get");
    }
    expect((await reader(["delete", "ranchertoken", "foo", "-n", namespace])).stderr).toContain("cannot delete resource");
    expect(await writer(["delete", "ranchertoken", "foo", "-n", namespace])).toMatchObject({ code: 0 });
  });

  test("auth can-i, for oneself and for others, and --list", async () => {
    await applySample();
    const reader = ["--as", userOf("apiserver-poc-read")];
    const writer = ["--as", userOf("apiserver-poc-admin")];
    const canI = async (...args: readonly string[]) => {
      const { code, stdout } = await context.kubectl(["auth", "can-i", ...args]);
      expect(code).toBe(stdout.startsWith("yes") ? 0 : 1);
      return stdout;
    };
    const table: readonly (readonly [readonly string[], RegExp])[] = [
      [["*", "*"], /^yes$/m],
      [["list", "ranchertokens.tomlebreux.com", ...reader], /^yes$/m],
      [["create", "ranchertokens.tomlebreux.com", ...reader], /^no$/m],
      [["create", "ranchertokens.tomlebreux.com", ...writer], /^yes$/m],
      [["get", "secrets", ...writer], /^no$/m],
      [["get", "/version", ...reader], /^yes$/m],
      [["get", "/metrics", ...reader], /^no$/m],
      [["get", "secrets", "--as=bob"], /^no$/m],
      [["get", "secrets", "--as=bob", "--as-group=system:masters"], /^yes$/m],
    ];
    for (const [args, want] of table) expect(await canI(...args), args.join(" ")).toMatch(want);
    const listed = await ok("auth", "can-i", "--list", ...reader);
    expect(listed).toMatch(/^\*\.tomlebreux\.com +\[\] +\[\] +\[get list watch\]$/m);
    expect(listed).not.toMatch(/^\*\.\* /m);
    expect(await ok("auth", "can-i", "--list")).toMatch(/^\*\.\* +\[\] +\[\] +\[\*\]$/m);
  });

  test.skipIf(minor < 28)("auth whoami: oneself, an account by its token, and somebody else", async () => {
    await applySample();
    const rows = (text: string) => Object.fromEntries(parseTable(text).map(({ ATTRIBUTE, VALUE }) => [ATTRIBUTE, VALUE]));
    expect(rows(await ok("auth", "whoami"))).toMatchObject({ Username: "kubernetes-admin", Groups: "[system:masters system:authenticated]" });
    const reader = await openAs(await ok("create", "token", "apiserver-poc-read"));
    expect(rows((await reader(["auth", "whoami"])).stdout)).toMatchObject({
      Username: userOf("apiserver-poc-read"),
      UID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      Groups: "[system:serviceaccounts system:serviceaccounts:default system:authenticated]",
    });
    const as = ["--as=bob", "--as-group=a,b", "--as-group=c", "--as-uid=7"];
    expect(rows(await ok("auth", "whoami", ...as))).toEqual({ Username: "bob", UID: "7", Groups: "[a,b c system:authenticated]" });
  });

  test("who may act as somebody else may do so by that right alone", async () => {
    const namespace = await newNamespace();
    const name = uniqueName("deputy");
    await ok("create", "sa", "deputy", "-n", namespace);
    await ok("create", "clusterrole", name, "--verb=impersonate", "--resource=users", "--resource-name=carol");
    await ok("create", "clusterrolebinding", name, `--clusterrole=${name}`, `--serviceaccount=${namespace}:deputy`);
    await ok("create", "rolebinding", "carol", "--clusterrole=view", "--user=carol", "-n", namespace);
    const deputy = await openAs(await ok("create", "token", "deputy", "-n", namespace));
    const get = (...args: readonly string[]) => deputy(["get", "serviceaccounts", "-n", namespace, "-o", "name", ...args]);
    expect((await get()).code).toBe(1);
    expect(await get("--as=carol")).toMatchObject({ code: 0, stdout: expect.stringContaining("serviceaccount/deputy\n") });
    for (const args of [["--as=dave"], ["--as=carol", "--as-group=system:masters"], ["--as=carol", "--as-uid=1"]]) {
      expect((await get(...args)).code, args.join(" ")).toBe(1);
    }
  });

  test("reviews by hand: whose a token is, and what somebody may do", async () => {
    const name = uniqueName("robot");
    await ok("create", "sa", name);
    const jwt = (await ok("create", "token", name)).trim();
    const review = (spec: object) =>
      okWith({ apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec }, "create", "--validate=false", "-f", "-", "-o", "json");
    expect(parseObject(await review({ token: jwt })).status).toMatchObject({ authenticated: true, user: { username: userOf(name) } });
    expect(parseObject(await review({ token: `${jwt}x` })).status).toMatchObject({ user: {}, error: expect.any(String) });
    const access = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: { user: "nobody", resourceAttributes: { verb: "get", resource: "secrets" } },
    };
    expect(parseObject(await okWith(access, "create", "--validate=false", "-f", "-", "-o", "json")).status).toEqual({ allowed: false });
  });
});

describe("the keys of tokens", () => {
  test("outlive the server, and one that is rotated out goes on where it is named", async () => {
    const dataDir = await temporaryFolder();
    const first = await startServer({ dataDir });
    const admin = first.client();
    const accounts = "/api/v1/namespaces/default/serviceaccounts";
    expect((await admin.request("POST", accounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "robot" } })).status).toBe(201);
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest" };
    const created = await admin.request("POST", `${accounts}/robot/token`, request);
    expect(created.status).toBe(201);
    const { token: jwt } = (JSON.parse(created.text) as { status: { token: string } }).status;
    await first.stop();
    const again = await startServer({ dataDir });
    expect((await again.client({ token: jwt }).request("GET", "/apis")).status).toBe(200);
    expect(again.output()).not.toContain(jwt);
    await again.stop();
    const newKey = join(await temporaryFolder(), "new.key");
    await writeFile(newKey, generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    for (const [named, status] of [
      [[], 401],
      [[`--service-account-key-file=${join(dataDir, "sa.key")}`], 200],
    ] as const) {
      const rotated = await startServer({ dataDir, args: [`--service-account-signing-key-file=${newKey}`, ...named] });
      expect((await rotated.client({ token: jwt }).request("GET", "/apis")).status).toBe(status);
      await rotated.stop();
    }
  });
});
