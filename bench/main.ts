// npm run bench: Annex beside a bare node:http2 server that sends the same bytes. README.md says how to read what it prints.
import { existsSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { arch, cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureApply } from "./apply.ts";
import { requireH2load } from "./h2load.ts";
import { formatRow, HEADING, type Sample } from "./report.ts";
import { openStage } from "./stage.ts";
import { SUBJECTS, type Subject } from "./subjects.ts";
import { WORKS } from "./works.ts";

/** A round takes a good minute; so many take half an hour. */
const MAX_ROUNDS = 20;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    kind: { type: "string", default: "" },
    work: { type: "string", default: "" },
    beside: { type: "string" },
    "node-option": { type: "string", multiple: true, default: [] },
  },
});

async function measure(subject: Subject, rounds: number, folder: string): Promise<void> {
  const stage = await openStage(subject, folder, values["node-option"]);
  console.log(`\n## ${subject.name}: one object of ${stage.objectBytes} bytes, a list of ${stage.listBytes}\n\n${HEADING}`);
  try {
    for (const work of WORKS.filter(({ name }) => name.toLowerCase().includes(values.work.toLowerCase()))) {
      const samples: Sample[] = [];
      // The first round warms both servers up, and is not counted.
      for (let round = 0; round <= rounds; round++) {
        const annex = await work.run(stage, stage.annex);
        const bare = await work.run(stage, stage.bare);
        if (round > 0) samples.push({ annex, bare });
      }
      console.log(formatRow(work.name, samples));
    }
  } finally {
    await stage.close();
  }
}

const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > MAX_ROUNDS) {
  console.error(`--rounds must be a whole number from 1 to ${MAX_ROUNDS}, not ${JSON.stringify(values.rounds)}`);
  process.exit(2);
}
if (values.beside !== undefined) {
  const fault =
    values.work !== "apply"
      ? "goes with --work apply"
      : existsSync(join(values.beside, "packages/apiserver/dist/index.js"))
        ? ""
        : "must be the folder of a checkout that was built";
  if (fault !== "") {
    console.error(`--beside ${fault}`);
    process.exit(2);
  }
}
if (values.work === "apply") {
  await measureApply(values.beside);
  process.exit(0);
}
const h2load = await requireH2load();
const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
console.log(`${cpus().length} cores (${cpus()[0]?.model ?? arch()}), ${memory}, Node ${process.versions.node}, ${h2load}, ${rounds} rounds in turns`);
for (const subject of SUBJECTS) {
  if (!subject.name.toLowerCase().includes(values.kind.toLowerCase())) continue;
  const folder = await mkdtemp(join(tmpdir(), "annex-bench-"));
  // Also when it is interrupted.
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  await measure(subject, rounds, folder);
}
process.exit(0);
