// Two servers and the way to each: Annex with its objects in it, and the bare server with what Annex answered.

import type { ClientHttp2Session } from "node:http2";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Answer, ask, type Credentials, expectStatus, open, readCredentials } from "./client.ts";
import { type Started, startNode } from "./process.ts";
import { NO_SEQUENCE, type RecordedResponse, SEQUENCE_MARK, writeRecording } from "./recording.ts";
import { OBJECTS, type Subject } from "./subjects.ts";

export interface Contestant {
  readonly server: Started;
  readonly port: number;
  /** Where h2load reaches it. */
  readonly socket: string;
}

export interface Stage {
  readonly subject: Subject;
  readonly folder: string;
  readonly credentials: Credentials;
  readonly annex: Contestant;
  readonly bare: Contestant;
  readonly objectBytes: number;
  readonly listBytes: number;
  close(): Promise<void>;
}

/** How many objects are created at a time. */
const SEED_CONCURRENCY = 64;
/** What Node or HTTP/2 put into an answer by themselves. */
const NOT_PLAYED_BACK: ReadonlySet<string> = new Set([":status", "date", "content-length"]);

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** @param nodeOptions of both servers, so that neither has an advantage. */
export async function openStage(subject: Subject, folder: string, nodeOptions: readonly string[]): Promise<Stage> {
  const started: Started[] = [];
  const start = async (file: string, args: readonly string[], options: readonly string[] = []) => {
    const process = await startNode(file, args, options);
    started.unshift(process);
    return process;
  };
  const close = async () => {
    for (const process of started.splice(0)) await process.stop();
  };
  try {
    const [annexPort, barePort] = [await freePort(), await freePort()];
    const dataDir = join(folder, "data");
    const kubeconfig = join(dataDir, "admin.kubeconfig");
    const annex = await start(subject.script, ["--secure-port", String(annexPort), "--data-dir", dataDir], nodeOptions);
    const credentials = await readCredentials(kubeconfig);
    const recording = join(folder, "recording.json");
    const session = await open(annexPort, credentials);
    await seed(session, subject);
    const sizes = await record(session, subject, recording);
    session.close();
    const pki = join(dataDir, "pki");
    const bareArgs = [String(barePort), join(pki, "apiserver.pem"), join(pki, "ca.crt"), recording];
    const bare = await start(script("./bare-server.js"), bareArgs, nodeOptions);
    const tunnel = async (name: string, server: Started, port: number): Promise<Contestant> => {
      const socket = join(folder, `${name}.sock`);
      await start(script("./tunnel.js"), [socket, String(port), kubeconfig]);
      return { server, port, socket };
    };
    return {
      subject,
      folder,
      credentials,
      annex: await tunnel("annex", annex, annexPort),
      bare: await tunnel("bare", bare, barePort),
      ...sizes,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function seed(session: ClientHttp2Session, { readPath, object }: Subject): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < OBJECTS) {
      const index = next++;
      const name = index === 0 ? "one" : `seed-${String(index).padStart(5, "0")}`;
      await expectStatus(ask(session, "POST", readPath, object(name, index)), 201);
    }
  };
  await Promise.all(Array.from({ length: SEED_CONCURRENCY }, worker));
}

/** Asks once for each kind of answer. */
async function record(
  session: ClientHttp2Session,
  { readPath, writePath, object }: Subject,
  file: string,
): Promise<Pick<Stage, "objectBytes" | "listBytes">> {
  const get = await expectStatus(ask(session, "GET", `${readPath}/one`), 200);
  const list = await expectStatus(ask(session, "GET", readPath), 200);
  const after = /"resourceVersion":"(\d+)"/.exec(list.body)?.[1] ?? "";
  const watching = firstLine(session, `${writePath}?watch=true&resourceVersion=${after}`);
  const create = await expectStatus(ask(session, "POST", writePath, object(undefined, 0)), 201);
  const watch = await watching;
  if (!watch.body.includes(`${SEQUENCE_MARK}${NO_SEQUENCE}`)) throw new Error(`an event has no sequence number: ${watch.body}`);
  const { length } = (JSON.parse(list.body) as { items: unknown[] }).items; // the server's own list
  if (length !== OBJECTS) throw new Error(`the list has ${length} objects`);
  await writeRecording(file, { get: recorded(get), list: recorded(list), create: recorded(create), watch: recorded(watch) });
  return { objectBytes: Buffer.byteLength(get.body), listBytes: Buffer.byteLength(list.body) };
}

function firstLine(session: ClientHttp2Session, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": path, accept: "application/json" });
    let body = "";
    stream.on("error", reject);
    stream.on("response", (headers) => {
      stream.on("data", (chunk: Buffer) => {
        body += chunk;
        if (!body.endsWith("\n")) return;
        stream.close();
        resolve({ status: 200, headers, body });
      });
    });
  });
}

function recorded({ status, headers, body }: Answer): RecordedResponse {
  const kept = Object.entries(headers).flatMap(([name, value]) => (NOT_PLAYED_BACK.has(name) || value === undefined ? [] : [[name, String(value)]]));
  return { status, headers: Object.fromEntries(kept), body };
}

/** A port that nobody has now. Both servers want theirs on their command line. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}
