import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KubeconfigError } from "./cluster-config.ts";
import { inClusterConfig } from "./in-cluster.ts";
import { loadKubeconfig } from "./kubeconfig.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "annex-kubeconfig-"));
  await writeFile(join(folder, "ca.crt"), "CA of a file");
  await writeFile(join(folder, "token"), "from-file\n");
});
afterAll(() => rm(folder, { recursive: true }));

const base64 = (text: string) => Buffer.from(text).toString("base64");

async function load({ cluster = {}, user = {}, context = {}, ...config }: Record<string, object | undefined>) {
  const path = join(folder, "config");
  const whole = {
    "current-context": "one",
    contexts: [{ name: "one", context: { cluster: "c", user: "u", ...context } }],
    clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:6443", ...cluster } }],
    users: [{ name: "u", user }],
    ...config,
  };
  await writeFile(path, JSON.stringify(whole));
  return loadKubeconfig(path);
}

describe("a kubeconfig", () => {
  test.each([
    { user: { token: "abc" }, authorization: "Bearer abc", tls: {} },
    { user: { token: "abc", tokenFile: "token" }, authorization: "Bearer from-file", tls: {} },
    { cluster: { "certificate-authority": "ca.crt", "tls-server-name": "kubernetes" }, tls: { ca: "CA of a file", servername: "kubernetes" } },
    {
      cluster: { "certificate-authority-data": base64("CA") },
      user: { "client-certificate-data": base64("cert"), "client-key-data": base64("key") },
      tls: { ca: "CA", cert: "cert", key: "key" },
    },
    {
      user: {
        exec: {
          apiVersion: "client.authentication.k8s.io/v1",
          command: process.execPath,
          args: ["-e", "console.log(JSON.stringify({ status: { token: process.env.SAY + JSON.parse(process.env.KUBERNETES_EXEC_INFO).kind } }))"],
          env: [{ name: "SAY", value: "said-" }],
        },
      },
      authorization: "Bearer said-ExecCredential",
      tls: {},
    },
  ])("$cluster $user", async ({ cluster, user, authorization, tls }) => {
    const config = await load({ cluster, user });
    expect(config).toMatchObject({ server: "https://127.0.0.1:6443", namespace: "default", tls });
    expect(await config.authorization()).toBe(authorization);
    // What stands in the kubeconfig itself was read once and for all.
    expect(await config.rereadTLS?.()).toEqual(cluster !== undefined && "certificate-authority" in cluster ? tls : undefined);
  });

  test.each<{ config: Record<string, object | undefined>; message: string }>([
    { config: { cluster: { server: "http://a" } }, message: 'the server must be a URL that begins with https://, not "http://a"' },
    {
      config: { cluster: { "insecure-skip-tls-verify": true } },
      message: "insecure-skip-tls-verify is not supported: give the certificate-authority",
    },
    { config: { cluster: { "proxy-url": "socks5://a" } }, message: "proxy-url is not supported" },
    { config: { user: { username: "a", password: "b" } }, message: "a user name with a password is not supported" },
    { config: { user: { "auth-provider": { name: "gcp" } } }, message: "auth-provider is not supported: use exec" },
    { config: { user: { "client-key-data": base64("key") } }, message: "a client certificate and its key belong together" },
    { config: { user: { "client-certificate": "no.crt" } }, message: "no.crt: there is no such file or folder" },
    { config: { user: { exec: { apiVersion: "v9", command: "a" } } }, message: 'apiVersion "v9", which is not known' },
    { config: { contexts: [] }, message: 'has no context named "one"' },
    { config: { clusters: [] }, message: 'has no cluster named "c"' },
    { config: { users: [] }, message: 'has no user named "u"' },
    { config: { user: { token: "two words" } }, message: "the token of the kubeconfig is no bearer token" },
  ])("that cannot be used: $message", async ({ config, message }) => {
    const failure: unknown = await load(config).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(KubeconfigError);
    expect(String(failure)).toContain(message);
  });

  test.each(["console.log('secret-thing')", "console.error('secret-thing'); process.exit(3)"])(
    "a command that fails does not show what it said: %s",
    async (code) => {
      const exec = { apiVersion: "client.authentication.k8s.io/v1", command: process.execPath, args: ["-e", code], installHint: "install it" };
      const failure: unknown = await (await load({ user: { exec } })).authorization().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(KubeconfigError);
      expect(`${String(failure)} ${JSON.stringify((failure as Error).cause)}`).not.toContain("secret-thing");
    },
  );
});

describe("in a pod", () => {
  test("is what kubelet put there; the token is read again when it was refused", async () => {
    await writeFile(join(folder, "namespace"), "annex\n");
    const config = await inClusterConfig({ KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" }, folder);
    expect(config).toMatchObject({ server: "https://[fd00::1]:443", namespace: "annex", tls: { ca: "CA of a file" } });
    expect(await config.authorization()).toBe("Bearer from-file");
    await writeFile(join(folder, "token"), "renewed");
    expect(await config.authorization()).toBe("Bearer from-file");
    config.forgetCredentials();
    expect(await config.authorization()).toBe("Bearer renewed");
    await writeFile(join(folder, "token"), "from-file");
    const before = await readFile(join(folder, "ca.crt"), "utf8");
    await writeFile(join(folder, "ca.crt"), "another CA");
    expect(await config.rereadTLS?.()).toEqual({ ca: "another CA" });
    await writeFile(join(folder, "ca.crt"), before);
  });

  test.each([{}, { KUBERNETES_SERVICE_HOST: "10.0.0.1" }])("outside of one there is none: %o", async (env) => {
    await expect(inClusterConfig(env, folder)).rejects.toThrow("this is no pod of a cluster");
  });
});
