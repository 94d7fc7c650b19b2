// The program with --crd: what docs/crd-files.md shows, and how bad files are refused.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openKubectl } from "./kubectl.ts";
import { runServer, startServer, temporaryFolder } from "./server.ts";

const PAGE = fileURLToPath(new URL("../../docs/crd-files.md", import.meta.url));

/** A fenced block of the page, by the word behind its language. */
async function block(name: string): Promise<string> {
  const text = new RegExp(`\`\`\`\\w+ ${name.replace(".", "\\.")}\\n([\\s\\S]*?)\`\`\``).exec(await readFile(PAGE, "utf8"))?.[1];
  if (text === undefined) throw new Error(`the page has no block ${name}`);
  return text;
}

async function crdFile(text: string): Promise<string> {
  const path = join(await temporaryFolder(), "widgets.yaml");
  await writeFile(path, text);
  return path;
}

/** A command line as a shell would take it apart, as far as the page needs it: quotes, and a word that `echo` hands on. */
function commandOf(line: string): { readonly args: string[]; readonly input: string | undefined } {
  const [, echoed, command = line] = /^echo '([^']*)' \| (.*)$/.exec(line) ?? [];
  const words = [...command.matchAll(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g)].map(([word]) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2"));
  return { args: words.slice(1), input: echoed };
}

test("every line of the page's walk works", async () => {
  const server = await startServer({ args: ["--crd", await crdFile(await block("widgets.yaml"))] });
  const kubectl = await openKubectl(server.kubeconfig);
  const lines = (await block("walkthrough")).trim().split("\n");
  expect(lines.length).toBeGreaterThan(8);
  const printed: string[] = [];
  for (const line of lines) {
    const { args, input } = commandOf(line);
    const { code, stdout, stderr } = await kubectl(args, input === undefined ? {} : { input });
    expect({ code, stderr }, `${line}\n${stdout}${stderr}`).toEqual({ code: 0, stderr: "" });
    printed.push(stdout);
  }
  const all = printed.join("");
  expect(all).toMatch(/^NAME +COLOR\none +red\n/m);
  expect(all).toContain("widget.example.com/one scaled");
  expect(all).toMatch(/color\s+<string> -required-/);
  await server.stop();
});

test("objects of a kind outlive the server, and a changed definition of it reads them", async () => {
  const text = await block("widgets.yaml");
  const first = await startServer({ args: ["--crd", await crdFile(text)] });
  const widget = { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "one" }, spec: { color: "blue", replicas: 2 } };
  const path = "/apis/example.com/v1/namespaces/default/widgets";
  expect((await first.client().request("POST", path, widget)).status).toBe(201);
  await first.stop();
  const changed = text.replace(/ +replicas: \{ type: integer, minimum.*\n/, "                shape: { type: string, default: round }\n");
  const second = await startServer({ dataDir: first.dataDir, args: ["--crd", await crdFile(changed.replace(/ +scale: .*\n/, ""))] });
  expect((await second.client().request("GET", `${path}/one`)).text).toContain('"spec":{"color":"blue","shape":"round"}');
  await second.stop();
});

test("a bad file is refused with a line for each fault, and the data folder is not made", async () => {
  const file = await crdFile(
    (await block("widgets.yaml")).replace("name: widgets.example.com", "name: wrong").replace("type: integer, minimum", "type: int, minimum"),
  );
  const dataDir = join(await temporaryFolder(), "data");
  const { code, stdout, stderr } = await runServer(["--crd", file, "--data-dir", dataDir]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr.trim().split("\n")).toEqual([
    `${file}: metadata.name: Invalid value: "wrong": must be spec.names.plural+"."+spec.group`,
    `${file}: spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[replicas].type: Unsupported value: "int": supported values: "array", "boolean", "integer", "number", "object", "string"`,
    `${file}: spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[replicas].default: Invalid value: "integer":  in body must be of type int: "integer"`,
  ]);
  await expect(readFile(dataDir)).rejects.toThrow("ENOENT");
});
