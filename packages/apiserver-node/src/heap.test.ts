import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { YOUNG_GARBAGE_FLAG } from "./heap.ts";

// V8 only prints a line when it does not know a flag any more.
test("the flag is one of this V8's", () => {
  const { stdout } = spawnSync(process.execPath, ["--v8-options"], { encoding: "utf8" });
  expect(stdout).toContain(`\n  ${YOUNG_GARBAGE_FLAG.replace("--no-", "--")} `);
});
