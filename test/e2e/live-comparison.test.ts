// Kubernetes' own servers beside ours: the recordings are what the Go servers answer, and a random sequence of requests is answered alike by both.
//
// FUZZ_SEED, FUZZ_SEEDS and FUZZ_STEPS choose the sequences: the first seed (default 1), how many (20, of widgets 40), how many operations each (300).
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUILD_LIMIT_MS } from "../controlplane/build.ts";
import { type ControlPlane, startControlPlane, stopControlPlane } from "../controlplane/control-plane.ts";
import { createClient, readKubeconfig } from "./client.ts";
import { startProcess } from "./process.ts";
import { runComparison } from "./python.ts";
import { compareKind, install, type RandomKind, randomKind, refusals, type Tally } from "./schemas/comparison.ts";
import { startServer, temporaryFolder } from "./server.ts";

const MINUTE_MS = 60_000;
const START_LIMIT_MS = BUILD_LIMIT_MS + MINUTE_MS;
const SCENARIOS_LIMIT_MS = 5 * MINUTE_MS;
const RANDOM_LIMIT_MS = 15 * MINUTE_MS;
/** How many seeds, or scenarios, run at a time: most of a run is spent in waiting for watches to end. */
const JOBS = 4;

const conformance = (name: string) => fileURLToPath(new URL(`../conformance/${name}`, import.meta.url));
const WARDLE = fileURLToPath(new URL("../../examples/wardle/dist/main.js", import.meta.url));

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane(await temporaryFolder(), { log: console.log });
  for (const crd of ["widgets-crd.json", "gadgets-crd.json"]) {
    await compare(["install-crd", `--base=${plane.url}`, `--token=${plane.tokens.admin}`, `--ca=${plane.caFile}`, conformance(crd)], MINUTE_MS);
  }
}, START_LIMIT_MS);
// What has been started goes on without this process: so it is stopped first of all, whatever else goes wrong.
afterAll(async () => {
  if (plane !== undefined) await stopControlPlane(plane.folder);
}, MINUTE_MS);

