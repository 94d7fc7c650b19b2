// Server-side apply beside Kubernetes' own code for it, which a Go program of test/controlplane answers for: generated cases are answered alike.
//
// FUZZ_SEED (default 1) and APPLY_OPERATIONS (default 100,000, which take some 105 s of processor time) choose. `npm run differential:record` writes down anew what `npm test` compares with.
import { afterAll, beforeAll, expect, test } from "vitest";
import { BUILD_LIMIT_MS, buildOracle } from "../controlplane/build.ts";
import { formatDifference, runCampaign } from "../differential/apply/campaign.ts";
import { casesToRecord, formatRecording } from "../differential/apply/recording.ts";
import { numberOf } from "../differential/number-of.ts";
import { type Oracle, startOracle } from "../differential/oracle.ts";

const SEED = numberOf("FUZZ_SEED", 1);
const OPERATIONS = numberOf("APPLY_OPERATIONS", 100_000);
const MOST_DIFFERENCES = 3;
const TIME_LIMIT_MS = 15 * 60_000;
/** Of all operations, the least part that each of these has: what nobody does, or what never ends otherwise, would prove nothing. */
const EXPECTED_SHARES = {
  sets: 0.05,
  scale: 0.005,
  ...{ validate: 0.01, toFieldSet: 0.01, compare: 0.04, merge: 0.04, remove: 0.02, extract: 0.01, "merge of a misfit": 0.005 },
  ...{ apply: 0.05, "apply in conflict": 0.02, "apply refused": 0.005, replace: 0.03, patch: 0.03, redefine: 0.001, delete: 0.001 },
};

let oracle: Oracle;
beforeAll(async () => {
  oracle = startOracle(await buildOracle("apply", console.log));
}, BUILD_LIMIT_MS);
afterAll(() => oracle?.close());

test("what is recorded is what Go answers", async () => {
  const cases = casesToRecord();
  await expect(formatRecording(cases, await oracle.ask(cases))).toMatchFileSnapshot("../differential/apply/recorded.jsonl");
});

test(`${OPERATIONS} operations, FUZZ_SEED=${SEED}`, { timeout: TIME_LIMIT_MS }, async () => {
  const started = performance.now();
  const { cases, compared, differences } = await runCampaign({ seed: SEED, operations: OPERATIONS, mostDifferences: MOST_DIFFERENCES }, oracle);
  const counts = [...compared].sort(([, left], [, right]) => right - left).map(([what, count]) => `${count} ${what}`);
  console.log(`${cases} cases in ${Math.round((performance.now() - started) / 1000)} s: ${counts.join(", ")}`);
  const found = differences.map((difference) => `seed ${SEED}, case ${difference.number}:\n${formatDifference(difference)}`);
  expect(found.join("\n\n")).toBe("");
  for (const [what, share] of Object.entries(EXPECTED_SHARES)) expect(compared.get(what) ?? 0, what).toBeGreaterThan(OPERATIONS * share);
});
