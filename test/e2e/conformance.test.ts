// The recorded scenarios over TLS, one connection a request, against the built wardle program: its own kinds, and those of CustomResourceDefinition files.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AdmissionPlugin, memoryStorage, namespaceLifecycle, type ResourceVerbs } from "@annex/apiserver";
import { type RunningServer, serve } from "@annex/apiserver-node";
import { IMMORTAL_NAMESPACES, Namespace } from "@annex/standalone";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { banFlunder, Fischer, Flunder } from "../../examples/wardle/src/wardle.ts";
import { identities } from "../conformance/client.ts";
import { readScenarios, type ScenarioFile, sharesNothing } from "../conformance/files.ts";
import { parseJSON } from "../conformance/json.ts";
import { judge } from "../conformance/judge.ts";
import { parseDifferences } from "../conformance/listed-differences.ts";
import { runScenario, type Target } from "../conformance/run-scenario.ts";
import { tlsClient } from "../conformance/tls-client.ts";
import { runProcess } from "./process.ts";
import { startServer, type TestServer, temporaryFolder } from "./server.ts";

/** Scenarios of finalizers that a garbage collector acts on: the program has no collector, and does not set them. */
const OF_GARBAGE_COLLECTION = new Set(["delete-body-formats", "delete-propagation"]);
const TIMEOUT_MS = 60_000;
const TOKENS = "admin-token,admin,,system:masters\nalice-token,alice,,devs\n";

const here = (name: string) => fileURLToPath(new URL(`../conformance/${name}`, import.meta.url));
const readJSON = async (name: string) => parseJSON(await readFile(here(name), "utf8"));
const listed = parseDifferences(await readJSON("differences.json"));
const files = await readScenarios([here("wardle")]);
const ofCRDs = await readScenarios([here("widgets"), here("gadgets")]);
const isOfGarbageCollection = ({ scenario }: ScenarioFile) => OF_GARBAGE_COLLECTION.has(scenario.name);

async function tokenAuthFile(): Promise<string> {
  const path = join(await temporaryFolder(), "tokens.csv");
  await writeFile(path, TOKENS, { mode: 0o600 });
  return path;
}

function targetAt(url: string, ca: string): Target {
  const client = tlsClient(url, { ca });
  return { client, namespaces: client, identities: identities("admin-token", "alice-token") };
}

/** Most of a scenario is waiting, for watches to end and for versions that do not come: those that share nothing run beside each other. */
function testScenarios(chosen: readonly ScenarioFile[], target: () => Target): void {
  const problemsOf = async ({ scenario }: ScenarioFile) => judge(scenario, await runScenario(scenario, target()), listed).problems;
  describe.concurrent("that share nothing", () => {
    test.for(chosen.filter(sharesNothing))("$scenario.subject/$scenario.name", { timeout: TIMEOUT_MS }, async (file, { expect }) =>
      expect(await problemsOf(file)).toEqual([]),
    );
  });
  test.for(chosen.filter((file) => !sharesNothing(file)))("$scenario.subject/$scenario.name", { timeout: TIMEOUT_MS }, async (file) =>
    expect(await problemsOf(file)).toEqual([]),
  );
}

describe("the wardle program", () => {
  let server: TestServer;
  let target: Target;
  beforeAll(async () => {
    server = await startServer({ program: "wardle", args: [`--token-auth-file=${await tokenAuthFile()}`] });
    target = targetAt(server.url, server.access.ca);
  });
  testScenarios(
    files.filter((file) => !isOfGarbageCollection(file)),
    () => target,
  );

  // As npm scripts run it: of the same answers it makes the same files, byte for byte.
  test("npm run conformance:record writes the answers down, and npm run conformance:check finds them", { timeout: 2 * TIMEOUT_MS }, async () => {
    const folder = await temporaryFolder();
    const names = ["list-fault-order.json", "patch-no-op.json", "watch-names.json"];
    for (const name of names) {
      const scenario = JSON.parse(await readFile(here(`wardle/${name}`), "utf8"));
      for (const step of scenario.steps) delete step.expect;
      await writeFile(join(folder, name), JSON.stringify(scenario));
    }
    const caFile = join(folder, "ca.crt");
    await writeFile(caFile, server.access.ca);
    const run = (command: string) =>
      runProcess("npm", [
        "run",
        `conformance:${command}`,
        "--",
        `--base=${server.url}`,
        "--token=admin-token",
        "--alice=alice-token",
        `--ca=${caFile}`,
        folder,
      ]);
    const unrecorded = await run("check");
    expect([unrecorded.code, unrecorded.stdout]).toEqual([1, expect.stringMatching(/^0 passed, 3 failed$/m)]);
    const made = await run("record");
    expect([made.code, made.stdout, made.stderr]).toEqual([0, expect.stringMatching(/^3 passed, 0 failed$/m), ""]);
    for (const name of names) expect(await readFile(join(folder, name), "utf8"), name).toBe(await readFile(here(`wardle/${name}`), "utf8"));
    expect((await run("check")).stdout).toMatch(/^3 passed, 0 failed$/m);
  });
});

describe("a program with CustomResourceDefinition files", () => {
  let target: Target;
  beforeAll(async () => {
    const crds = ["widgets-crd.json", "gadgets-crd.json"].map((name) => `--crd=${here(name)}`);
    const server = await startServer({ program: "wardle", args: [`--token-auth-file=${await tokenAuthFile()}`, ...crds] });
    target = targetAt(server.url, server.access.ca);
  });
  testScenarios(ofCRDs, () => target);
});

describe("a server beside a garbage collector", () => {
  let server: RunningServer;
  let target: Target;
  beforeAll(async () => {
    const dataDir = await temporaryFolder();
    const verbsOf = (group: string, resource: string): ResourceVerbs => server.api.verbsOf(group, resource);
    const admission: AdmissionPlugin[] = [namespaceLifecycle(() => verbsOf("", "namespaces"), IMMORTAL_NAMESPACES), banFlunder(verbsOf)];
    server = await serve({
      resources: [Namespace, Flunder, Fischer],
      storage: memoryStorage(),
      dataDir,
      securePort: 0,
      tokenAuthFile: await tokenAuthFile(),
      admission,
      enableGarbageCollector: true,
    });
    target = targetAt(server.url, await readFile(join(dataDir, "pki", "ca.crt"), "utf8"));
  });
  afterAll(() => server.stop());
  testScenarios(files.filter(isOfGarbageCollection), () => target);
});
