// The four kinds of work, each done once with one server.
import { type Load, load } from "./h2load.ts";
import type { Measured } from "./report.ts";
import type { Contestant, Stage } from "./stage.ts";
import { fanOut } from "./watchers.ts";

export interface Work {
  readonly name: string;
  run(stage: Stage, contestant: Contestant): Promise<Measured>;
}

const WATCHERS = 1_000;
const EVENTS_PER_SECOND = 50;
const WATCH_SECONDS = 6;

export const WORKS: readonly Work[] = [
  loadWork("GET", ({ subject }) => ({ path: `${subject.readPath}/one`, requests: 40_000, connections: 8, streams: 16 })),
  loadWork("LIST of 5,000", ({ subject }) => ({ path: subject.readPath, requests: 200, connections: 2, streams: 2 })),
  // No two requests share what they select: what a list costs that nobody has asked for before.
  loadWork("LIST of 5,000 by label", ({ subject }) => ({
    path: `${subject.readPath}?labelSelector=app%3Dbench`,
    requests: 200,
    connections: 2,
    streams: 2,
  })),
  loadWork("CREATE", ({ subject }) => ({
    path: subject.writePath,
    requests: 4_000,
    connections: 8,
    streams: 16,
    body: subject.object(undefined, 0),
  })),
  {
    name: "watch, 1,000 x 50/s",
    async run({ subject, credentials }, { server, port }) {
      const cpu: number[] = [];
      const { delivered, expected, p50Ms, p99Ms } = await fanOut(
        {
          port,
          credentials,
          path: subject.writePath,
          body: (sequence) => subject.object(undefined, sequence),
          watchers: WATCHERS,
          eventsPerSecond: EVENTS_PER_SECOND,
          seconds: WATCH_SECONDS,
        },
        () => cpu.push(server.cpuMicros()),
      );
      if (delivered < expected) console.error(`${delivered} of ${expected} events arrived`);
      const [begin = 0, end = 0] = cpu;
      return { perSecond: delivered / WATCH_SECONDS, p50Ms, p99Ms, cpuMicros: (end - begin) / delivered, residentBytes: server.residentBytes() };
    },
  },
];

function loadWork(name: string, loadOf: (stage: Stage) => Load): Work {
  return {
    name,
    async run(stage, { server, socket }) {
      const asked = loadOf(stage);
      const before = server.cpuMicros();
      const result = await load(socket, stage.folder, asked);
      return { ...result, cpuMicros: (server.cpuMicros() - before) / asked.requests, residentBytes: server.residentBytes() };
    },
  };
}
