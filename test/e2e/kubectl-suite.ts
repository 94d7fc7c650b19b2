// What the suites that run kubectl have in common: one server, one kubectl of each version, and how to read what it prints.
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect } from "vitest";
import { KUBECTL_LIMIT_MS, type Kubectl, kubectlVersions, openKubectl, uniqueName } from "./kubectl.ts";
import type { Finished } from "./process.ts";
import { startServer, type TestServer } from "./server.ts";

/** What the tests of one version of kubectl work with; ready when a test runs. */
export interface KubectlContext {
  readonly version: string;
  readonly kubectl: Kubectl;
  /** Runs a command that is to succeed and to complain about nothing. @returns its standard output. */
  ok(...args: readonly string[]): Promise<string>;
  /** As {@link ok}, with the object on standard input, for `-f -`. */
  okWith(input: unknown, ...args: readonly string[]): Promise<string>;
  /** Runs a command that is to fail with exit code 1. @returns its standard error. */
  fails(...args: readonly string[]): Promise<string>;
  failsWith(input: unknown, ...args: readonly string[]): Promise<string>;
  /** Makes a namespace for a test of its own. */
  newNamespace(): Promise<string>;
  /** An editor for `kubectl edit`: a script that has `sed` change the file. */
  editor(sedScript: string): Promise<Readonly<Record<string, string>>>;
}

/** Where `npm start` is what kubectl talks to. */
export interface ServerContext extends KubectlContext {
  readonly server: TestServer;
}

/** Declares the tests once for every version of kubectl, each on a server of its own. */
export function describeKubectl(declare: (context: ServerContext) => void): void {
  describe.each(kubectlVersions())("kubectl %s", (version) => {
    let opened: { server: TestServer; kubectl: Kubectl } | undefined;
    beforeAll(async () => {
      const server = await startServer();
      opened = { server, kubectl: await openKubectl(server.kubeconfig, version) };
      return async () => {
        await server.stop();
      };
    }, KUBECTL_LIMIT_MS);
    const use = () => {
      if (opened === undefined) throw new Error("used before it was set up");
      return opened;
    };
    const context = createContext(version, () => use().kubectl);
    declare(Object.defineProperty(context, "server", { get: () => use().server }) as ServerContext);
  });
}

/** @param use kubectl, once it was opened. */
export function createContext(version: string, use: () => Kubectl): KubectlContext {
  const run = async (args: readonly string[], input: unknown) =>
    use()(args, input === undefined ? {} : { input: typeof input === "string" ? input : JSON.stringify(input) });
  const okWith = async (input: unknown, ...args: readonly string[]) => printed(await run(args, input));
  const failsWith = async (input: unknown, ...args: readonly string[]) => {
    const finished = await run(args, input);
    expect(finished).toMatchObject({ code: 1 });
    return finished.stderr;
  };
  return {
    version,
    get kubectl() {
      return use();
    },
    ok: (...args) => okWith(undefined, ...args),
    okWith,
    fails: (...args) => failsWith(undefined, ...args),
    failsWith,
    async newNamespace() {
      const name = uniqueName("walk");
      expect(await okWith(undefined, "create", "ns", name)).toBe(`namespace/${name} created\n`);
      return name;
    },
    async editor(sedScript) {
      const path = join(use().home, uniqueName("editor"));
      await writeFile(path, `#!/bin/sh\nexec sed -i '${sedScript}' "$1"\n`);
      await chmod(path, 0o755);
      return { EDITOR: path, KUBE_EDITOR: path };
    },
  };
}

/** @returns what a command printed that succeeded and complained about nothing. */
export function printed(finished: Finished): string {
  expect(finished).toMatchObject({ code: 0, stderr: "" });
  return finished.stdout;
}

/** Reads a table as kubectl prints it: each cell begins where its header does. */
export function parseTable(text: string): readonly Readonly<Record<string, string>>[] {
  const [head = "", ...lines] = text.trimEnd().split("\n");
  const headers = [...head.matchAll(/\S+(?: \S+)*/g)].map(({ 0: name, index }) => ({ name, index }));
  return lines.map((line) =>
    Object.fromEntries(headers.map(({ name, index }, column) => [name, line.slice(index, headers[column + 1]?.index).trim()])),
  );
}

/** `-o json`, read. The tests say what they expect of it. */
export function parseObject(text: string): KubernetesObject {
  return JSON.parse(text) as KubernetesObject; // the wire format under test
}

export interface KubernetesObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly resourceVersion: string } & Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, string>>;
  readonly status: Readonly<Record<string, unknown>>;
  readonly data: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly items?: readonly KubernetesObject[];
}

/** A RancherToken to create, as the proof of concept had it. */
export function token(name: string, spec: Readonly<Record<string, unknown>> = {}) {
  return {
    apiVersion: "tomlebreux.com/v1alpha1",
    kind: "RancherToken",
    metadata: { name },
    spec: { userID: "my-user", clusterName: "my-cluster", ttl: "0", enabled: "true", ...spec },
  };
}

/** How kubectl is told to use the version of the proof of concept, and not the preferred one. */
export const V1ALPHA1 = "ranchertokens.v1alpha1.tomlebreux.com";

/** A RancherToken of the preferred version to create. */
export function tokenV1(name: string, spec: Readonly<Record<string, unknown>> = {}) {
  return {
    apiVersion: "tomlebreux.com/v1",
    kind: "RancherToken",
    metadata: { name },
    spec: { userID: "my-user", clusterName: "my-cluster", enabled: true, ...spec },
  };
}

/** The plaintext that an answer to a create tells. @throws {Error} if there is none. */
export function plaintextOf(answer: string): string {
  const [, plaintext] = answer.match(/"?plaintextToken"?:\s*"?([^\s"]+)/) ?? [];
  if (plaintext === undefined) throw new Error(`no plaintext in ${answer}`);
  return plaintext;
}

/** That a text does not tell a plaintext, in clear or as a Secret's data would hold it. */
export function expectNoPlaintext(text: string, plaintext: string): void {
  expect(text).not.toContain(plaintext);
  expect(text).not.toContain(Buffer.from(plaintext).toString("base64"));
  expect(text).not.toContain("plaintextToken");
}
