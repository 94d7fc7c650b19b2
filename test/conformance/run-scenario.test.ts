// The runner against a server that answers wrongly: whatever is changed on the way has to show.
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Answer, Client } from "./client.ts";
import { differences } from "./difference.ts";
import { readScenarios } from "./files.ts";
import { SUBJECTS, startSubject } from "./in-process-subjects.ts";
import type { JSONValue } from "./json.ts";
import { runScenario } from "./run-scenario.ts";
import { parseScenario, type Scenario } from "./scenario.ts";

const folder = fileURLToPath(new URL("wardle", import.meta.url));

async function scenarioNamed(name: string): Promise<Scenario> {
  const found = (await readScenarios([folder], name)).find(({ scenario }) => scenario.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found.scenario;
}

async function run(scenario: Scenario, change: (client: Client) => Client = (client) => client): Promise<string[]> {
  await using target = await startSubject(SUBJECTS.wardle);
  const answers = await runScenario(scenario, { ...target, client: change(target.client) });
  return scenario.steps.flatMap((step, index) => differences(step.expect, answers[index]));
}

/** Changes every answer to a request. */
const answering = (change: (answer: Answer) => Answer) => (client: Client) => ({
  ...client,
  request: async (request: Parameters<Client["request"]>[0]) => change(await client.request(request)),
});
const inBody = (from: RegExp | string, to: string) => (answer: Answer) => {
  const text = new TextDecoder().decode(answer.body);
  return { ...answer, body: new TextEncoder().encode(text.replace(from, to)) };
};

describe("an answer with", () => {
  test.each([
    ["nothing changed", (answer: Answer) => answer, false],
    ["another status", (answer: Answer) => ({ ...answer, status: answer.status === 201 ? 200 : 201 }), true],
    ["a header less", (answer: Answer) => ({ ...answer, headers: answer.headers.filter(([name]) => name !== "cache-control") }), true],
    ["a compared header more", (answer: Answer) => ({ ...answer, headers: [...answer.headers, ["retry-after", "1"] as const] }), true],
    ["another header more", (answer: Answer) => ({ ...answer, headers: [...answer.headers, ["date", "today"] as const] }), false],
    ["a warning less", (answer: Answer) => ({ ...answer, headers: answer.headers.filter(([name]) => name !== "warning") }), true],
    ["no body", (answer: Answer) => ({ ...answer, body: new Uint8Array() }), true],
    ["a member more", inBody(/^\{/, '{"extra":null,'), true],
    ["a member less", inBody('"status":{}', '"other":{}'), true],
    ["another manager", inBody('"manager":"conformance"', '"manager":"other"'), true],
    ["another uid each time", inBody(/"uid":"[^"]*"/, '"uid":"none"'), true],
    ["an old creationTimestamp", inBody(/"creationTimestamp":"[^"]*"/, '"creationTimestamp":"2001-01-01T00:00:00Z"'), true],
    ["a number for a resourceVersion", inBody(/"resourceVersion":"(\d+)"/, '"resourceVersion":$1'), true],
  ])("%s", async (_, change, isSeen) => {
    expect((await run(await scenarioNamed("create-basic"), answering(change))).length > 0).toBe(isSeen);
  });

  test("the same resourceVersion after an update", async () => {
    expect(
      (await run(await scenarioNamed("update-optimistic-lock"), answering(inBody(/"resourceVersion":"\d+"/, '"resourceVersion":"77"')))).length,
    ).toBeGreaterThan(0);
  });
});

describe("a watch that", () => {
  const watching =
    (change: (line: string) => string[]) =>
    (client: Client): Client => ({
      ...client,
      watch: async (request) => {
        const opened = await client.watch(request);
        const waiting: string[] = [];
        const next = async (deadline: number): ReturnType<typeof opened.lines.next> => {
          const line = waiting.shift();
          if (line !== undefined) return { line };
          const taken = await opened.lines.next(deadline);
          if (typeof taken !== "object") return taken;
          waiting.push(...change(taken.line));
          return next(deadline);
        };
        // The one method of a queue that a run calls.
        return { ...opened, lines: { next } as typeof opened.lines };
      },
    });

  test.each([
    ["is as it is", (line: string) => [line], false],
    ["says everything twice", (line: string) => [line, line], true],
    ["says nothing", () => [], true],
    ["has another type", (line: string) => [line.replace('"type":"ADDED"', '"type":"MODIFIED"')], true],
    ["has a key of its own", (line: string) => [line.replace(/^\{/, '{"extra":1,')], true],
  ])("%s", async (_, change, isSeen) => {
    expect((await run(await scenarioNamed("watch-from-resource-version"), watching(change))).length > 0).toBe(isSeen);
  });
});

describe("a step that cannot be carried out is an answer of its own, and the next ones run", () => {
  test.each<[string, JSONValue, string]>([
    ["makes its body of nothing", { method: "POST", path: "/x", edit: { from: "c" } }, "cannot resolve {c}"],
    ["asks as somebody unknown", { path: "/version", as: "bob" }, "unknown identity bob"],
    ["reads a watch that is not open", { read: "w" }, "no watch w is open"],
  ])("%s", async (_, step, message) => {
    const scenario = parseScenario({ name: "a", subject: "wardle", area: "x", description: "", steps: [step, { path: "/livez" }] }, "a");
    await using target = await startSubject(SUBJECTS.wardle);
    const [first, second] = await runScenario(scenario, target);
    expect(String(first?.error)).toContain(message);
    expect(second).toMatchObject({ status: 200, body: "ok" });
  });
});
