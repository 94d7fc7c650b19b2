// Many watchers of one collection, and a writer whose events all of them are to see.
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { ask, type Credentials, expectStatus, open } from "./client.ts";
import { readSequences } from "./recording.ts";
import { percentile } from "./statistics.ts";

export interface FanOut {
  readonly port: number;
  readonly credentials: Credentials;
  /** The collection, without a query. */
  readonly path: string;
  /** An object to create, with its sequence number in the annotation. */
  readonly body: (sequence: number) => string;
  readonly watchers: number;
  readonly eventsPerSecond: number;
  readonly seconds: number;
}

export interface FanOutResult {
  readonly delivered: number;
  readonly expected: number;
  /** From the moment of sending the write to the event's arrival, over all watchers. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A server grants 250 streams a connection; informers in one process share one, too. */
const WATCHERS_PER_CONNECTION = 100;
/** How long the last events may take to arrive. */
const GRACE_MS = 10_000;
const SETTLE_MS = 20;

/**
 * Opens the watches, then writes at an even pace.
 *
 * @param measured is called when all watches are open, and again when the last event has arrived or is given up.
 * @throws {Error} when a watch or a write is refused.
 */
export async function fanOut(options: FanOut, measured: (phase: "begin" | "end") => void): Promise<FanOutResult> {
  const { port, credentials, path, watchers, eventsPerSecond, seconds } = options;
  const sessions = await Promise.all(Array.from({ length: Math.ceil(watchers / WATCHERS_PER_CONNECTION) }, () => open(port, credentials)));
  const writer = await open(port, credentials);
  try {
    const events = eventsPerSecond * seconds;
    const sentAt = new Float64Array(events);
    const latencies: number[] = [];
    const listed = await expectStatus(ask(writer, "GET", `${path}?limit=1`), 200);
    const after = /"resourceVersion":"(\d+)"/.exec(listed.body)?.[1] ?? "";
    const arrived = (sequence: number) => {
      const sent = sentAt[sequence];
      if (sent !== undefined && sent > 0) latencies.push(performance.now() - sent);
    };
    await Promise.all(Array.from({ length: watchers }, (_, index) => watch(sessions, index, `${path}?watch=true&resourceVersion=${after}`, arrived)));
    await sleep(200);
    measured("begin");
    await write(writer, options, sentAt);
    const givenUpAt = performance.now() + GRACE_MS;
    while (latencies.length < events * watchers && performance.now() < givenUpAt) await sleep(SETTLE_MS);
    measured("end");
    return { delivered: latencies.length, expected: events * watchers, p50Ms: percentile(latencies, 50), p99Ms: percentile(latencies, 99) };
  } finally {
    for (const session of [...sessions, writer]) session.destroy();
  }
}

/** Resolves when the watch is open. */
function watch(sessions: readonly ClientHttp2Session[], index: number, path: string, arrived: (sequence: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const session = sessions[index % sessions.length];
    if (session === undefined) throw new RangeError("no connections");
    const stream: ClientHttp2Stream = session.request({ ":path": path, accept: "application/json" });
    stream.on("response", ({ ":status": status }) => (status === 200 ? resolve() : reject(new Error(`a watch was answered ${status}`))));
    stream.on("error", reject);
    let rest: Buffer = Buffer.alloc(0);
    stream.on("data", (chunk: Buffer) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      rest = bytes.subarray(bytes.length - readSequences(bytes, arrived));
    });
  });
}

/** Sends each write when it is due, whether or not the ones before it are answered: an open loop. */
async function write(session: ClientHttp2Session, { path, body, eventsPerSecond, seconds }: FanOut, sentAt: Float64Array): Promise<void> {
  const began = performance.now();
  const answers: Promise<unknown>[] = [];
  for (let sequence = 0; sequence < eventsPerSecond * seconds; sequence++) {
    const wait = began + (sequence * 1000) / eventsPerSecond - performance.now();
    if (wait > 0) await sleep(wait);
    sentAt[sequence] = performance.now();
    answers.push(expectStatus(ask(session, "POST", path, body(sequence)), 201));
  }
  await Promise.all(answers);
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
