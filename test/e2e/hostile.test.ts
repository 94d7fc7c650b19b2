// Bad input: valid requests, changed at random, against the built programs over TLS. Whatever comes, the server answers as an API server does, and nothing changes that
// no request named.
//
// FUZZ_SEED (default 1), HOSTILE_REQUESTS (default 50,000, for both programs together) and HOSTILE_CONNECTIONS (default 3,000) choose.
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatTally, runCampaign, type Tally } from "./hostile/campaign.ts";
import { http1Sender, http2Sender } from "./hostile/connections.ts";
import { KINDS } from "./hostile/kinds.ts";
import { Random } from "./hostile/random.ts";
import { http1Script } from "./hostile/raw-http1.ts";
import { http2Script } from "./hostile/raw-http2.ts";
import { sendRaw } from "./hostile/raw-socket.ts";
import { askAsRoot, closeStage, differencesOf, openStage, prepareWorld, snapshot, TOKEN_FILE } from "./hostile/world.ts";
import { startServer, type TestServer, temporaryFolder } from "./server.ts";

const SEED = numberOf("FUZZ_SEED", 1);
const REQUESTS = numberOf("HOSTILE_REQUESTS", 50_000);
const CONNECTIONS = numberOf("HOSTILE_CONNECTIONS", 3000);
const PER_STAGE = 1500;
const IN_FLIGHT = 48;
const RAW_IN_FLIGHT = 24;
/** For others, while somebody sends garbage. */
const BYSTANDER_LIMIT_MS = 10_000;
const TIME_LIMIT_MS = 15 * 60_000;
const MiB = 1024 * 1024;
/**
 * What the documented limits add up to: 256 MiB of waiting answers, and for each request in flight a body of 3 MiB as bytes, text and values; beside them what
 * the process, its code and the objects take.
 */
const MAX_RESIDENT_BYTES = (256 + IN_FLIGHT * 3 * 4 + 256) * MiB;