/** Runs the comparison, and shows what it printed when it found something. */
async function compare(args: readonly string[], timeoutMs: number): Promise<string> {
  const { code, stdout, stderr } = await runComparison(args, timeoutMs);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

describe("the recordings are what the Go servers answer", () => {
  test.each([
    { subject: "wardle", base: () => plane.sampleURL },
    { subject: "widgets", base: () => plane.url },
    { subject: "gadgets", base: () => plane.url },
  ])("$subject", { timeout: SCENARIOS_LIMIT_MS }, async ({ subject, base }) => {
    const servers = [`--base=${base()}`, `--ns-base=${plane.url}`, `--ca=${plane.caFile}`];
    const users = [`--token=${plane.tokens.admin}`, `--identity=alice=Bearer:${plane.tokens.alice}`];
    const output = await compare(["check", ...servers, ...users, `--jobs=${JOBS}`, "--quiet", conformance(subject)], SCENARIOS_LIMIT_MS);
    expect(output).toMatch(/^[1-9]\d* passed, 0 failed$/m);
  });
});

describe("random requests are answered alike", () => {
  const seed = numberOf("FUZZ_SEED", 1);
  const seeds = numberOf("FUZZ_SEEDS", 20);
  // Applies by several managers, in both versions, of status and scale, have more ways to go.
  const widgetSeeds = numberOf("FUZZ_SEEDS", 40);
  const steps = numberOf("FUZZ_STEPS", 300);

  test(`flunders and fischers: ${seeds} seeds from ${seed} on, ${steps} operations each`, { timeout: RANDOM_LIMIT_MS }, async () => {
    const ours = await startWardle([`--token-auth-file=${join(plane.folder, "tokens.csv")}`]);
    const servers = [`--left=${plane.sampleURL}`, `--left-ns-base=${plane.url}`, `--right=${ours.url}`, `--ca=${await bothCAs(ours.ca)}`];
    const output = await compare(["fuzz", "--subject=flunders", ...servers, ...chosen(seeds), `--jobs=${JOBS}`, "--stats"], RANDOM_LIMIT_MS);
    expect(output).toMatch(new RegExp(`^${seeds * steps} operations, no divergence$`, "m"));
  });

  test(`widgets: ${widgetSeeds} seeds from ${seed} on, ${steps} operations each`, { timeout: RANDOM_LIMIT_MS }, async () => {
    const crd = await withoutFactors(conformance("widgets-crd.json"));
    await compare(["install-crd", `--base=${plane.url}`, `--token=${plane.tokens.admin}`, `--ca=${plane.caFile}`, crd], MINUTE_MS);
    const ours = await startWardle([`--token-auth-file=${join(plane.folder, "tokens.csv")}`, `--crd=${crd}`]);
    const servers = [`--left=${plane.url}`, `--right=${ours.url}`, `--ca=${await bothCAs(ours.ca)}`];
    const output = await compare(
      ["fuzz", "--subject=widgets", ...servers, ...chosen(widgetSeeds), "--no-scale-apply", `--jobs=${JOBS}`, "--stats"],
      RANDOM_LIMIT_MS,
    );
    expect(output).toMatch(new RegExp(`^${widgetSeeds * steps} operations, no divergence$`, "m"));
  });

  // SCHEMA_SEEDS and SCHEMA_OBJECTS choose how many kinds, from FUZZ_SEED on, and how many objects of each.
  test("objects of random schemas", { timeout: RANDOM_LIMIT_MS }, async () => {
    const group = "schema.example.com";
    const goServer = createClient(plane.url, { ca: await readFile(plane.caFile, "utf8"), cert: "", key: "" }, { token: plane.tokens.admin });
    const kinds = Array.from({ length: numberOf("SCHEMA_SEEDS", 20) }, (_, index) => randomKind(seed + index, group));
    const served: RandomKind[] = [];
    for (const kind of kinds) {
      const refused = await install(kind, goServer);
      expect(refusals(kind), JSON.stringify(kind.spec)).toEqual(refused);
      if (refused.length === 0) served.push(kind);
    }
    const file = join(await temporaryFolder(), "crds.yaml");
    await writeFile(file, served.map(({ crd }) => JSON.stringify(crd)).join("\n---\n"));
    const ours = await startServer({ program: "wardle", args: [`--crd=${file}`] });
    const tally: Tally = new Map();
    for (const kind of served) expect(await compareKind(kind, group, goServer, ours.client(), numberOf("SCHEMA_OBJECTS", 30), tally)).toBeUndefined();
    console.log([...tally].map(([what, times]) => `${what}: ${times}`).join(", "));
    // Something was let through that could not have been created, and something refused: otherwise nothing was compared.
    for (const what of ["create 201", "create 422", "update 200", "update 422", "status 200"]) expect(tally.get(what) ?? 0, what).toBeGreaterThan(20);
  });

  function chosen(count: number): readonly string[] {
    return [`--token=${plane.tokens.admin}`, `--seed=${seed}`, `--seeds=${count}`, `--steps=${steps}`];
  }
});

/** A whole number of the environment. @throws {Error} if it is none. */
function numberOf(name: string, fallback: number): number {
  const text = process.env[name] ?? "";
  if (text === "") return fallback;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a whole number, not ${JSON.stringify(text)}`);
  return Number(text);
}

/**
 * A CustomResourceDefinition without `multipleOf`, which Go gets wrong for whole numbers (docs/differences.md).
 *
 * @returns the new file.
 */
async function withoutFactors(file: string): Promise<string> {
  const path = join(await temporaryFolder(), "crd.json");
  const text = await readFile(file, "utf8");
  await writeFile(
    path,
    JSON.stringify(JSON.parse(text), (key, value: unknown) => (key === "multipleOf" ? undefined : value)),
  );
  return path;
}

/** Our twin of the sample-apiserver. It ends with the test file. */
async function startWardle(args: readonly string[]): Promise<{ readonly url: string; readonly ca: string }> {
  const folder = await temporaryFolder();
  const running = startProcess(process.execPath, [WARDLE, "--secure-port=0", `--data-dir=${folder}`, ...args]);
  const [, url = ""] = await running.waitFor(/^Serving (https:\/\/\S+)$/m);
  return { url, ca: (await readKubeconfig(join(folder, "admin.kubeconfig"))).ca };
}

/** A file of the CA of the Go servers and of ours. */
async function bothCAs(ours: string): Promise<string> {
  const path = join(await temporaryFolder(), "ca.crt");
  await writeFile(path, `${await readFile(plane.caFile, "utf8")}\n${ours}`);
  return path;
}
