// Who gets in, and what never gets out.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Kubectl, openKubectl } from "./kubectl.ts";
import { parseObject, parseTable, plaintextOf, token } from "./kubectl-suite.ts";
import { startServer, type TestServer, temporaryFolder, tokenKubeconfig } from "./server.ts";

const TOKENS = "/apis/tomlebreux.com/v1alpha1/namespaces/default/ranchertokens";

async function startWithTokenFile(...args: readonly string[]): Promise<TestServer> {
  const path = join(await temporaryFolder(), "tokens.csv");
  await writeFile(path, 'alice-token,alice,1001,"developers,testers"\nroot-token,root,1,system:masters\n', { mode: 0o600 });
  return startServer({ args: [`--token-auth-file=${path}`, ...args] });
}

describe("users of the token auth file, and nobody in particular", () => {
  let server: TestServer;
  let alice: Kubectl;
  beforeAll(async () => {
    server = await startWithTokenFile();
    alice = await openKubectl(await tokenKubeconfig(server, "alice-token"));
  });
  afterAll(async () => {
    await server.stop();
  });

  test.each([
    {
      args: ["get", "ranchertokens"],
      says: 'Error from server (Forbidden): ranchertokens.tomlebreux.com is forbidden: User "alice" cannot list resource "ranchertokens" in API group "tomlebreux.com" in the namespace "default"\n',
    },
    {
      args: ["get", "ranchertoken", "foo", "-n", "elsewhere"],
      says: 'Error from server (Forbidden): ranchertokens.tomlebreux.com "foo" is forbidden: User "alice" cannot get resource "ranchertokens" in API group "tomlebreux.com" in the namespace "elsewhere"\n',
    },
    {
      args: ["get", "namespaces"],
      says: 'Error from server (Forbidden): namespaces is forbidden: User "alice" cannot list resource "namespaces" in API group "" at the cluster scope\n',
    },
    { args: ["get", "--raw", "/metrics"], says: 'Error from server (Forbidden): forbidden: User "alice" cannot get path "/metrics"\n' },
  ])("alice: kubectl $args.0 $args.1", async ({ args, says }) => {
    expect(await alice(args)).toEqual({ code: 1, signal: undefined, stdout: "", stderr: says });
  });

  test("alice sees what there is, and root all that is in it", async () => {
    const resources = await alice(["api-resources", "-o", "name", "--sort-by=name"]);
    const rbac = (plural: string) => `${plural}.rbac.authorization.k8s.io`;
    const names = [
      "clusterranchertokens.tomlebreux.com",
      rbac("clusterrolebindings"),
      rbac("clusterroles"),
      "localsubjectaccessreviews.authorization.k8s.io",
      "namespaces",
      "ranchertokens.tomlebreux.com",
      rbac("rolebindings"),
      rbac("roles"),
      "secrets",
      "selfsubjectaccessreviews.authorization.k8s.io",
      "selfsubjectreviews.authentication.k8s.io",
      "selfsubjectrulesreviews.authorization.k8s.io",
      "serviceaccounts",
      "storageversionmigrations.storagemigration.k8s.io",
      "subjectaccessreviews.authorization.k8s.io",
      "tokenreviews.authentication.k8s.io",
    ];
    expect(resources).toMatchObject({ code: 0, stdout: `${names.join("\n")}\n` });
    const root = await openKubectl(await tokenKubeconfig(server, "root-token"));
    const { code, stdout } = await root(["get", "ns"]);
    expect(code).toBe(0);
    expect(parseTable(stdout).map(({ NAME }) => NAME)).toContain("default");
  });

  test.each([
    { path: "/version", status: 200 },
    { path: "/healthz", status: 200 },
    { path: "/livez", status: 200 },
    { path: "/readyz", status: 200 },
    { path: "/api", status: 403, says: 'forbidden: User "system:anonymous" cannot get path "/api"' },
    { path: "/openapi/v3", status: 403, says: 'forbidden: User "system:anonymous" cannot get path "/openapi/v3"' },
    {
      path: TOKENS,
      status: 403,
      says: 'ranchertokens.tomlebreux.com is forbidden: User "system:anonymous" cannot list resource "ranchertokens" in API group "tomlebreux.com" in the namespace "default"',
    },
  ])("without credentials: $path answers $status", async ({ path, status, says }) => {
    const answer = await server.client("anonymous").request("GET", path);
    expect(answer).toMatchObject({ status, headers: { "audit-id": expect.stringMatching(/^[0-9a-f-]{36}$/) } });
    if (says !== undefined) {
      expect(JSON.parse(answer.text)).toMatchObject({
        kind: "Status",
        apiVersion: "v1",
        status: "Failure",
        reason: "Forbidden",
        code: 403,
        message: says,
      });
    }
  });

  test("a bearer token that nobody knows is 401, even for what everybody may see", async () => {
    for (const path of ["/version", TOKENS]) {
      const answer = await server.client({ token: "guessed" }).request("GET", path);
      expect(answer.status).toBe(401);
      expect(JSON.parse(answer.text)).toMatchObject({ kind: "Status", reason: "Unauthorized", code: 401, message: "Unauthorized" });
    }
  });
});