function numberOf(name: string, fallback: number): number {
  const text = process.env[name] ?? "";
  if (text === "") return fallback;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a whole number, not ${JSON.stringify(text)}`);
  return Number(text);
}

/** The most memory that a process had at any time, in bytes; undefined where the system does not tell. */
function peakResidentBytes(pid: number): number | undefined {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) * 1024;
  } catch {
    return undefined;
  }
}

async function startHostile(program: keyof typeof KINDS): Promise<TestServer> {
  const tokenFile = join(await temporaryFolder(), "tokens.csv");
  await writeFile(tokenFile, TOKEN_FILE, { mode: 0o600 });
  return startServer({ program, args: [`--token-auth-file=${tokenFile}`] });
}

/** Of all requests, the least part that gets each of these answers. */
const EXPECTED_SHARES = { "200": 0.1, "201": 0.01, "400": 0.1, "403": 0.1, "404": 0.02, "409": 0.005, "415": 0.01, "422": 0.01 };

/** Whether a server still runs, and the last that it said. */
async function conditionOf(server: TestServer): Promise<string> {
  const ended = await Promise.race([server.process.finished, new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 1000))]);
  const state = ended === undefined ? "runs" : `ended with ${ended.code ?? ended.signal}`;
  return `The server ${state}, and said last: ${server.output().slice(-3000)}`;
}

/** What holds for a server after anything: it is well, said nothing of failures, and took no more memory than it may. */
async function expectWell(server: TestServer): Promise<void> {
  expect(await server.client().request("GET", "/readyz")).toMatchObject({ status: 200, text: "ok" });
  expect(peakResidentBytes(server.process.pid) ?? 0).toBeLessThan(MAX_RESIDENT_BYTES);
  expect(server.output()).not.toMatch(/a request failed|request handler failed|"level":"error"|\n\s+at |Warning:/);
}

describe.each([
  { program: "wardle", requests: Math.ceil(REQUESTS * 0.6) },
  { program: "ranchertokens", requests: Math.floor(REQUESTS * 0.4) },
] as const)("$program", ({ program, requests }) => {
  test(`${requests} changed requests, FUZZ_SEED=${SEED}`, { timeout: TIME_LIMIT_MS }, async () => {
    const server = await startHostile(program);
    const { url, access } = server;
    const kinds = KINDS[program];
    const senders = [...Array.from({ length: 4 }, () => http2Sender(url, access.ca)), http1Sender(url, access.ca)];
    const own = http2Sender(url, access.ca);
    const ask = askAsRoot(own);
    await prepareWorld(ask, kinds);
    const before = await snapshot(ask, kinds);
    const tally: Tally = new Map();
    for (let first = 0; first < requests; first += PER_STAGE) {
      const stage = await openStage(ask, kinds, `work-${first / PER_STAGE}`);
      const count = Math.min(PER_STAGE, requests - first);
      await runCampaign({ seed: SEED, first, count, inFlight: IN_FLIGHT, senders, stage }, tally).catch(async (error: unknown) => {
        throw new Error(`${error instanceof Error ? error.message : error}\n${await conditionOf(server)}`);
      });
      await closeStage(ask, stage);
    }
    for (const sender of senders) sender.close();
    console.log(`${program}: ${formatTally(tally)}; at most ${Math.round((peakResidentBytes(server.process.pid) ?? 0) / MiB)} MiB resident`);
    // A corpus that nobody may send, or that nobody understands, would prove nothing; nor would one that never leaves the client.
    for (const [answer, share] of Object.entries(EXPECTED_SHARES)) expect(tally.get(answer) ?? 0, answer).toBeGreaterThan(requests * share);
    expect(tally.get("unsendable") ?? 0).toBeLessThan(requests / 20);
    expect(differencesOf(before, await snapshot(ask, kinds))).toEqual([]);
    own.close();
    await expectWell(server);
    await server.stop();
  });
});

test(`${CONNECTIONS} connections that speak no HTTP, FUZZ_SEED=${SEED}`, { timeout: TIME_LIMIT_MS }, async () => {
  const server = await startHostile("ranchertokens");
  const tls = { host: "127.0.0.1", port: server.port, ca: server.access.ca, rejectUnauthorized: true, servername: "localhost" };
  const bystander = http2Sender(server.url, server.access.ca);
  const ask = askAsRoot(bystander);
  let isOver = false;
  let slowestMs = 0;
  const standBy = async () => {
    while (!isOver) {
      const startMs = performance.now();
      expect((await ask("GET", "/api/v1/namespaces/default")).status).toBe(200);
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  let next = 0;
  const answers = { ended: 0, answered: 0 };
  const worker = async () => {
    while (next < CONNECTIONS) {
      const number = next++;
      const random = new Random(SEED, number);
      const [protocol, script] = random.chance(0.5) ? (["h2", http2Script(random)] as const) : (["http/1.1", http1Script(random)] as const);
      const { received, isEnded } = await sendRaw(tls, protocol, script);
      answers.ended += Number(isEnded);
      answers.answered += Number(received.length > 0);
      const text = Buffer.from(received).toString("latin1");
      expect(text, `connection ${number}, sent in base64: ${Buffer.concat(script).toString("base64")}`).not.toMatch(/^HTTP\/1\.1 5|"code":5\d\d/m);
    }
  };
  const bystanding = standBy();
  await Promise.all(Array.from({ length: RAW_IN_FLIGHT }, worker));
  isOver = true;
  await bystanding;
  bystander.close();
  console.log(`${answers.answered} answered, ${answers.ended} ended by the server; a bystander waited ${Math.round(slowestMs)} ms at most`);
  expect(slowestMs).toBeLessThan(BYSTANDER_LIMIT_MS);
  expect(answers.answered).toBeGreaterThan(CONNECTIONS / 2);
  await expectWell(server);
  await server.stop();
});
