import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

test("the README shows this example as it is", async () => {
  const readme = await readFile(new URL("../../../README.md", import.meta.url), "utf8");
  const shown = /```ts hello\n([\s\S]*?)```/.exec(readme)?.[1];
  expect(shown).toBe(await readFile(new URL("main.ts", import.meta.url), "utf8"));
});
