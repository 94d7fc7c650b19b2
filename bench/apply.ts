// What a server-side apply costs in CPU, in process: the whole request from bytes to bytes, without sockets, over memory.

import { setImmediate } from "node:timers/promises";
import { t } from "@annex/apimachinery";
import {
  allowAnonymous,
  createAPIServer,
  defineResource,
  memoryStorage,
  publicPathsAuthorizer,
  systemMastersAuthorizer,
  unionAuthorizer,
  versionInfo,
} from "@annex/apiserver";
import { realClock } from "@annex/testing";
import { median, percentile } from "./statistics.ts";

const FIELDS = 100;
const ENTRIES = 1_000;
const ROUNDS = 30;
/** V8 compiles what runs often anew for some thousand requests: their figures stand in a column of their own. */
const WARM_UP_ROUNDS = 15;

const names = Array.from({ length: FIELDS }, (_, index) => `field${index}`);
const Wide = defineResource({
  group: "bench.example.com",
  kind: "Wide",
  scope: "Cluster",
  versions: { v1: { schema: { spec: t.object(Object.fromEntries(names.map((name) => [name, t.optional(t.string())]))) } } },
});
const Long = defineResource({
  group: "bench.example.com",
  kind: "Long",
  scope: "Cluster",
  versions: {
    v1: {
      schema: {
        spec: t.object({
          ports: t.listMap(t.object({ name: t.string(), port: t.integer(), protocol: t.string({ default: "TCP" }) }), { keys: ["name"] }),
        }),
      },
    },
  },
});

interface Case {
  readonly name: string;
  readonly path: string;
  readonly perRound: number;
  /** What is applied the nth time. */
  readonly object: (n: number) => object;
  readonly mostMs: number;
}

const port = (index: number, n: number) => ({ name: `port-${index}`, port: index === n % ENTRIES ? 1 + (n % 60_000) : 1 });
const type = (kind: string) => ({ apiVersion: "bench.example.com/v1", kind, metadata: { name: "one" } });
const all = Array.from({ length: ENTRIES }, (_, index) => index);
const CASES: readonly Case[] = [
  {
    name: "one of 100 fields",
    path: "wides",
    perRound: 200,
    object: (n) => ({ ...type("Wide"), spec: Object.fromEntries(names.map((name, index) => [name, index === n % FIELDS ? `value ${n}` : "value"])) }),
    mostMs: 0.5,
  },
  {
    name: "one of 1,000 entries",
    path: "longs",
    perRound: 10,
    object: (n) => ({ ...type("Long"), spec: { ports: all.map((index) => port(index, n)) } }),
    mostMs: 10,
  },
  {
    name: "one of 1,000 entries goes, another comes",
    path: "longs",
    perRound: 10,
    object: (n) => ({ ...type("Long"), spec: { ports: all.filter((index) => index !== n % ENTRIES).map((index) => port(index, 0)) } }),
    mostMs: 10,
  },
];

/** Prints the milliseconds of CPU of one apply that changes something, and what they may be at most. */
export async function measureApply(): Promise<void> {
  const server = await createAPIServer({
    resources: [Wide, Long],
    storage: memoryStorage(),
    clock: realClock,
    log: { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined },
    version: versionInfo("0.0.0", "bench/bench"),
    authenticator: allowAnonymous({ authenticate: async () => ({ name: "bench", groups: ["system:masters"], extra: {} }) }),
    authorizer: unionAuthorizer([systemMastersAuthorizer, publicPathsAuthorizer]),
  });
  console.log("| server-side apply that changes | CPU ms, median of rounds | 90 % of rounds | median while warming up | at most |");
  console.log("| --- | --- | --- | --- | --- |");
  for (const { name, path, perRound, object, mostMs } of CASES) {
    let n = 0;
    const samples: number[] = [];
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      const bodies = Array.from({ length: perRound }, () => Buffer.from(JSON.stringify(object(++n))));
      const before = process.cpuUsage();
      for (const body of bodies) {
        // A request of a socket has a turn of the event loop of its own. V8 keeps until its end whatever a WeakRef was asked for or made of.
        await setImmediate();
        await send(server, `/apis/bench.example.com/v1/${path}/one`, body);
      }
      const { user, system } = process.cpuUsage(before);
      samples.push((user + system) / 1_000 / perRound);
    }
    const [cold, warm] = [samples.slice(0, WARM_UP_ROUNDS), samples.slice(WARM_UP_ROUNDS)];
    console.log(`| ${name} | ${median(warm).toFixed(2)} | ${percentile(warm, 90).toFixed(2)} | ${median(cold).toFixed(2)} | ${mostMs} |`);
  }
  await server[Symbol.asyncDispose]();
}

async function send(server: Awaited<ReturnType<typeof createAPIServer>>, path: string, body: Uint8Array): Promise<void> {
  const response = await server.handle({
    method: "PATCH",
    path,
    query: "fieldManager=bench",
    headers: { "content-type": "application/apply-patch+yaml", accept: "application/json" },
    body: async () => body,
    peer: { address: "127.0.0.1", certificates: undefined },
    signal: new AbortController().signal,
  });
  if (response.status >= 300) throw new Error(`${path} was answered ${response.status}`);
}