describe("the plaintext of a token", () => {
  /** The files below a folder that hold one of the texts, in whatever encoding of characters. */
  async function filesWith(folder: string, texts: readonly string[]): Promise<readonly string[]> {
    const found: string[] = [];
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(join(entry.parentPath, entry.name));
      if (texts.some((text) => bytes.includes(text) || bytes.includes(Buffer.from(text, "utf16le")))) found.push(entry.name);
    }
    return found;
  }

  /** The forms in which a plaintext could lie somewhere: itself, the random part alone, and what a Secret's data would hold. */
  const formsOf = (plaintext: string) => {
    const random = plaintext.match(/[A-Za-z0-9_-]{40,}$/)?.[0];
    if (random === undefined) throw new Error(`256 random bits at the end were expected of ${plaintext}`);
    return [plaintext, random, Buffer.from(plaintext).toString("base64"), Buffer.from(plaintext).toString("hex")];
  };

  test("is in the answer to the create alone: not in the data folder, not in any output, however much is logged", async () => {
    const server = await startWithTokenFile("-v=10");
    const admin = server.client();
    const watch = await admin.watch(`${TOKENS}?watch=true`);
    const created = await admin.request("POST", TOKENS, token("needle"));
    const plaintext = plaintextOf(created.text);
    const other = plaintextOf((await admin.request("POST", `${TOKENS}?fieldValidation=Strict`, token("needle-two"))).text);
    expect(other).not.toBe(plaintext);

    const later: string[] = [];
    const ask = async (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => {
      const { status, text } = await admin.request(method, path, body, headers);
      later.push(text);
      return status;
    };
    expect(await ask("POST", TOKENS, token("needle"))).toBe(409);
    expect(await ask("POST", `${TOKENS}?dryRun=All`, token("needle-dry"))).toBe(201);
    // Whoever kept the answer and sends it back, as it is or with a fault in it.
    const answer = parseObject(created.text);
    expect(await ask("PUT", `${TOKENS}/needle`, { ...answer, spec: { ...answer.spec, enabled: "false" } })).toBe(200);
    expect(await ask("PUT", `${TOKENS}/needle`, { ...answer, spec: { ...answer.spec, userID: "another" } })).toBeGreaterThanOrEqual(409);
    expect(await ask("PUT", `${TOKENS}/needle`, `${JSON.stringify(answer)}}`)).toBe(400);
    const merge = { "content-type": "application/merge-patch+json" };
    expect(await ask("PATCH", `${TOKENS}/needle`, { status: { plaintextToken: plaintext } }, merge)).toBe(200);
    expect(await ask("PATCH", `${TOKENS}/needle`, { status: { plaintextToken: [plaintext] } }, merge)).toBeGreaterThanOrEqual(200);
    expect(await ask("POST", TOKENS, { ...token("needle-three"), status: { plaintextToken: plaintext } })).toBe(201);
    expect(later.pop()).not.toContain(plaintext);
    expect(await ask("GET", TOKENS)).toBe(200);
    expect(await ask("GET", "/api/v1/secrets")).toBe(200);
    expect(await ask("GET", "/metrics")).toBe(200);
    later.push((await server.client({ token: plaintext }).request("GET", TOKENS)).text);
    await watch.atLeast(3);
    later.push(JSON.stringify(watch.events));
    watch.close();

    const forms = [...formsOf(plaintext), ...formsOf(other)];
    // The search finds what is there.
    expect(await filesWith(server.dataDir, ["needle-two"])).not.toEqual([]);
    expect(await filesWith(server.dataDir, forms)).toEqual([]);
    await server.stop();
    expect(await filesWith(server.dataDir, forms)).toEqual([]);
    for (const text of [...later, server.output()]) for (const form of forms) expect(text).not.toContain(form);
    for (const secret of ["alice-token", "root-token"]) expect(server.output()).not.toContain(secret);
  });
});
