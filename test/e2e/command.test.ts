// The command line, and the ways in which a server does not start: one line that says why, and a store that is as it was.
import { createHash } from "node:crypto";
import { open, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { token } from "./kubectl-suite.ts";
import type { Finished } from "./process.ts";
import { runServer, startServer, temporaryFolder } from "./server.ts";

const TOKENS = "/apis/tomlebreux.com/v1alpha1/namespaces/default/ranchertokens";

/** That a start was refused with an exit code and one line on standard error, and nothing else was printed. */
function expectRefusal(finished: Finished, code: number, line: RegExp): void {
  expect(finished).toMatchObject({ code, stdout: "" });
  expect(finished.stderr).toMatch(/^[^\n]+\n$/);
  expect(finished.stderr).toMatch(line);
}

/** Every file below a folder with its mode and a hash of its bytes. */
async function snapshot(folder: string): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    // Sockets and folders have no bytes of their own.
    if (!entry.isFile()) continue;
    const { mode } = await stat(path);
    files[path.slice(folder.length)] = `${(mode & 0o777).toString(8)} ${createHash("sha256")
      .update(await readFile(path))
      .digest("hex")}`;
  }
  return files;
}

/** A data folder that a server has worked in and left, with a token of each of the names. */
async function usedFolder(...names: readonly string[]): Promise<string> {
  const server = await startServer();
  for (const name of names) expect(await server.client().request("POST", TOKENS, token(name))).toMatchObject({ status: 201 });
  await server.stop();
  return server.dataDir;
}

