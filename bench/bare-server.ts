// The yardstick: a node:http2 server on the core stream API that does nothing but send bytes that were made before it started. Same certificate, same question
// for a client certificate, same headers, same bytes; no routing beyond what tells the four kinds of work apart, no checks, no storage.
//
// node bare-server.js PORT CERTIFICATE-AND-KEY CA RECORDING
import { readFileSync } from "node:fs";
import { createSecureServer, type ServerHttp2Stream } from "node:http2";
import { formatSequence, NO_SEQUENCE, type RecordedResponse, readRecording, readSequences } from "./recording.ts";

const [port = "0", certificate = "", ca = "", recordingFile = ""] = process.argv.slice(2);
const pem = readFileSync(certificate);
const recording = await readRecording(recordingFile);

const prepared = ({ status, headers, body }: RecordedResponse) => {
  const bytes = Buffer.from(body);
  return { headers: { ":status": status, ...headers }, bytes, whole: { ":status": status, ...headers, "content-length": bytes.length } };
};
const get = prepared(recording.get);
const list = prepared(recording.list);
const create = prepared(recording.create);
const watch = prepared(recording.watch);
const sequenceAt = watch.bytes.indexOf(NO_SEQUENCE);
const watchers = new Set<ServerHttp2Stream>();

function answer(stream: ServerHttp2Stream, { whole, bytes }: ReturnType<typeof prepared>): void {
  stream.respond(whole);
  stream.end(bytes);
}

/** Takes the body in, tells every watcher of it in one buffer that all share, answers. */
function serveCreate(stream: ServerHttp2Stream): void {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    readSequences(Buffer.concat(chunks), (sequence) => {
      const event = Buffer.from(watch.bytes);
      event.write(formatSequence(sequence), sequenceAt, "latin1");
      for (const watcher of watchers) watcher.write(event);
    });
    answer(stream, create);
  });
}

const server = createSecureServer({
  cert: pem,
  key: pem,
  ca: readFileSync(ca),
  requestCert: true,
  rejectUnauthorized: false,
  // As the server that it is compared with: else Node refuses streams beside a few large lists.
  maxSessionMemory: 320,
  settings: { maxConcurrentStreams: 250 },
});
server.on("stream", (stream, headers) => {
  stream.on("error", () => undefined);
  const path = headers[":path"] ?? "";
  if (headers[":method"] === "POST") serveCreate(stream);
  else if (path.includes("watch=")) {
    stream.respond(watch.headers);
    watchers.add(stream);
    stream.on("close", () => watchers.delete(stream));
  } else answer(stream, /\/one$/.test(path) ? get : list);
});
server.on("sessionError", () => undefined);
server.listen(Number(port), "127.0.0.1", () => process.stdout.write(`Serving https://127.0.0.1:${port}\n`));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(0));
