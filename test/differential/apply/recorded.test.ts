// What Go answered once (recording.ts), without Go. test/e2e/differential-apply.test.ts asks much more of it.
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { formatDifference } from "./campaign.ts";
import { judge } from "./differences.ts";
import { parseRecording } from "./recording.ts";

const recorded = parseRecording(await readFile(new URL("./recorded.jsonl", import.meta.url), "utf8"));

test.each([
  { kind: "sets", what: "operations on sets of fields" },
  { kind: "typed", what: "values of a schema" },
  { kind: "managed", what: "writes by several managers" },
  { kind: "scale", what: "managers of a scale" },
])("$what are answered as by Go", ({ kind }) => {
  const cases = recorded.filter(({ asked }) => asked.kind === kind);
  expect(cases.length).toBeGreaterThanOrEqual(20);
  const differences = cases.flatMap(({ asked, answer }) => judge(asked, answer).difference ?? []);
  expect(differences.slice(0, 3).map(formatDifference).join("\n\n")).toBe("");
});
