// A client for what is not measured by h2load: seeding, recording, watching.
import { readFile } from "node:fs/promises";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";

export interface Credentials {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
}

/** The client certificate, its key and the CA of a kubeconfig that the server wrote. @throws {Error} when one of them is not in it. */
export async function readCredentials(kubeconfig: string): Promise<Credentials> {
  const text = await readFile(kubeconfig, "utf8");
  const field = (name: string): Buffer => {
    const value = new RegExp(`^\\s*${name}: "?([A-Za-z0-9+/=]+)`, "m").exec(text)?.[1];
    if (value === undefined) throw new Error(`${kubeconfig} has no ${name}`);
    return Buffer.from(value, "base64");
  };
  return { cert: field("client-certificate-data"), key: field("client-key-data"), ca: field("certificate-authority-data") };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How much of each stream, and of all of them, a server may send ahead: clients in Go allow 4 MiB and 1 GiB. */
const WINDOW_BYTES = 4 * 1024 * 1024;

export async function open(port: number, credentials: Credentials): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, { ...credentials, settings: { initialWindowSize: WINDOW_BYTES } });
  await new Promise<void>((resolve, reject) => session.once("connect", () => resolve()).once("error", reject));
  session.setLocalWindowSize(16 * WINDOW_BYTES);
  return session;
}

/** One request. @throws {Error} when the connection fails before its answer is whole. */
export function ask(session: ClientHttp2Session, method: string, path: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": method, ":path": path, accept: "application/json", ...(body === undefined ? {} : JSON_BODY) });
    let headers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    stream.on("response", (received) => {
      headers = received;
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => resolve({ status: Number(headers[":status"] ?? 0), headers, body: Buffer.concat(chunks).toString() }));
    stream.on("error", reject);
    stream.end(body);
  });
}

const JSON_BODY = { "content-type": "application/json" };

/** @throws {Error} that quotes the answer, unless it has the status. */
export async function expectStatus(answer: Promise<Answer>, status: number): Promise<Answer> {
  const received = await answer;
  if (received.status !== status) throw new Error(`expected ${status}, got ${received.status}: ${received.body.slice(0, 500)}`);
  return received;
}
