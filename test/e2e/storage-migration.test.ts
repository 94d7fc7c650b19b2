// Another storage version over objects that are stored already, as docs/versions.md has it: through the program, its store and kubectl.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openKubectl } from "./kubectl.ts";
import { parseTable } from "./kubectl-suite.ts";
import { startServer, temporaryFolder } from "./server.ts";

const PAGE = fileURLToPath(new URL("../../docs/versions.md", import.meta.url));
const GADGETS = "/apis/example.com/v1/namespaces/default/gadgets";

async function block(name: string): Promise<string> {
  const text = new RegExp(`\`\`\`\\w+ ${name.replace(".", "\\.")}\\n([\\s\\S]*?)\`\`\``).exec(await readFile(PAGE, "utf8"))?.[1];
  if (text === undefined) throw new Error(`the page has no block ${name}`);
  return text;
}

async function file(name: string, text: string): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, text);
  return path;
}

/** The page's definition with the former storage version, and the one without it. */
async function definitions() {
  const present = await block("gadgets.yaml");
  const exchanged = present
    .replace("storage: true", "storage: FALSE")
    .replace("storage: false", "storage: true")
    .replace("storage: FALSE", "storage: false");
  const alone = present.slice(0, present.indexOf("    - name: v1beta1"));
  return { former: await file("gadgets.yaml", exchanged), present: await file("gadgets.yaml", present), alone: await file("gadgets.yaml", alone) };
}

test("stored objects are seen, migrated by an order, and then need the old version no more", async () => {
  const { former, present, alone } = await definitions();
  const first = await startServer({ args: ["--crd", former] });
  const sizes = Array.from({ length: 30 }, (_, index) => index);
  for (const size of sizes) {
    const gadget = { apiVersion: "example.com/v1", kind: "Gadget", metadata: { name: `g${size}` }, spec: { size } };
    expect((await first.client().request("POST", GADGETS, gadget)).status).toBe(201);
  }
  await first.stop();
  const { dataDir } = first;

  const unready = await startServer({ dataDir, args: ["--crd", present] });
  const kubectl = await openKubectl(unready.kubeconfig);
  const ok = async (...args: string[]) => {
    const { code, stdout, stderr } = await kubectl(args);
    expect({ code, stderr }, args.join(" ")).toEqual({ code: 0, stderr: "" });
    return stdout;
  };
  const counts = async () => (await ok("get", "--raw", "/metrics")).match(/^annex_\w+_objects\{.*resource="gadgets".*$/gm);
  const labels = (stored: string) =>
    `{group="example.com",resource="gadgets",stored_version="example.com/${stored}",storage_version="example.com/v1"}`;
  expect(await counts()).toEqual([`annex_stored_objects${labels("v1beta1")} 30`, `annex_stale_objects${labels("v1beta1")} 30`]);
  expect(unready.output()).toContain('"resource":"gadgets"');
  // A write that changes nothing is one.
  const before = await ok("get", "gadget", "g3", "-o", "json");
  expect(await ok("replace", "-f", await file("g3.json", before))).toBe("gadget.example.com/g3 replaced\n");
  expect(await counts()).toContain(`annex_stored_objects${labels("v1")} 1`);

  const order = await file("migration.yaml", await block("migration.yaml"));
  const printed: string[] = [];
  for (const line of (await block("migrate")).trim().split("\n"))
    printed.push(
      await ok(
        ...line
          .split(" ")
          .slice(1)
          .map((word) => (word === "migration.yaml" ? order : word)),
      ),
    );
  expect(parseTable(printed[2] ?? "")).toMatchObject([{ NAME: "gadgets", RESOURCE: "gadgets.example.com", STATUS: "Succeeded" }]);
  expect(printed[3]).toMatch(/Message: +29 of 30 objects were written anew$/m);
  expect(await counts()).toEqual([`annex_stored_objects${labels("v1")} 30`, `annex_stale_objects${labels("v1")} 0`]);
  await unready.stop();

  const last = await startServer({ dataDir, args: ["--crd", alone] });
  const { items } = JSON.parse((await last.client().request("GET", GADGETS)).text) as { items: { spec: { size: number } }[] };
  expect(items.map(({ spec }) => spec.size).sort((left, right) => left - right)).toEqual(sizes);
  await last.stop();
});
