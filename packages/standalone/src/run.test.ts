import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { admissionWebhook } from "@annex/apiserver";
import { type ControllerServices, PKIError, type ProgramSetup } from "@annex/apiserver-node";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runStandalone } from "./run.ts";

let dataDir: string;
let printed: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "standalone-"));
  printed = "";
  const print = (text: string | Uint8Array) => {
    printed += String(text);
    return true;
  };
  vi.spyOn(process.stderr, "write").mockImplementation(print);
  vi.spyOn(process.stdout, "write").mockImplementation(print);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(dataDir, { recursive: true, force: true });
});

const run = (args: readonly string[], setup: () => ProgramSetup = () => ({ resources: [] })) =>
  runStandalone({ usage: "Usage: it", version: "It 1.2.3", options: {}, setup }, ["--data-dir", dataDir, "--secure-port", "0", ...args]);

describe("a program of a whole server", () => {
  test("explains itself", async () => {
    expect(await run(["--help"])).toBe(0);
    expect(printed).toMatch(/^Usage: it\n[\s\S]*--secure-port[\s\S]*--data-dir/);
    printed = "";
    expect(await run(["--version"])).toBe(0);
    expect(printed).toBe("It 1.2.3\n");
  });

  test.each([["--nonsense"], ["--secure-port=x"], ["--tls-cert-file=only-one"]])("a bad command line is one line and 2: %s", async (...args) => {
    expect(await run(args)).toBe(2);
    expect(printed).toMatch(/^[^\n]+\n$/);
  });

  test("a file of the operator's that is not there is one line and 2", async () => {
    expect(await run(["--token-auth-file", join(dataDir, "missing.csv")])).toBe(2);
    expect(printed).toMatch(/^cannot read .*missing\.csv: there is no such file or folder\n$/);
  });

  test("CustomResourceDefinitions that cannot be served are a line for each fault and 2, and nothing is written", async () => {
    const file = join(dataDir, "widgets.yaml");
    await writeFile(file, "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {group: a.b, versions: []}\n");
    expect(await run(["--crd", file])).toBe(2);
    expect(printed).toContain(`${file}: spec.scope: Required value\n`);
    expect(printed.split("\n").every((line) => line === "" || line.startsWith(`${file}: `))).toBe(true);
    expect(await readdir(dataDir)).toEqual(["widgets.yaml"]);
  });

  test("a program with webhooks is one line and 2: nobody would call them", async () => {
    const rules = [{ apiGroups: ["*"], apiVersions: ["*"], resources: ["*"], operations: ["*"] }] as const;
    const webhook = admissionWebhook({ name: "a.example.com", path: "/a", rules, validate: () => undefined });
    expect(await run([], () => ({ resources: [], webhooks: [webhook] }))).toBe(2);
    expect(printed).toMatch(/^this program serves admission webhooks, which takes a cluster [^\n]+\n$/);
  });

  test("a port in use is one line and 1, and leaves the store for the next", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const address = other.address();
    const port = typeof address === "object" ? String(address?.port) : "";
    try {
      for (let attempt = 0; attempt < 2; attempt++) {
        printed = "";
        expect(await run(["--secure-port", port])).toBe(1);
        expect(printed).toMatch(/^[^\n]*in use[^\n]*\n$/);
      }
    } finally {
      other.close();
    }
  });

  test("a set-up that fails closes the store", async () => {
    const fail = () => {
      throw new PKIError("no key");
    };
    for (let attempt = 0; attempt < 2; attempt++) {
      printed = "";
      expect(await run([], fail)).toBe(1);
      expect(printed).toBe("no key\n");
    }
  });

  test("a data folder that is a file is one line and 1", async () => {
    const file = join(dataDir, "file");
    await writeFile(file, "");
    expect(await run(["--data-dir", file])).toBe(1);
    expect(printed).toMatch(/^[^\n]+\n$/);
  });

  test.each<{ what: string; work: () => Promise<void> }>([
    {
      what: "rejects",
      work: async () => {
        await sleep(50);
        throw new Error("own work");
      },
    },
    {
      what: "throws",
      work: () => {
        throw new Error("own work");
      },
    },
  ])("own work that $what stops the server in good order, with 1", async ({ work }) => {
    for (let attempt = 0; attempt < 2; attempt++) {
      printed = "";
      let isTold = false;
      const ownWork = (_services: ControllerServices, signal: AbortSignal) => {
        signal.addEventListener("abort", () => {
          isTold = true;
        });
        return work();
      };
      expect(await run([], () => ({ resources: [], run: ownWork }))).toBe(1);
      expect([isTold, printed]).toEqual([true, expect.stringMatching(/^Serving https:[^\0]+ {2}export KUBECONFIG=[^\n]+\n\n$/)]);
    }
  });

  test("serves until SIGTERM, tells where, and ends its own work", async () => {
    const ended: string[] = [];
    const setup = (): ProgramSetup => ({
      resources: [],
      namespaces: ["own"],
      run: async ({ verbsOf, context }, signal) => {
        const own = await verbsOf("", "namespaces").get?.({ namespace: "", name: "own" }, { type: "MostRecent" }, context(signal));
        ended.push(own?.name ?? "");
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
        ended.push("aborted");
      },
    });
    const running = run([], setup);
    await vi.waitFor(() => expect(printed).toContain("export KUBECONFIG="), 10_000);
    expect(printed).toMatch(/^Serving https:\/\/127\.0\.0\.1:\d+\n\n {2}v1: namespaces, secrets, serviceaccounts\n[\s\S]+\n\n {2}export KUBECONFIG=/);
    process.emit("SIGTERM");
    expect(await running).toBe(0);
    expect(ended).toEqual(["own", "aborted"]);
  }, 20_000);
});
