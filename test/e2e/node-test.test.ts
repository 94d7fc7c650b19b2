// The contract suites that need no vitest, under Node's own test runner and from the built packages, as authors have them.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startProcess } from "./process.ts";

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const run = (name: string) =>
  startProcess(process.execPath, ["--test", "--test-reporter=tap", pathOf(`node-test/${name}`)], { timeoutMs: 60_000 }).finished;

test("testConversion is an ordinary test for node:test: the example of docs/versions.md", async () => {
  const page = await readFile(pathOf("../../docs/versions.md"), "utf8");
  expect(page).toContain(`\`\`\`js lamp.mjs\n${await readFile(pathOf("node-test/lamp.mjs"), "utf8")}\`\`\``);
  const { code, stdout } = await run("lamp.mjs");
  expect(stdout).toMatch(/# pass 1\n# fail 0\n/);
  expect(stdout).toMatch(/^ *ok \d+ - neither version loses what the other has$/m);
  expect(code).toBe(0);
});

test("a kind that loses a field fails it, naming the field", async () => {
  const { code, stdout } = await run("conversion.mjs");
  expect(stdout).toMatch(/# pass 0\n# fail 1\n/);
  expect(stdout).toContain("v1beta1 loses spec.color in v1: ");
  expect(code).toBe(1);
});
