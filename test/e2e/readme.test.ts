import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openKubectl } from "./kubectl.ts";
import { startProcess } from "./process.ts";
import { startServer, temporaryFolder } from "./server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The fenced blocks of the README with a word of their own behind the language. */
async function block(name: string): Promise<string> {
  const readme = await readFile(join(ROOT, "README.md"), "utf8");
  const text = new RegExp(`\`\`\`\\w+ ${name}\\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1];
  if (text === undefined) throw new Error(`the README has no block ${name}`);
  return text;
}

/** A command line as a shell would take it apart, as far as the README's need it. */
function words(line: string): string[] {
  return [...line.matchAll(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g)].map(([word]) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2"));
}

test("every line of the README's walk works", async () => {
  const server = await startServer();
  const kubectl = await openKubectl(server.kubeconfig);
  const lines = (await block("walkthrough")).split("\n").filter((line) => line.startsWith("kubectl "));
  expect(lines.length).toBeGreaterThan(15);
  for (const line of lines) {
    const { code, stdout, stderr } = await kubectl(words(line).slice(1));
    expect(code, `${line}\n${stdout}${stderr}`).toBe(0);
    expect(stderr, line).not.toMatch(/error/i);
  }
  await server.stop();
});

/** The README's own server at a port that is free: its default may not be. It stays beside its original, for its imports. */
async function helloAtFreePort(): Promise<string> {
  const dist = join(ROOT, "examples/hello/dist");
  const text = await readFile(join(dist, "main.js"), "utf8");
  const changed = text.replace("serve({ resources", "serve({ securePort: 0, resources");
  expect(changed).not.toBe(text);
  const path = join(dist, "free-port.js");
  await writeFile(path, changed);
  return path;
}

test("the README's own server serves what it says", async () => {
  const folder = await temporaryFolder();
  const hello = startProcess(process.execPath, [await helloAtFreePort()], { cwd: folder });
  await hello.waitFor(/^Serving (https:\/\/\S+)$/m, 60_000);
  const kubectl = await openKubectl(join(folder, ".annex/admin.kubeconfig"));
  const create = (object: object) => kubectl(["create", "-f", "-", "-o", "json"], { input: JSON.stringify(object) });
  const greeting = { apiVersion: "hello.example.com/v1", kind: "Greeting", metadata: { name: "first" }, spec: { name: "world", loud: true } };
  expect((await create(greeting)).code).toBe(0);
  expect((await kubectl(["get", "greetings"])).stdout).toMatch(/first +Hello, world!/);
  expect((await create({ ...greeting, metadata: { name: "world" } })).stderr).toContain('spec.name: Invalid value: "world": must not greet itself');
  const sum = await create({ apiVersion: "hello.example.com/v1", kind: "Sum", metadata: { name: "x" }, spec: { of: [1, 2, 3.5] } });
  expect(JSON.parse(sum.stdout)).toMatchObject({ status: { total: 6.5 } });
  expect((await kubectl(["get", "sums"])).stderr).toContain("MethodNotAllowed");
  hello.kill("SIGTERM");
  expect((await hello.finished).code, hello.output()).toBe(0);
});