describe("the command line", () => {
  test("--help names every option", async () => {
    const { code, stdout, stderr } = await runServer(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const documented = [...stdout.matchAll(/--([a-z-]+)/g)].map(([, name]) => name);
    expect(documented).toEqual(
      expect.arrayContaining(
        "secure-port bind-address data-dir token-auth-file tls-cert-file tls-private-key-file client-ca-file max-requests-inflight max-mutating-requests-inflight help".split(
          " ",
        ),
      ),
    );
    expect(stdout).toMatch(/^ +-v, /m);
    expect(stdout).toMatch(/9443/);
  });

  test.each([
    { args: ["--no-such-option"], says: /^unknown flag: --no-such-option/ },
    { args: ["--no-such-option=1"], says: /^unknown flag: --no-such-option/ },
    { args: ["-x"], says: /-x/ },
    { args: ["serve"], says: /^unknown argument "serve"/ },
    { args: ["--secure-port"], says: /^flag needs an argument: --secure-port/ },
    { args: ["--secure-port=http"], says: /^invalid argument "http" for "--secure-port" flag: / },
    { args: ["--secure-port=65536"], says: /^invalid argument "65536" for "--secure-port" flag: / },
    { args: ["--secure-port=-1"], says: /^invalid argument "-1" for "--secure-port" flag: / },
    { args: ["--bind-address=localhost:1"], says: /^invalid argument "localhost:1" for "--bind-address" flag: / },
    { args: ["-v=eleven"], says: /^invalid argument "eleven" for "-.*" flag: / },
    { args: ["--data-dir="], says: /--data-dir/ },
    { args: ["--tls-cert-file=a.pem"], says: /--tls-private-key-file/ },
    { args: ["--tls-private-key-file=a.pem"], says: /--tls-cert-file/ },
    { args: ["--max-requests-inflight=many"], says: /^invalid argument "many" for "--max-requests-inflight" flag: / },
    { args: ["--cluster-token-namespace=Not_A_Name"], says: /--cluster-token-namespace/ },
  ])("$args.0 is refused with one line and exit code 2", async ({ args, says }) => {
    const dataDir = join(await temporaryFolder(), "data");
    expectRefusal(await runServer([`--data-dir=${dataDir}`, "--secure-port=0", ...args]), 2, says);
    await expect(stat(dataDir)).rejects.toThrow("ENOENT");
  });
});

describe("the data folder", () => {
  test("holds the certificates, the administrator's kubeconfig and the store, for its owner alone", async () => {
    const server = await startServer({ dataDir: join(await temporaryFolder(), "new") });
    for (const folder of ["", "pki", "store"]) expect((await stat(join(server.dataDir, folder))).mode & 0o777, folder).toBe(0o700);
    const files = await snapshot(server.dataDir);
    for (const name of ["/admin.kubeconfig", "/pki/ca.key"]) expect(files[name]).toMatch(/^600 /);
    for (const [name, entry] of Object.entries(files)) {
      const text = await readFile(join(server.dataDir, name), "latin1");
      if (/PRIVATE KEY|client-key-data/.test(text)) expect(entry, name).toMatch(/^600 /);
    }
    expect(Object.keys(files)).toEqual(expect.arrayContaining(["/admin.kubeconfig", "/pki/ca.crt", "/pki/ca.key", "/store/annex.db"]));
    await server.stop();
  });

  test("a second start uses the certificates of the first", async () => {
    const dataDir = await usedFolder("a");
    const before = await snapshot(join(dataDir, "pki"));
    const server = await startServer({ dataDir });
    expect(await snapshot(join(dataDir, "pki"))).toEqual(before);
    expect(await server.client().request("GET", `${TOKENS}/a`)).toMatchObject({ status: 200 });
    await server.stop();
  });
});

describe("a start that cannot be", () => {
  test("a port in use", async () => {
    const dataDir = await usedFolder("a");
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const address = listener.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const before = await snapshot(dataDir);
    expectRefusal(await runServer([`--data-dir=${dataDir}`, `--secure-port=${address.port}`]), 1, new RegExp(`\\b${address.port}\\b.*in use`));
    await new Promise((resolve) => listener.close(resolve));
    expect(await snapshot(dataDir)).toEqual(before);
    await (await startServer({ dataDir })).stop();
  });

  test("a data folder that can't be made", async () => {
    const file = join(await temporaryFolder(), "file");
    await writeFile(file, "not a folder");
    expectRefusal(await runServer([`--data-dir=${join(file, "below")}`, "--secure-port=0"]), 1, new RegExp(file));
    expect(await readFile(file, "utf8")).toBe("not a folder");
  });

  test("files that are named and not there", async () => {
    for (const option of ["--token-auth-file", "--client-ca-file"]) {
      const finished = await runServer([`--data-dir=${await temporaryFolder()}`, "--secure-port=0", `${option}=/nowhere/file`]);
      expectRefusal(finished, 2, /\/nowhere\/file/);
    }
  });

  test("a store in use by another process, which goes on undisturbed", async () => {
    const server = await startServer();
    expect(await server.client().request("POST", TOKENS, token("a"))).toMatchObject({ status: 201 });
    const before = await snapshot(server.dataDir);
    expectRefusal(await runServer([`--data-dir=${server.dataDir}`, "--secure-port=0"]), 1, /in use|another process/);
    expect(await snapshot(server.dataDir)).toEqual(before);
    expect(await server.client().request("POST", TOKENS, token("b"))).toMatchObject({ status: 201 });
    expect(await server.client().request("GET", `${TOKENS}/a`)).toMatchObject({ status: 200 });
    await server.stop();
  });

  test("a socket or a lock that a killed server left does not matter", async () => {
    const first = await startServer();
    expect(await first.client().request("POST", TOKENS, token("a"))).toMatchObject({ status: 201 });
    first.process.kill("SIGKILL");
    expect(await first.process.finished).toMatchObject({ signal: "SIGKILL" });
    const second = await startServer({ dataDir: first.dataDir });
    expect(await second.client().request("GET", `${TOKENS}/a`)).toMatchObject({ status: 200 });
    await second.stop();
  });

  /** Writes over the bytes at an offset. */
  const overwrite = async (path: string, offset: number, bytes: Uint8Array) => {
    const file = await open(path, "r+");
    await file.write(bytes, 0, bytes.length, offset);
    await file.close();
  };

  /** Flips the lowest bit of the first byte of each place where a text stands. */
  const flipBitAt = (text: string) => async (path: string) => {
    const bytes = await readFile(path);
    const places: number[] = [];
    for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) places.push(at);
    expect(places.length).toBeGreaterThan(0);
    for (const at of places) await overwrite(path, at, Uint8Array.of((bytes[at] ?? 0) ^ 1));
  };

  test.each([
    { damage: "cut to half its length", apply: async (path: string) => truncate(path, Math.floor((await stat(path)).size / 2)) },
    { damage: "its header overwritten", apply: (path: string) => overwrite(path, 0, Buffer.alloc(64, 0x5a)) },
    { damage: "one bit flipped in an object", apply: flipBitAt("token-7") },
    { damage: "its file removed", apply: (path: string) => rm(path) },
    { damage: "another program's file", apply: (path: string) => writeFile(path, "#!/bin/sh\necho not a store\n") },
  ])("a store with $damage", async ({ apply }) => {
    const dataDir = await usedFolder(...Array.from({ length: 20 }, (_, index) => `token-${index}`));
    const store = join(dataDir, "store", "annex.db");
    await apply(store);
    const before = await snapshot(dataDir);
    expectRefusal(await runServer([`--data-dir=${dataDir}`, "--secure-port=0"]), 1, /store|annex\.db/);
    expect(await snapshot(dataDir)).toEqual(before);
  });

  test.each([
    { args: ["--data-dir=/proc/annex"], code: 1, says: /\/proc\/annex/ },
    { args: ["--client-ca-file=README.md"], code: 2, says: /README\.md has no certificate/ },
    { args: ["--tls-cert-file=README.md", "--tls-private-key-file=README.md"], code: 2, says: /README\.md has no certificate/ },
    { args: ["--token-auth-file=no-such-file.csv"], code: 2, says: /no-such-file\.csv/ },
  ])("$args", async ({ args, code, says }) => {
    const dataDir = await temporaryFolder();
    expectRefusal(await runServer([`--data-dir=${dataDir}`, "--secure-port=0", ...args]), code, says);
  });

  test("a damaged CA key is not written over", async () => {
    const dataDir = await usedFolder("a");
    await writeFile(join(dataDir, "pki", "ca.key"), "nothing of use");
    const before = await snapshot(dataDir);
    expectRefusal(await runServer([`--data-dir=${dataDir}`, "--secure-port=0"]), 1, /ca\.key/);
    expect(await snapshot(dataDir)).toEqual(before);
  });

  test("tokens without the key of their MACs, until they are given up", async () => {
    const dataDir = await usedFolder("a");
    const key = join(dataDir, "token-mac.key");
    await rm(key);
    const before = await snapshot(dataDir);
    expectRefusal(await runServer([`--data-dir=${dataDir}`, "--secure-port=0"]), 1, /token-mac\.key is missing, .* backup/);
    expect(await snapshot(dataDir)).toEqual(before);
    await writeFile(key, Buffer.alloc(32, 1));
    const server = await startServer({ dataDir });
    expect(await server.client().request("GET", `${TOKENS}/a`)).toMatchObject({
      status: 200,
      text: expect.stringContaining('"healthy":false'),
    });
    await server.stop();
  });
});
