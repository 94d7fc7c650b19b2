// Unchanged releases of Kubernetes' client libraries against the server. CLIENTS=python,fabric8 chooses.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ServerOptions, startServer, type TestServer } from "../server.ts";
import { PROGRAMS } from "./programs.ts";
import { requireTools, runStep, SOURCES } from "./toolchain.ts";

const RUN_LIMIT_MS = 150_000;

const asked = process.env.CLIENTS?.split(",").map((name) => name.trim());
const unknown = asked?.filter((name) => !PROGRAMS.some((program) => program.name === name)) ?? [];
if (unknown.length > 0) throw new Error(`CLIENTS names ${unknown.join(", ")}; there are ${PROGRAMS.map(({ name }) => name).join(", ")}`);

const SUBJECTS = { wardle: "wardle", gadgets: { main: join(SOURCES, "gadgets.mjs") } } as const satisfies Record<string, ServerOptions["program"]>;
const servers = new Map<keyof typeof SUBJECTS, TestServer>();

beforeAll(async () => {
  for (const subject of ["wardle", "gadgets"] as const) servers.set(subject, await startServer({ program: SUBJECTS[subject] }));
});
afterAll(async () => {
  for (const server of servers.values()) await server.stop();
});

for (const { name, tools, buildLimitMs, subject, plan } of PROGRAMS.filter((program) => asked?.includes(program.name) ?? true)) {
  test(name, { timeout: buildLimitMs + RUN_LIMIT_MS }, async () => {
    await requireTools(tools);
    const { build, run } = await plan();
    for (const step of build) await runStep(step, buildLimitMs);
    const kubeconfig = servers.get(subject)?.kubeconfig ?? "";
    const { stdout } = await runStep({ ...run, env: { ...run.env, KUBECONFIG: kubeconfig } }, RUN_LIMIT_MS);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("ok");
  });
}
