import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const textOf = (path: string) => readFile(new URL(path, import.meta.url), "utf8");

test("the example of docs/storage-secrets.md is the kind that the contract suite keeps", async () => {
  const page = await textOf("../../../../docs/storage-secrets.md");
  const example = /```ts\n(.*?)```/s.exec(page)?.[1];
  expect(example).toBe((await textOf("./note.ts")).replace('"../index.ts"', '"@annex/storage-secrets"'));
});
