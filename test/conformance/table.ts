// docs/conformance.md, made from a run.
import { type Outcome, scenarioKey, type Verdict } from "./judge.ts";
import type { ListedDifferences } from "./listed-differences.ts";

const HEAD = `# Conformance

Recorded answers of the Go servers (sample-apiserver v0.36, kube-apiserver v1.36), and how Annex answers the same requests: [test/conformance](../test/conformance/FORMAT.md). Made by \`npm run conformance:table\`; \`npm test\` fails when it is stale.
`;

/** The page, from the verdicts of all scenarios. */
export function conformancePage(verdicts: readonly Verdict[], listed: ListedDifferences): string {
  return [
    HEAD,
    ...subjectsOf(verdicts).map((subject) =>
      subjectTable(
        subject,
        verdicts.filter(({ scenario }) => scenario.subject === subject),
      ),
    ),
    differenceList(verdicts, listed),
  ].join("\n");
}

function subjectsOf(verdicts: readonly Verdict[]): string[] {
  return [...new Set(verdicts.map(({ scenario }) => scenario.subject))].sort();
}

function subjectTable(subject: string, verdicts: readonly Verdict[]): string {
  const areas = [...new Set(verdicts.map(({ scenario }) => scenario.area))].sort();
  const rows = areas.map((area) =>
    row(
      area,
      verdicts.filter(({ scenario }) => scenario.area === area),
    ),
  );
  return [
    `## ${subject}`,
    "",
    "| area | scenarios | steps | as recorded | listed difference | wrong |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
    ...rows,
    row("**all**", verdicts),
    "",
  ].join("\n");
}

function row(name: string, verdicts: readonly Verdict[]): string {
  const outcomes = verdicts.flatMap((verdict) => verdict.outcomes);
  const count = (outcome: Outcome) => outcomes.filter((one) => one === outcome).length;
  const wrong = verdicts.filter(({ problems }) => problems.length > 0).length;
  return `| ${name} | ${verdicts.length} | ${outcomes.length} | ${count("recorded")} | ${count("difference")} | ${wrong} |`;
}

function differenceList(verdicts: readonly Verdict[], listed: ListedDifferences): string {
  const share = shareOfDifferences(verdicts);
  const byReason = new Map<string, string[]>();
  for (const key of verdicts.map(({ scenario }) => scenarioKey(scenario))) {
    for (const [step, { rule, reason }] of listed.get(key) ?? []) {
      const line = `${reason} (rule ${rule})`;
      byReason.set(line, [...(byReason.get(line) ?? []), `${key} ${step}`]);
    }
  }
  const lines = [...byReason].map(([reason, steps]) => `- ${reason}: ${steps.join(", ")}`);
  return [
    "## Listed differences",
    "",
    `${(share * 100).toFixed(1)} % of the steps. The rules are those of [POLICY.md](../test/conformance/POLICY.md); [differences.md](differences.md) says more.`,
    "",
    ...lines,
    "",
  ].join("\n");
}

/** Of all steps, how many are listed differences: 0 to 1. */
export function shareOfDifferences(verdicts: readonly Verdict[]): number {
  const outcomes = verdicts.flatMap((verdict) => verdict.outcomes);
  return outcomes.filter((outcome) => outcome === "difference").length / outcomes.length;
}
