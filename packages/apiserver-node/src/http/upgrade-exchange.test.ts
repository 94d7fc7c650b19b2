import { connect as connectTLS, type TLSSocket } from "node:tls";
import type { Logger, RequestHandler } from "@annex/apiserver";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { generateCA, generateKey, generateServingCertificate, type KeyPairPEM } from "../pki/index.ts";
import { createHTTPServer, type HTTPLimits, type HTTPServer } from "./index.ts";

const HOUR_MS = 3_600_000;
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const HANDSHAKE = `connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${KEY}\r\n`;

let ca: string;
let serving: KeyPairPEM;
beforeAll(async () => {
  const validity = { notBeforeMs: Date.now() - HOUR_MS, notAfterMs: Date.now() + HOUR_MS };
  const key = await generateKey();
  ca = await generateCA("kubernetes", key, validity);
  serving = await generateServingCertificate({ cert: ca, key }, ["127.0.0.1"], validity);
});

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(handler: RequestHandler, limits: Partial<HTTPLimits> = {}): Promise<{ readonly server: HTTPServer; readonly port: number }> {
  const quiet = () => {};
  const log: Logger = { error: quiet, warn: quiet, info: quiet, debug: quiet };
  const server = createHTTPServer({ handler, tls: { ...serving, clientCAs: [] }, limits, log });
  cleanups.push(() => server[Symbol.asyncDispose]());
  return { server, ...(await server.listen(0, "127.0.0.1")) };
}

interface Talk {
  readonly socket: TLSSocket;
  received(): Buffer;
  /** Reads nothing more from the moment when as many bytes are here. */
  stopsAt(bytes: number): Promise<void>;
  /** Resolves once what came ends so. */
  endsWith(bytes: Uint8Array): Promise<void>;
  readonly closed: Promise<Buffer>;
}

function talk(port: number, text: string): Talk {
  const socket = connectTLS({ host: "127.0.0.1", port, ca });
  cleanups.push(() => socket.destroy());
  const chunks: Buffer[] = [];
  const received = () => Buffer.concat(chunks);
  socket.on("data", (bytes: Buffer) => void chunks.push(bytes));
  socket.on("error", () => {});
  socket.write(text);
  return {
    socket,
    received,
    // In the event itself: whoever stops later may have read anything by then.
    stopsAt: (bytes) =>
      new Promise((resolve) => {
        const check = () => {
          if (received().length < bytes) return;
          socket.off("data", check).pause();
          resolve();
        };
        socket.on("data", check);
        check();
      }),
    endsWith: (bytes) =>
      vi.waitFor(() => expect(received().subarray(-bytes.length).equals(bytes), received().toString()).toBe(true), { timeout: 5000, interval: 10 }),
    closed: new Promise((resolve) => socket.on("close", () => resolve(received()))),
  };
}

