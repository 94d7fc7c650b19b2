// What a server-side apply costs in CPU, in process: the whole request from bytes to bytes, without sockets, over memory.

import { resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type * as Apimachinery from "@annex/apimachinery";
import type * as APIServer from "@annex/apiserver";
import { realClock } from "@annex/testing";
import { median, percentile } from "./statistics.ts";

const FIELDS = 100;
const ENTRIES = 1_000;
const ROUNDS = 30;
/** V8 compiles what runs often anew for some thousand requests: their figures stand in a column of their own. */
const WARM_UP_ROUNDS = 15;

const names = Array.from({ length: FIELDS }, (_, index) => `field${index}`);

/** The library: this one, or that of another checkout. */
interface Library {
  readonly machinery: typeof Apimachinery;
  readonly apiserver: typeof APIServer;
}

async function libraryOf(checkout: string | undefined): Promise<Library> {
  const at = (name: string) => (checkout === undefined ? `@annex/${name}` : pathToFileURL(resolve(checkout, "packages", name, "dist/index.js")).href);
  return { machinery: await import(at("apimachinery")), apiserver: await import(at("apiserver")) };
}

function resourcesOf({ machinery: { t }, apiserver: { defineResource } }: Library) {
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
  return [Wide, Long];
}

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

type Server = Awaited<ReturnType<typeof APIServer.createAPIServer>>;

function startServer(library: Library): Promise<Server> {
  const { allowAnonymous, createAPIServer, memoryStorage, publicPathsAuthorizer, systemMastersAuthorizer, unionAuthorizer, versionInfo } =
    library.apiserver;
  return createAPIServer({
    resources: resourcesOf(library),
    storage: memoryStorage(),
    clock: realClock,
    log: { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined },
    version: versionInfo("0.0.0", "bench/bench"),
    authenticator: allowAnonymous({ authenticate: async () => ({ name: "bench", groups: ["system:masters"], extra: {} }) }),
    authorizer: unionAuthorizer([systemMastersAuthorizer, publicPathsAuthorizer]),
  });
}

/**
 * Prints the milliseconds of CPU of one apply that changes something, and what they may be at most.
 *
 * @param beside the folder of another checkout, built: it does the same in turns, round for round, and the median of the ratios is printed.
 */
export async function measureApply(beside?: string): Promise<void> {
  const server = await startServer(await libraryOf(undefined));
  const other = beside === undefined ? undefined : await startServer(await libraryOf(beside));
  console.log(
    `| server-side apply that changes | CPU ms, median of rounds | 90 % of rounds | median while warming up | at most |${other ? " beside | of beside |" : ""}`,
  );
  console.log(`| --- | --- | --- | --- | --- |${other ? " --- | --- |" : ""}`);
  for (const one of CASES) {
    const [own, others]: [number[], number[]] = [[], []];
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      const turns = [
        async () => own.push(await measureRound(server, one, round)),
        async () => other && others.push(await measureRound(other, one, round)),
      ];
      for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
    }
    const [cold, warm] = [own.slice(0, WARM_UP_ROUNDS), own.slice(WARM_UP_ROUNDS)];
    const ratios = warm.map((ms, index) => ms / (others[WARM_UP_ROUNDS + index] ?? Number.NaN));
    const compared = other ? ` ${median(others.slice(WARM_UP_ROUNDS)).toFixed(2)} | ${median(ratios).toFixed(2)} |` : "";
    console.log(
      `| ${one.name} | ${median(warm).toFixed(2)} | ${percentile(warm, 90).toFixed(2)} | ${median(cold).toFixed(2)} | ${one.mostMs} |${compared}`,
    );
  }
  await server[Symbol.asyncDispose]();
  await other?.[Symbol.asyncDispose]();
}

/** @returns milliseconds of CPU of one apply. */
async function measureRound(server: Server, { path, perRound, object }: Case, round: number): Promise<number> {
  const bodies = Array.from({ length: perRound }, (_, index) => Buffer.from(JSON.stringify(object(round * perRound + index + 1))));
  const before = process.cpuUsage();
  for (const body of bodies) {
    // A request of a socket has a turn of the event loop of its own. V8 keeps until its end whatever a WeakRef was asked for or made of.
    await setImmediate();
    await send(server, `/apis/bench.example.com/v1/${path}/one`, body);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / perRound;
}

async function send(server: Server, path: string, body: Uint8Array): Promise<void> {
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
