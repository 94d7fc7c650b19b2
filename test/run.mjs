// Runs one of the suites and ends with the line that CI reads: `N passed, N failed`, vitest's own summary being none that it knows.
//
//   node test/run.mjs unit|e2e [arguments of vitest]
//
// Before it comes a line for each test that failed, or passed at its second try only: `FAILED file > name: why`, `SECOND TRY file > name: why`.
//
// Exits 0 when everything passed, 1 when something failed, 2 when called wrongly.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const MESSAGE_PART = 400;
const SUITES = ["unit", "e2e"];
const root = fileURLToPath(new URL("..", import.meta.url));

const [suite, ...args] = process.argv.slice(2);
if (SUITES.includes(suite ?? "")) process.exitCode = await main(suite, args);
else {
  console.error(`usage: node test/run.mjs ${SUITES.join("|")} [arguments of vitest]`);
  process.exitCode = 2;
}

async function main(project, args) {
  const folder = await mkdtemp(join(tmpdir(), "annex-test-run-"));
  try {
    const report = join(folder, "report.json");
    const code = await runVitest(["run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...args]);
    const found = await readReport(report);
    for (const line of troubles(found)) console.log(line);
    const counts = countTests(found, code);
    if (found === undefined) console.log("FAILED as a whole: vitest left no report");
    else if (code !== 0 && found.success) console.log("FAILED besides the tests, by an error that none of them caught: it stands above");
    const skipped = counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`;
    console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
    return counts.failed === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Under the Node that runs this file, so that the suites can be run with another one. Ends with vitest's exit code; a signal is passed on to it. */
function runVitest(args) {
  const child = spawn(process.execPath, [join(root, "node_modules", "vitest", "vitest.mjs"), ...args], { cwd: root, stdio: "inherit" });
  const pass = (signal) => child.kill(signal);
  process.on("SIGINT", pass).on("SIGTERM", pass);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

/** Undefined if vitest wrote no report, or only a part of one. */
async function readReport(path) {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** What deserves a look, a line each. Vitest keeps what a try failed of, also where the next one passed. */
function troubles(report) {
  return (report?.testResults ?? []).flatMap((file) => {
    const path = relative(root, file.name);
    const tests = file.assertionResults.filter(({ failureMessages }) => failureMessages.length > 0);
    const lines = tests.map(({ status, fullName, failureMessages }) => {
      return `${status === "failed" ? "FAILED" : "SECOND TRY"} ${path} > ${fullName}: ${inOneLine(failureMessages[0])}`;
    });
    return isBroken(file) ? [...lines, `FAILED ${path}: ${inOneLine(file.message)}`] : lines;
  });
}

/** An error's message without its stack; a long one without its middle: what a process said last stands at its end. */
function inOneLine(message) {
  const [text = ""] = stripVTControlCharacters(message).split(/\n\s+at /);
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 2 * MESSAGE_PART ? `${line.slice(0, MESSAGE_PART)} … ${line.slice(-MESSAGE_PART)}` : line;
}

/** Whether a file failed as a whole, not by a test of its own. */
function isBroken(file) {
  return file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed");
}

/**
 * A file that can't be imported has no failed test, only a failed suite, and an unhandled rejection counts nowhere but in the exit code:
 * both are failures here.
 */
function countTests(report, code) {
  const files = report?.testResults ?? [];
  const broken = files.filter(isBroken).length;
  const failed = (report?.numFailedTests ?? 0) + broken;
  return {
    passed: report?.numPassedTests ?? 0,
    failed: code === 0 && report !== undefined ? failed : Math.max(failed, 1),
    skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
  };
}