const get = (headers: string, path = "/watch") => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers}\r\n`;
const SWITCHED = `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n`;
const message = (text: string) => Buffer.from([0x81, text.length, ...Buffer.from(text)]);
const NORMAL_CLOSE = Buffer.from([0x88, 2, 0x03, 0xe8]);
const PROTOCOL_ERROR_CLOSE = Buffer.from([0x88, 2, 0x03, 0xea]);
/** Masked with zeros, which leaves the payload as it is. */
const clientFrame = (first: number, payload: Uint8Array) => Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0, ...payload]);

/** Two lines at once, then nothing until the client or the server ends it. */
function watching(): { readonly handler: RequestHandler; readonly ends: string[] } {
  const ends: string[] = [];
  const handler: RequestHandler = async () => ({
    status: 200,
    headers: { "content-type": "application/json" },
    async body(sink, signal) {
      sink.write(Buffer.from('{"a":1}\n{"b":2}\n'));
      if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      ends.push(String(signal.reason));
    },
  });
  return { handler, ends };
}

const STARTED = Buffer.concat([Buffer.from(SWITCHED), message('{"a":1}\n'), message('{"b":2}\n')]);

describe("a WebSocket", () => {
  test("carries each line of a stream as a message, and answers pings", async () => {
    const { port } = await start(watching().handler);
    const client = talk(port, get(HANDSHAKE));
    await client.endsWith(message('{"b":2}\n'));
    expect(client.received()).toEqual(STARTED);
    client.socket.write(clientFrame(0x81, Buffer.from("nobody wants this")));
    client.socket.write(clientFrame(0x89, Buffer.from("here?")));
    await client.endsWith(Buffer.from([0x8a, 5, ...Buffer.from("here?")]));
  });

  test.each([
    { what: "closes", frame: clientFrame(0x88, Uint8Array.of(3, 232)), answer: NORMAL_CLOSE },
    { what: "does not mask", frame: message("x"), answer: PROTOCOL_ERROR_CLOSE },
  ])("of a client that $what ends, and so does the stream", async ({ frame, answer }) => {
    const { handler, ends } = watching();
    const { port } = await start(handler);
    const client = talk(port, get(HANDSHAKE));
    await client.endsWith(STARTED);
    client.socket.write(frame);
    expect(await client.closed).toEqual(Buffer.concat([STARTED, answer]));
    await vi.waitFor(() => expect(ends).toEqual(["Error: the client is gone"]));
  });

  test.each([
    { protocols: "v4.x", chosen: "v4.x" },
    { protocols: "base64url.bearer.authorization.k8s.io.c2VjcmV0, v4.x", chosen: "v4.x" },
    { protocols: "a,b", chosen: "a" },
    { protocols: "base64url.bearer.authorization.k8s.io.c2VjcmV0", chosen: undefined },
    { protocols: "not one", chosen: undefined },
    { protocols: "", chosen: undefined },
  ])("of the subprotocols '$protocols' speaks $chosen", async ({ protocols, chosen }) => {
    const { port } = await start(watching().handler);
    const client = talk(port, get(`${HANDSHAKE}sec-websocket-protocol: ${protocols}\r\n`));
    await client.endsWith(message('{"b":2}\n'));
    const head = chosen === undefined ? SWITCHED : SWITCHED.replace(/\r\n$/, `sec-websocket-protocol: ${chosen}\r\n\r\n`);
    expect(client.received().toString().startsWith(head)).toBe(true);
  });

  test.each([
    { what: "of another version", handshake: HANDSHAKE.replace("13", "8"), message: "missing or bad WebSocket Version" },
    { what: "without a key", handshake: HANDSHAKE.replace(KEY, ""), message: "mismatch challenge/response" },
  ])("$what is refused with the version that is spoken, and the stream ends unseen", async ({ handshake, message }) => {
    const { handler, ends } = watching();
    const { port } = await start(handler);
    const received = (await talk(port, get(handshake)).closed).toString();
    expect(received).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n.*\r\nsec-websocket-version: 13\r\n/s);
    const body = received.slice(received.indexOf("{"), received.lastIndexOf("}") + 1);
    expect(JSON.parse(body)).toMatchObject({ kind: "Status", code: 400, reason: "BadRequest", message });
    await vi.waitFor(() => expect(ends).toEqual([`Error: ${message}`]));
  });

  test("ends with its stream: a close frame, then the connection", async () => {
    const { port } = await start(async () => ({ status: 200, headers: {}, body: async (sink) => void sink.write(Buffer.from("{}\n")) }));
    expect(await talk(port, get(HANDSHAKE)).closed).toEqual(Buffer.concat([Buffer.from(SWITCHED), message("{}\n"), NORMAL_CLOSE]));
  });

  test("whose client is gone aborts the stream", async () => {
    const { handler, ends } = watching();
    const { port } = await start(handler);
    const client = talk(port, get(HANDSHAKE));
    await client.endsWith(STARTED);
    client.socket.destroy();
    await vi.waitFor(() => expect(ends).toEqual(["Error: the client is gone"]));
  });

  test("is closed in good order by a drain", async () => {
    const { handler, ends } = watching();
    const { server, port } = await start(handler);
    const client = talk(port, get(HANDSHAKE));
    await client.endsWith(STARTED);
    await server.drain(5000);
    expect(ends).toEqual(["Error: the server is shutting down"]);
    expect(await client.closed).toEqual(Buffer.concat([STARTED, NORMAL_CLOSE]));
  });

  /** Lines without end, as fast as the peer takes them. */
  function flood() {
    const line = Buffer.concat([Buffer.alloc(64 * 1024, 0x61), Buffer.from("\n")]);
    const seen = { written: 0, isOver: false };
    const handler: RequestHandler = async () => ({
      status: 200,
      headers: {},
      async body(sink, signal) {
        try {
          while (!signal.aborted) {
            seen.written += line.length;
            if (!sink.write(line)) await sink.drained();
          }
        } finally {
          seen.isOver = true;
        }
      },
    });
    return { handler, seen };
  }

  test("of a peer that reads nothing holds the writer back, which goes on when it does", async () => {
    const { handler, seen } = flood();
    const { port } = await start(handler);
    const client = talk(port, get(HANDSHAKE));
    client.socket.pause();
    let previous = -1;
    await vi.waitFor(
      () => {
        const isStill = seen.written > 0 && seen.written === previous;
        previous = seen.written;
        expect(isStill).toBe(true);
      },
      { timeout: 10_000, interval: 300 },
    );
    // What the kernel's buffers hold; the writer itself is held at 64 KiB.
    expect(seen.written).toBeLessThan(64 * 1024 * 1024);
    client.socket.resume();
    await vi.waitFor(() => expect(seen.written).toBeGreaterThan(previous), { timeout: 10_000 });
  });

  test("of a peer that goes on reading nothing is cut off", async () => {
    const { handler, seen } = flood();
    const { port } = await start(handler, { stallTimeoutMs: 200 });
    talk(port, get(HANDSHAKE)).socket.pause();
    await vi.waitFor(() => expect(seen.isOver).toBe(true), { timeout: 10_000 });
  });
});

describe("a WebSocket whose peer reads nothing and closes", () => {
  /**
   * Longer than what the kernel takes of a connection that nobody reads: at most 36 MiB, as Linux 6.18 is set up (the last numbers of `tcp_rmem`, `tcp_wmem`).
   * What it took is out, as far as the server can know.
   */
  const UNREAD_BYTES = 64 * 1024 * 1024;

  /** A long message, of which only the beginning is read; then the peer's last frame. */
  async function startUnread(frame: Uint8Array, limits: Partial<HTTPLimits> = {}) {
    const line = Buffer.concat([Buffer.alloc(UNREAD_BYTES, 0x61), Buffer.from("\n")]);
    const seen = { isOver: false };
    const handler: RequestHandler = async ({ path }) => {
      if (path !== "/watch") return { status: 200, headers: {}, body: Buffer.from("here") };
      return {
        status: 200,
        headers: {},
        async body(sink, signal) {
          sink.write(line);
          await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
          seen.isOver = true;
        },
      };
    };
    const { server, port } = await start(handler, limits);
    const client = talk(port, get(HANDSHAKE));
    await client.stopsAt(SWITCHED.length + 1);
    client.socket.write(frame);
    // By then the frame has come, too.
    for (let round = 0; round < 3; round++) await talk(port, get("connection: close\r\n", "/other")).closed;
    return { server, port, client, seen, length: line.length };
  }

  const FRAMES = [
    { what: "a close frame", frame: clientFrame(0x88, Uint8Array.of(3, 232)), answer: NORMAL_CLOSE },
    { what: "a wrong frame", frame: Buffer.from([0x01, 0x01]), answer: PROTOCOL_ERROR_CLOSE },
  ];

  test.each(FRAMES)("goes on to count until all is out, after $what", async ({ frame, answer }) => {
    const { client, seen, length } = await startUnread(frame);
    expect(seen.isOver).toBe(false);
    client.socket.resume();
    const received = await client.closed;
    expect(received.length).toBe(SWITCHED.length + 10 + length + answer.length);
    expect(received.subarray(-answer.length)).toEqual(answer);
    await vi.waitFor(() => expect(seen.isOver).toBe(true));
  });

  test.each(FRAMES)("is cut off in time, after $what", async ({ frame }) => {
    const { server, seen } = await startUnread(frame, { stallTimeoutMs: 500 });
    await vi.waitFor(() => expect(seen.isOver).toBe(true), { timeout: 5_000 });
    // It ends as soon as no connection is left.
    await server.drain(60_000);
  });
});

describe("a request that asks for another protocol", () => {
  const whole: RequestHandler = async (request) => ({ status: 200, headers: {}, body: Buffer.from(`${request.method} ${request.path}`) });

  test.each([
    { what: "a WebSocket where the answer is no stream", headers: HANDSHAKE },
    { what: "one of another version there", headers: HANDSHAKE.replace("13", "8") },
    { what: "one that is not spoken here", headers: "connection: Upgrade\r\nupgrade: h2c\r\n" },
  ])("gets the answer to any other, for $what", async ({ headers }) => {
    const { port } = await start(whole);
    const text = (await talk(port, get(headers, "/a?b")).closed).toString();
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toMatch(/\r\nconnection: close\r\n/i);
    expect(text).toMatch(/\r\n\r\nGET \/a$/);
  });

  test("for a page of another site gets a stream that no page can read", async () => {
    const { port } = await start(watching().handler);
    const client = talk(port, get(`${HANDSHAKE}origin: https://elsewhere.example\r\n`));
    await vi.waitFor(() => expect(client.received().toString()).toContain('{"b":2}'));
    expect(client.received().toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test("cannot have a body, which is told and not overlooked", async () => {
    const handler = vi.fn(whole);
    const { port } = await start(handler);
    const post = `POST / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\ncontent-length: 2\r\n\r\n{}`;
    const text = (await talk(port, post).closed).toString();
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain("a request that asks for another protocol cannot have a body");
    expect(handler).not.toHaveBeenCalled();
  });
});
