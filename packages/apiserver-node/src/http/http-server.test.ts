import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHTTP2, constants, type IncomingHttpHeaders } from "node:http2";
import { request as requestHTTP1 } from "node:https";
import { connect as connectTCP } from "node:net";
import { networkInterfaces } from "node:os";
import { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTLS, type TLSSocket } from "node:tls";
import type { APIResponse, CertificateAuthorities, Logger, RequestHandler } from "@annex/apiserver";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { generateCA, generateClientCertificate, generateKey, generateServingCertificate, type KeyPairPEM } from "../pki/index.ts";
import { madeChain } from "../testing/certificates.ts";
import { certificateAuthorities } from "../x509/index.ts";
import { createHTTPServer, type HTTPLimits, type HTTPServer, ListenError } from "./index.ts";

/** Something that a handler tells the test. */
function beginning() {
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  return { begun, begin: () => begin() };
}

/** On a busy machine the default second is short. */
const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 10_000 });

const HOUR_MS = 3_600_000;

interface Materials {
  readonly ca: KeyPairPEM;
  readonly serving: KeyPairPEM;
  readonly admin: KeyPairPEM;
  /** A CA of the same name that the server does not know, and a client of it. */
  readonly stranger: KeyPairPEM;
}

let pki: Materials;
beforeAll(async () => {
  const validity = { notBeforeMs: Date.now() - HOUR_MS, notAfterMs: Date.now() + HOUR_MS };
  const makeCA = async () => {
    const key = await generateKey();
    return { key, cert: await generateCA("kubernetes", key, validity) };
  };
  const [ca, other] = [await makeCA(), await makeCA()];
  const user = { commonName: "jane", organizations: ["dev", "ops"] };
  pki = {
    ca,
    serving: await generateServingCertificate(ca, ["127.0.0.1", "localhost"], validity),
    admin: await generateClientCertificate(ca, user, validity),
    stranger: await generateClientCertificate(other, user, validity),
  };
});

interface Running {
  readonly server: HTTPServer;
  readonly port: number;
  readonly lines: string[];
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function recordingLog(lines: string[]): Logger {
  const write = (fields: object, message: string) => {
    lines.push(`${message} ${JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? value.message : value))}`);
  };
  return { error: write, warn: write, info: write, debug: () => {} };
}

async function start(handler: RequestHandler, limits: Partial<HTTPLimits> = {}): Promise<Running> {
  const lines: string[] = [];
  const server = createHTTPServer({ handler, tls: { ...pki.serving, clientCAs: [pki.ca.cert] }, limits, log: recordingLog(lines) });
  cleanups.push(() => server[Symbol.asyncDispose]());
  return { server, lines, ...(await server.listen(0, "127.0.0.1")) };
}

function open(port: number, client?: KeyPairPEM, options: object = {}): ClientHttp2Session {
  const session = connectHTTP2(`https://127.0.0.1:${port}`, { ca: pki.ca.cert, ...client, ...options });
  session.on("error", () => {});
  cleanups.push(() => session.destroy());
  return session;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function read(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let headers: IncomingHttpHeaders & { ":status"?: number | undefined } = {};
    const chunks: Buffer[] = [];
    stream.on("response", (received) => {
      headers = received;
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      if (stream.rstCode === 0) resolve({ status: headers[":status"] ?? 0, headers, text: Buffer.concat(chunks).toString() });
    });
    stream.on("error", reject);
    stream.on("close", () => reject(new Error(`reset with ${stream.rstCode}`)));
  });
}

function get(session: ClientHttp2Session, path = "/", headers: Record<string, string | string[]> = {}): Promise<Answer> {
  return read(session.request({ ":path": path, ...headers }));
}

function post(session: ClientHttp2Session, body: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
  const stream = session.request({ ":method": "POST", ":path": "/", ...headers });
  stream.end(body);
  return read(stream);
}

function http1(
  port: number,
  { method = "GET", path = "/", headers = {}, body = new Uint8Array(0) as Uint8Array, client = {} } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = requestHTTP1({ host: "127.0.0.1", port, method, path, headers, ca: pki.ca.cert, ...client, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(chunks).toString() }));
      res.on("error", reject);
    });
    req.on("error", reject);
    req.end(body);
  });
}

async function openRaw(port: number): Promise<{ socket: TLSSocket; received: () => string; closed: Promise<void> }> {
  const socket = connectTLS({ host: "127.0.0.1", port, ca: pki.ca.cert, ALPNProtocols: ["http/1.1"] });
  cleanups.push(() => socket.destroy());
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  return { socket, received: () => text, closed };
}

const text = (body: string, status = 200): APIResponse => ({ status, headers: { "content-type": "text/plain" }, body: Buffer.from(body) });

/** Answers what it saw of the request. */
const echo: RequestHandler = async ({ method, path, query, headers, peer, body }) => {
  const received = Buffer.from(await body(1000)).toString();
  return text(JSON.stringify({ method, path, query, headers: { ...headers }, peer, received }));
};

describe("a request", () => {
  test("keeps path and query as sent, has no pseudo headers and joins repeated ones over HTTP/2", async () => {
    const { port } = await start(echo);
    const { status, text: body } = await get(open(port), "/api/v1/a%2Fb?x=%20&x=?", { accept: ["a", "b"], constructor: "c" });
    expect(status).toBe(200);
    const headers = { host: `127.0.0.1:${port}`, accept: "a, b", constructor: "c" };
    const peer = { address: "127.0.0.1" };
    expect(JSON.parse(body)).toEqual({ method: "GET", path: "/api/v1/a%2Fb", query: "x=%20&x=?", headers, peer, received: "" });
  });

  test("reads the same over HTTP/1.1, also in the form for proxies", async () => {
    const { port } = await start(echo);
    const { status, text: body } = await http1(port, { method: "POST", path: "http://elsewhere/a?b", body: Buffer.from("hello") });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ method: "POST", path: "/a", query: "b", received: "hello", peer: { address: "127.0.0.1" } });
  });

  test.each(["HTTP/2", "HTTP/1.1"])("tells repeated headers apart over %s: a comma is a part of the value", async (protocol) => {
    const { port } = await start(async (request) =>
      text(JSON.stringify(["x-group", "x-none", "accept"].map((name) => request.headerValues?.(name)))),
    );
    const headers = { "X-Group": ["a, b", "", "c"], accept: "d" };
    const { text: body } = protocol === "HTTP/2" ? await get(open(port), "/", headers) : await http1(port, { headers });
    expect(JSON.parse(body)).toEqual([["a, b", "", "c"], [], ["d"]]);
  });

  test("finds no header that was not sent", async () => {
    let seen: unknown = "unset";
    const { port } = await start(async ({ headers }) => {
      seen = headers.constructor ?? headers.toString;
      return text("");
    });
    await http1(port);
    expect(seen).toBeUndefined();
    await get(open(port));
    expect(seen).toBeUndefined();
  });

  test.each(["h2", "http/1.1"])("over its body's limit rejects, and the answer still arrives (%s)", async (protocol) => {
    const { port } = await start(async ({ body }) => {
      try {
        await body(1000);
        return text("read");
      } catch (error) {
        return text(error instanceof Error ? error.name : "", 413);
      }
    });
    const big = Buffer.alloc(3_000_000);
    const send = (body: Uint8Array, headers: Record<string, string>) =>
      protocol === "h2" ? post(open(port), body, headers) : http1(port, { method: "POST", body, headers });
    expect(await send(Buffer.alloc(1000), {})).toMatchObject({ status: 200, text: "read" });
    expect(await send(Buffer.alloc(1001), {})).toMatchObject({ status: 413, text: "BodyTooLarge" });
    // Without a declared length the limit shows only while reading.
    expect(await send(big, protocol === "h2" ? {} : { "transfer-encoding": "chunked" })).toMatchObject({ status: 413, text: "BodyTooLarge" });
  });

  test.each([true, false])("is asked for its body by 100 Continue only when it is wanted (%s)", async (wanted) => {
    const { port } = await start(async ({ body }) => text(wanted ? `${(await body(10)).length}` : "no"));
    const { socket, received } = await openRaw(port);
    socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n");
    await eventually(() => expect(received()).toContain("HTTP/1.1"));
    expect(received().startsWith("HTTP/1.1 100")).toBe(wanted);
    if (wanted) socket.write("hello");
    await eventually(() => expect(received()).toContain(wanted ? "\r\n\r\n5" : "\r\n\r\nno"));
  });

  test.each([
    { head: "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nexpect: much\r\n", code: 417, reason: "BadRequest" },
    { head: "CONNECT a:443 HTTP/1.1\r\nhost: a\r\n", code: 405, reason: "MethodNotAllowed" },
  ])("that Node would end itself is answered with a Status: $code", async ({ head, code, reason }) => {
    const { port } = await start(async () => text("handled"));
    const { socket, received } = await openRaw(port);
    socket.write(`${head}\r\n`);
    await eventually(() => expect(received()).toContain(`"code":${code}`));
    expect(received()).toMatch(new RegExp(`^HTTP/1\\.1 ${code} [^]*\r\naudit-id: \\S+\r\n[^]*"reason":"${reason}"`, "i"));
  });

  const host = (value: string) => `host: ${value}\r\n`;
  test.each([
    { line: "GET / HTTP/1.1", hosts: "", want: "missing required Host header" },
    { line: "GET https://a/ HTTP/1.1", hosts: "", want: "missing required Host header" },
    { line: "GET / HTTP/1.1", hosts: "connection: Upgrade\r\nupgrade: websocket\r\n", want: "missing required Host header" },
    { line: "GET / HTTP/1.1", hosts: host("a") + host("a"), want: "too many Host headers" },
    { line: "GET / HTTP/1.0", hosts: host("a") + host("b"), want: "too many Host headers" },
    { line: "GET / HTTP/1.1", hosts: host("a b"), want: "malformed Host header" },
    { line: "GET / HTTP/1.1", hosts: host("a/b"), want: "malformed Host header" },
    { line: "GET / HTTP/1.1", hosts: host("\u00e9"), want: "malformed Host header" },
  ])("$line with $hosts is refused: $want", async ({ line, hosts, want }) => {
    const { port } = await start(async () => text("handled"));
    const { socket, received } = await openRaw(port);
    socket.write(`${line}\r\n${hosts}\r\n`);
    await eventually(() => expect(received()).toContain(`"message":"${want}"`));
    expect(received()).toMatch(/^HTTP\/1\.1 400 .*\r\nconnection: close\r\n/is);
    expect(received()).not.toContain("handled");
  });

  test.each([
    { line: "GET / HTTP/1.0", hosts: "" },
    { line: "GET / HTTP/1.1", hosts: host("") },
    { line: "GET / HTTP/1.1", hosts: host("[fd00::1%25eth0]:6443") },
  ])("$line with $hosts is served", async ({ line, hosts }) => {
    const { port } = await start(async () => text("handled"));
    const { socket, received } = await openRaw(port);
    socket.write(`${line}\r\n${hosts}\r\n`);
    await eventually(() => expect(received()).toContain("handled"));
  });

  test("with an empty body that ended before anybody read it is read", async () => {
    const [arrived, ended] = [beginning(), beginning()];
    const { port } = await start(async ({ body }) => {
      arrived.begin();
      await ended.begun;
      return text(`${(await body(10)).length} bytes`);
    });
    const session = open(port);
    const answer = post(session, new Uint8Array(0));
    await arrived.begun;
    // Answered behind what was sent before it.
    await new Promise<void>((resolve, reject) => {
      session.ping((error) => (error === null ? resolve() : reject(error)));
    });
    ended.begin();
    expect(await answer).toMatchObject({ status: 200, text: "0 bytes" });
  });

  test("cut off by its client fails to read and aborts", async () => {
    const outcome: unknown[] = [];
    const { begun, begin } = beginning();
    const { port } = await start(async ({ body, signal }) => {
      signal.addEventListener("abort", () => outcome.push("aborted"));
      begin();
      await body(1000).catch((error: unknown) => outcome.push(error));
      return text("too late");
    });
    const stream = open(port).request({ ":method": "POST", ":path": "/" });
    stream.on("error", () => {});
    stream.write("half a bo");
    await begun;
    // `close` would end the body first.
    stream.destroy(new Error("cancelled"));
    await eventually(() => expect(outcome).toHaveLength(2));
    expect(outcome).toContain("aborted");
    expect(outcome).toContainEqual(expect.any(Error));
  });

  test("reset with NO_ERROR half-way is not whole either", async () => {
    let outcome: unknown;
    const { begun, begin } = beginning();
    const { port } = await start(async ({ body }) => {
      begin();
      outcome = await body(1000).catch((error: unknown) => error);
      return text("too late");
    });
    const stream = open(port).request({ ":method": "POST", ":path": "/" });
    stream.write("half a bo");
    await begun;
    stream.destroy();
    await eventually(() => expect(outcome).toBeInstanceOf(Error));
  });

  test("whose client leaves while it runs is aborted; one that ended is not", async () => {
    const signals: AbortSignal[] = [];
    const { port } = await start(async ({ path, signal }) => {
      signals.push(signal);
      if (path === "/slow") await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      return text("");
    });
    const session = open(port);
    await get(session, "/");
    const stream = session.request({ ":path": "/slow" });
    stream.on("error", () => {});
    const { socket } = await openRaw(port);
    socket.write("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n");
    await eventually(() => expect(signals).toHaveLength(3));
    stream.close(constants.NGHTTP2_CANCEL);
    socket.destroy();
    await eventually(() => expect(signals.map(({ aborted }) => aborted)).toEqual([false, true, true]));
  });
});

describe("a response", () => {
  test.each(["h2", "http/1.1"])("has a length, and HEAD, 204 and 304 have no body (%s)", async (protocol) => {
    const { port } = await start(async ({ path }) => (path === "/" ? text("0123456789") : { ...text("x", Number(path.slice(1))) }));
    const ask = (method: string, path: string) =>
      protocol === "h2" ? read(open(port).request({ ":method": method, ":path": path })) : http1(port, { method, path });
    expect(await ask("GET", "/")).toMatchObject({
      status: 200,
      text: "0123456789",
      headers: { "content-length": "10", "content-type": "text/plain" },
    });
    expect(await ask("HEAD", "/")).toMatchObject({ status: 200, text: "", headers: { "content-length": "10" } });
    expect(await ask("GET", "/204")).toMatchObject({ status: 204, text: "" });
    expect(await ask("GET", "/304")).toMatchObject({ status: 304, text: "" });
  });

  test.each(["h2", "http/1.1"])("of several megabytes arrives whole (%s)", async (protocol) => {
    const big = Buffer.alloc(5_000_001, "0123456789");
    const { port } = await start(async () => ({ status: 200, headers: { warning: ["a", "b"] }, body: big }));
    const { text: body, headers } = await (protocol === "h2" ? get(open(port)) : http1(port));
    expect(body === big.toString()).toBe(true);
    expect(headers).toMatchObject({ "content-length": "5000001", warning: "a, b" });
  });

  test("after a handler's failure says 500 and nothing of the cause, which is logged", async () => {
    const { port, lines } = await start(() => {
      throw new Error("the password is swordfish");
    });
    const { status, text: body } = await get(open(port), "/a?token=abc");
    expect(status).toBe(500);
    expect(JSON.parse(body)).toMatchObject({ kind: "Status", reason: "InternalError", message: "Internal error occurred", code: 500 });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("swordfish");
    expect(lines[0]).not.toContain("abc");
  });

  test.each(["h2", "http/1.1"])("with headers that HTTP does not allow becomes a 500 (%s)", async (protocol) => {
    const headers: Record<string, string> = protocol === "h2" ? { "transfer-encoding": "chunked" } : { "x-a": "b\r\nc: d" };
    const { port, lines } = await start(async () => ({ status: 200, headers, body: Buffer.from("x") }));
    expect((await (protocol === "h2" ? get(open(port)) : http1(port))).status).toBe(500);
    expect(lines).toHaveLength(1);
  });
});

describe("a streamed response", () => {
  test.each(["h2", "http/1.1"])("shows its headers before the first chunk and ends with its function (%s)", async (protocol) => {
    let go = () => {};
    const { port } = await start(async () => ({
      status: 200,
      headers: {},
      body: async (sink) => {
        await new Promise<void>((resolve) => {
          go = resolve;
        });
        sink.write(Buffer.from("one,"));
        sink.write(Buffer.alloc(0));
        sink.write(Buffer.from("two"));
      },
    }));
    if (protocol === "h2") {
      const stream = open(port).request({ ":path": "/" });
      const answer = read(stream);
      await new Promise((resolve) => stream.once("response", resolve));
      go();
      expect((await answer).text).toBe("one,two");
    } else {
      const { socket, received } = await openRaw(port);
      socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      await eventually(() => expect(received().toLowerCase()).toContain("transfer-encoding: chunked"));
      go();
      await eventually(() => expect(received()).toContain("0\r\n\r\n"));
    }
  });

  test("is reset, not ended, when its function fails", async () => {
    const { port, lines } = await start(async () => ({
      status: 200,
      headers: {},
      body: async (sink) => {
        sink.write(Buffer.from("half"));
        throw new Error("broken");
      },
    }));
    await expect(get(open(port))).rejects.toThrow();
    await expect(http1(port)).rejects.toThrow();
    expect(lines).toHaveLength(2);
  });

  test("holds its writer back while the peer reads nothing, and goes on when it does", async () => {
    let written = 0;
    const { port } = await start(async () => ({
      status: 200,
      headers: {},
      body: async (sink) => {
        for (; written < 400; written++) if (!sink.write(Buffer.alloc(16_384))) await sink.drained();
      },
    }));
    const stream = open(port).request({ ":path": "/" });
    await new Promise((resolve) => stream.once("response", resolve));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(written).toBeLessThan(40);
    let length = 0;
    stream.on("data", (chunk: Buffer) => {
      length += chunk.length;
    });
    await new Promise((resolve) => stream.on("end", resolve));
    expect(length).toBe(400 * 16_384);
  });

  test("is cut off when its writer does not wait, and `drained` then rejects", async () => {
    const outcome: unknown[] = [];
    const { port, lines } = await start(
      async () => ({
        status: 200,
        headers: {},
        body: async (sink, signal) => {
          for (let i = 0; i < 1000 && !signal.aborted; i++) sink.write(Buffer.alloc(16_384));
          outcome.push(signal.aborted);
          await sink.drained().catch((error: unknown) => outcome.push(error));
        },
      }),
      { maxStreamWaitingBytes: 200_000 },
    );
    const stream = open(port).request({ ":path": "/" });
    stream.on("error", () => {});
    await eventually(() => expect(outcome).toHaveLength(2));
    expect(outcome[0]).toBe(true);
    expect(lines[0]).toContain("reads too slowly");
  });

  test("waits for other responses' bytes too", async () => {
    let second = "not asked";
    const { port } = await start(
      async ({ path }) => ({
        status: 200,
        headers: {},
        body: async (sink, signal) => {
          if (path === "/first") {
            sink.write(Buffer.alloc(300_000));
            await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
            return;
          }
          second = "waits";
          if (!sink.write(Buffer.from("x"))) await sink.drained();
          second = "went on";
        },
      }),
      { maxWaitingBytes: 100_000 },
    );
    const session = open(port);
    const first = session.request({ ":path": "/first" });
    first.on("error", () => {});
    await new Promise((resolve) => first.once("response", resolve));
    const answer = get(session, "/second");
    await eventually(() => expect(second).toBe("waits"));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(second).toBe("waits");
    first.close(constants.NGHTTP2_CANCEL);
    expect((await answer).text).toBe("x");
    expect(second).toBe("went on");
  });
});

describe("the peer's certificate", () => {
  let clientCA: CertificateAuthorities;
  beforeAll(() => {
    clientCA = certificateAuthorities(pki.ca.cert);
  });
  const whoami: RequestHandler = async ({ peer: { certificates } }) =>
    text(JSON.stringify(certificates === undefined ? null : (certificates.verifiedBy(clientCA) ?? "bad")));

  test.each(["h2", "http/1.1"])("names a user only if the client CA signed it for clients (%s)", async (protocol) => {
    const { port } = await start(whoami);
    const ask = async (client?: KeyPairPEM) =>
      JSON.parse((await (protocol === "h2" ? get(open(port, client)) : http1(port, { client: client ?? {} }))).text);
    const fingerprint = new X509Certificate(pki.admin.cert).fingerprint256.replaceAll(":", "").toLowerCase();
    expect(await ask(pki.admin)).toEqual({ commonName: "jane", organizations: ["dev", "ops"], fingerprint });
    expect(await ask()).toBeNull();
    expect(await ask(pki.stranger)).toBe("bad");
    // Signed by the right CA, for servers.
    expect(await ask(pki.serving)).toBe("bad");
  });

  test("comes anew with each handshake: no session is resumed", async () => {
    const { port } = await start(whoami);
    const client = { ...pki.admin, ca: pki.ca.cert, ALPNProtocols: ["http/1.1"], host: "127.0.0.1", port };
    const ask = async (session: Buffer | undefined) => {
      const socket = connectTLS({ ...client, ...(session === undefined ? {} : { session }) });
      const ticket = new Promise<Buffer>((resolve) => socket.once("session", resolve));
      const body = new Promise<string>((resolve) => socket.on("data", (chunk: Buffer) => resolve(chunk.toString())));
      socket.on("error", () => {});
      socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      const answer = { text: await body, reused: socket.isSessionReused(), ticket: session ?? (await ticket) };
      socket.destroy();
      return answer;
    };
    const first = await ask(undefined);
    const second = await ask(first.ticket);
    expect([first.reused, second.reused]).toEqual([false, false]);
    expect(second.text).toContain('"commonName":"jane"');
  });

  test("no longer counts once it has ended, on an open connection as well", async () => {
    const { port } = await start(whoami);
    const session = open(port, pki.admin);
    expect((await get(session)).text).toContain("jane");
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + 2 * HOUR_MS);
    cleanups.push(() => vi.restoreAllMocks());
    expect((await get(session)).text).toBe('"bad"');
  });

  test("is judged for each request, by whom the handler believes then", async () => {
    const { port } = await start(whoami);
    const session = open(port, pki.admin);
    expect((await get(session)).text).toContain("jane");
    const former = clientCA;
    cleanups.push(() => {
      clientCA = former;
    });
    clientCA = certificateAuthorities((await makeCA()).cert);
    expect((await get(session)).text).toBe('"bad"');
    clientCA = former;
    expect((await get(session)).text).toContain("jane");
  });

  test("is asked for by the CAs of now, and not at all while there are none", async () => {
    const asked: RequestHandler = async ({ peer }) => text(String(peer.certificates !== undefined));
    const { server, port } = await start(asked);
    const other = await makeCA();
    expect(await acceptableCAs(port)).toEqual(["kubernetes"]);
    server.reloadTLS({ ...pki.serving, clientCAs: [pki.ca.cert, other.cert] });
    expect(await acceptableCAs(port)).toEqual(["kubernetes", "other"]);
    expect(() => server.reloadTLS({ cert: pki.serving.cert, key: pki.ca.key, clientCAs: [] })).toThrow();
    expect((await get(open(port, pki.admin))).text).toBe("true");
    server.reloadTLS({ ...pki.serving, clientCAs: [] });
    expect((await get(open(port, pki.admin))).text).toBe("false");
    server.reloadTLS({ ...pki.serving, clientCAs: [other.cert] });
    expect((await get(open(port, pki.admin))).text).toBe("true");
  });

  test("comes with the intermediates behind it", async () => {
    const { leaf, root } = await madeChain([{ name: "root" }, { name: "one" }, { name: "two" }]);
    const { port } = await start(async ({ peer }) => text(peer.certificates?.verifiedBy(root)?.commonName ?? "nobody"));
    expect((await get(open(port, leaf))).text).toBe("leaf");
    const [own = ""] = leaf.cert.match(/-----BEGIN[^-]*-----[^-]*-----END[^-]*-----/) ?? [];
    expect((await get(open(port, { ...leaf, cert: own }))).text).toBe("nobody");
  });

  test("that is not believed sends its HTTP/2 connection away, once its answers are out", async () => {
    const { port } = await start(async ({ path }) => ({ status: path === "/401" ? 401 : 200, headers: {}, body: undefined }));
    const session = open(port, pki.admin);
    const gone = new Promise((resolve) => session.once("close", resolve));
    expect((await get(session)).status).toBe(200);
    expect((await get(session, "/401")).status).toBe(401);
    await gone;
  });
});

/** The CAs that a handshake of TLS 1.2 names, which goes over the wire in the clear: those of the tests. */
async function acceptableCAs(port: number): Promise<readonly string[]> {
  const socket = connectTCP(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  // Not the socket itself, which TLS would read without anybody seeing what.
  const tapped = new Duplex({ read() {}, write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, () => done()) });
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    tapped.push(chunk);
  });
  const client = connectTLS({ socket: tapped, ca: pki.ca.cert, servername: "localhost", maxVersion: "TLSv1.2" });
  await new Promise((resolve, reject) => client.once("secureConnect", resolve).once("error", reject));
  socket.destroy();
  const handshake = Buffer.concat(chunks);
  // A CertificateRequest comes behind the server's own certificate, whose issuer is the first of them.
  const request = handshake.subarray(handshake.lastIndexOf("kube-apiserver"));
  return ["kubernetes", "other"].filter((name) => request.includes(name));
}

async function makeCA(): Promise<KeyPairPEM> {
  const key = await generateKey();
  return { key, cert: await generateCA("other", key, { notBeforeMs: Date.now() - HOUR_MS, notAfterMs: Date.now() + HOUR_MS }) };
}

describe("limits", () => {
  test.each(["h2", "http/1.1"])("answer 414 and 431 with a Status (%s)", async (protocol) => {
    const { port } = await start(async () => text("ok"), { maxURLBytes: 1000, maxHeaderBytes: 2000 });
    const ask = (path: string, headers: Record<string, string>) =>
      protocol === "h2" ? get(open(port), path, headers) : http1(port, { path, headers });
    expect((await ask(`/${"a".repeat(998)}`, {})).status).toBe(200);
    const tooLong = await ask(`/${"a".repeat(1000)}`, {});
    expect(tooLong.status).toBe(414);
    expect(JSON.parse(tooLong.text)).toMatchObject({ kind: "Status", code: 414 });
    const tooMuch = await ask("/", { "x-a": "a".repeat(2000) });
    expect(tooMuch.status).toBe(431);
    expect(JSON.parse(tooMuch.text)).toMatchObject({ kind: "Status", code: 431 });
  });

  test("tell a client of HTTP/2 of no more headers than one alone may have", async () => {
    const { port } = await start(async () => text("ok"));
    const settings = once(open(port), "remoteSettings");
    expect((await settings)[0]).toMatchObject({ maxHeaderListSize: 64 * 1024, maxConcurrentStreams: 250 });
  });

  test("end a connection upon one header that nghttp2 does not take, in time and for all who share it", async () => {
    const { port } = await start(() => new Promise<never>(() => {}));
    const socket = connectTLS({ host: "127.0.0.1", port, ca: pki.ca.cert, ALPNProtocols: ["h2"] });
    cleanups.push(() => socket.destroy());
    const closed = once(socket, "close");
    socket.on("error", () => {}).resume();
    await once(socket, "secureConnect");
    // Preface; SETTINGS; HEADERS of stream 1: GET / https, authority "a". Then those of stream 3, with "x: a…" of 120 KiB: a literal of 7f and the rest of its length.
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(Buffer.from("000000040000000000" + "000006010500000001828487410161", "hex"));
    const block = Buffer.concat([Buffer.from("828487410161" + "000178" + "7f81bf07", "hex"), Buffer.alloc(120 * 1024, "a")]);
    for (let from = 0; from < block.length; from += 16_000) {
      const frame = block.subarray(from, from + 16_000);
      const head = Buffer.from([0, frame.length >> 8, frame.length, from === 0 ? 1 : 9, from + 16_000 < block.length ? 0 : 4, 0, 0, 0, 3]);
      socket.write(Buffer.concat([head, frame]));
    }
    const sentMs = Date.now();
    await closed;
    expect(Date.now() - sentMs).toBeLessThan(15_000);
  });

  test("refuse what is too much of many headers, and leave the connection alone", async () => {
    const { port } = await start(async () => text("ok"));
    const session = open(port, undefined, { maxSendHeaderBlockLength: 1_000_000 });
    await once(session, "remoteSettings");
    // By now the server's settings count.
    expect((await get(session)).text).toBe("ok");
    const many = Object.fromEntries(["a", "b", "c"].map((name) => [name, "a".repeat(30_000)]));
    await expect(get(session, "/", many)).rejects.toThrow();
    // Twice as long as it takes until the server looks for what is stuck, and pings.
    await sleep(2_500);
    expect((await get(session)).text).toBe("ok");
  });

  test("hold far beyond them too, and the server lives on", async () => {
    const { port } = await start(async () => text("ok"), { maxURLBytes: 1000, maxHeaderBytes: 2000 });
    const huge = { "x-a": "a".repeat(20_000) };
    expect(await http1(port, { headers: huge })).toMatchObject({ status: 431 });
    const session = open(port);
    expect((await get(session, "/", huge)).status).toBe(431);
    // nghttp2 ends a connection whose header block goes on through too many frames.
    const endless = open(port, undefined, { maxSendHeaderBlockLength: 1_000_000 });
    await expect(get(endless, "/", Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, "a".repeat(60_000)])))).rejects.toThrow();
    expect((await get(open(port))).text).toBe("ok");
  });

  test.each(["GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n", "\x16\x03\x01\x00"])(
    "answer 400 to %j",
    async (bytes) => {
      const { port } = await start(async () => text("ok"));
      const { socket, received, closed } = await openRaw(port);
      socket.write(bytes);
      await closed;
      expect(received()).toMatch(/^HTTP\/1\.1 400 Bad Request/);
      expect(JSON.parse(received().split("\r\n\r\n")[1] ?? "")).toMatchObject({ kind: "Status", code: 400 });
      expect((await get(open(port))).text).toBe("ok");
    },
  );

  test("outlive streams that break the protocol", async () => {
    const { begun, begin } = beginning();
    const { port } = await start(async () => {
      await begun;
      return text("well");
    });
    const session = open(port);
    const codes = await Promise.all(
      Array.from({ length: 20 }, () => {
        const stream = session.request({ ":method": "POST", ":path": "/", "content-length": "5" });
        stream.on("error", () => {}).end("x");
        return new Promise((resolve) => stream.on("close", () => resolve(stream.rstCode)));
      }),
    );
    begin();
    expect(new Set(codes)).toEqual(new Set([constants.NGHTTP2_PROTOCOL_ERROR]));
    expect((await get(session)).text).toBe("well");
  });

  test("take a path from every request", async () => {
    const { port } = await start(async () => text("ok"));
    const stream = open(port).request({ ":method": "CONNECT", ":authority": "a:1" });
    expect((await read(stream)).status).toBe(400);
  });

  test("count the handlers of reset streams, and end a connection that resets without end", async () => {
    let running = 0;
    let most = 0;
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { port } = await start(
      async () => {
        running++;
        most = Math.max(most, running);
        await released;
        running--;
        return text("");
      },
      { maxConcurrentStreams: 20, maxStreamResets: 100 },
    );
    const session = open(port);
    const closed = new Promise((resolve) => session.once("close", resolve));
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    // One after the other: how many a client has open at a time is its own business, and its own limit.
    while (!session.destroyed && !session.closed) {
      const before = running;
      const stream = session.request({ ":path": "/" });
      stream.on("error", () => {});
      const over = new Promise((resolve) => stream.once("close", resolve));
      // The first twenty reach the handler and are given up; the rest finds no room, for the handlers still run.
      if (before < 20) {
        await eventually(() => expect(running).toBe(before + 1));
        stream.close(constants.NGHTTP2_CANCEL);
      }
      await over;
    }
    await closed;
    expect(most).toBe(20);
    release();
    await eventually(() => expect(running).toBe(0));
  });

  test("let go on what shares a connection with many resets", async () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { port } = await start(
      async ({ path, signal }) => {
        await (path === "/other" ? released : once(signal, "abort"));
        return text("whole");
      },
      { maxStreamResets: 20 },
    );
    const session = open(port);
    const other = get(session, "/other");
    const goaway = once(session, "goaway");
    for (let count = 0; count <= 20; count++) {
      const stream = session.request({ ":path": "/" });
      stream.on("error", () => {});
      const closed = once(stream, "close");
      await sleep(5);
      stream.close(constants.NGHTTP2_CANCEL);
      await closed;
    }
    expect((await goaway)[0]).toBe(constants.NGHTTP2_NO_ERROR);
    release();
    expect((await other).text).toBe("whole");
    expect((await get(open(port), "/other")).text).toBe("whole");
  });

  test("do not take answered uploads for resets", async () => {
    const gone: boolean[] = [];
    const { port } = await start(
      async ({ body, signal }) => {
        signal.addEventListener("abort", () => gone.push(true));
        return { ...text(""), body: await body(100) };
      },
      { maxStreamResets: 3 },
    );
    const session = open(port);
    for (let i = 0; i < 20; i++) expect((await post(session, Buffer.from("hello"))).text).toBe("hello");
    expect(session.destroyed).toBe(false);
    expect(gone).toEqual([]);
  });

  test("are not taken up by bodies that were too large", async () => {
    const { port } = await start(async ({ body }) => text(await body(100).then(String, () => "too large")), { maxConcurrentStreams: 5 });
    const session = open(port);
    for (let i = 0; i < 20; i++) expect((await post(session, Buffer.alloc(20_000))).text).toBe("too large");
  });

  test("let a client that writes all before it reads see that its body was too large", async () => {
    const { port } = await start(async ({ body }) => text(await body(3 * 1024 * 1024).then(String, () => "too large")));
    const { socket, received, closed } = await openRaw(port);
    socket.pause();
    const length = 3_200_000;
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`);
    const chunk = Buffer.alloc(length / 100);
    for (let sent = 0; sent < length; sent += chunk.length) expect(await new Promise((resolve) => socket.write(chunk, resolve))).toBeFalsy();
    socket.resume();
    await closed;
    expect(received()).toMatch(/\r\n\r\ntoo large$/);
  });

  test("reset a response that nobody reads, and only that", async () => {
    const { port } = await start(async ({ path }) => ({ ...text(""), body: Buffer.alloc(path === "/big" ? 1_000_000 : 10) }), { stallTimeoutMs: 80 });
    const session = open(port);
    const unread = session.request({ ":path": "/big" });
    unread.on("error", () => {});
    const closed = new Promise((resolve) => unread.once("close", resolve));
    await new Promise((resolve) => unread.once("response", resolve));
    unread.pause();
    expect((await get(session)).text).toHaveLength(10);
    await closed;
    expect(unread.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
    expect((await get(session)).text).toHaveLength(10);
  });

  test("end a connection whose peer does not even read that", async () => {
    const { begun, begin } = beginning();
    const handler: RequestHandler = async () => {
      begin();
      // Longer than what the kernel takes of a connection that nobody reads.
      return { ...text(""), body: Buffer.alloc(64 * 1024 * 1024) };
    };
    const { server, port } = await start(handler, { stallTimeoutMs: 80 });
    const socket = connectTLS({ host: "127.0.0.1", port, ca: pki.ca.cert, ALPNProtocols: ["h2"] });
    cleanups.push(() => socket.destroy());
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    // Preface; SETTINGS and WINDOW_UPDATE that open all windows; HEADERS: GET / https, authority "a".
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(Buffer.from("00000604000000000000047fffffff" + "0000040800000000007fff0000" + "000006010500000001828487410161", "hex"));
    await begun;
    // It ends as soon as no connection is left.
    await server.drain(60_000);
  });

  test("refuse a response that has no room: 429 to who reads, a reset to who wrote", async () => {
    const { port } = await start(async ({ path }) => ({ ...text(""), body: Buffer.alloc(path === "/big" ? 1_000_000 : 10) }), {
      maxWaitingBytes: 1_000_000,
      stallTimeoutMs: 60_000,
    });
    const session = open(port);
    const unread = session.request({ ":path": "/big" });
    unread.on("error", () => {});
    await new Promise((resolve) => unread.once("response", resolve));
    const refused = await get(session);
    expect(refused).toMatchObject({ status: 429, headers: { "retry-after": "1" } });
    await expect(post(session, Buffer.from("x"))).rejects.toThrow();
    unread.destroy();
    await eventually(async () => expect((await get(session)).status).toBe(200));
  });

  test("close connections that send nothing, or nothing more", async () => {
    // Long enough for a busy machine to come to the requests.
    const { port } = await start(async () => text("ok"), { idleTimeoutMs: 800, headersTimeoutMs: 800 });
    const [silent, used, raw] = [open(port), open(port), await openRaw(port)];
    const ends = [silent, used].map((session) => new Promise((resolve) => session.once("close", resolve)));
    expect((await get(used)).text).toBe("ok");
    raw.socket.write("GET / HTTP/1.1\r\nhost: ");
    await Promise.all([...ends, raw.closed]);
    expect(raw.received()).toMatch(/^HTTP\/1\.1 408/);
  });

  test("leave a long watch alone", async () => {
    const { port } = await start(
      async () => ({
        status: 200,
        headers: {},
        body: async (sink) => {
          await new Promise((resolve) => setTimeout(resolve, 300));
          sink.write(Buffer.from("at last"));
        },
      }),
      { idleTimeoutMs: 40, headersTimeoutMs: 40, requestTimeoutMs: 40, stallTimeoutMs: 40 },
    );
    expect((await get(open(port))).text).toBe("at last");
  });

  test("end an upload that takes too long", async () => {
    const { port } = await start(async ({ body }) => text(`${(await body(10)).length}`), { requestTimeoutMs: 60 });
    const stream = open(port).request({ ":method": "POST", ":path": "/" });
    stream.on("error", () => {});
    const closed = new Promise((resolve) => stream.once("close", resolve));
    stream.write("a");
    await closed;
    expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  });

  test("close connections beyond their number", async () => {
    const { port, lines } = await start(async () => text("ok"), { maxConnections: 1, idleTimeoutMs: 100 });
    const session = open(port);
    expect((await get(session)).text).toBe("ok");
    await expect(http1(port)).rejects.toThrow();
    await eventually(() => expect(lines.join()).toContain("too many are open"));
  });

  test("must be positive integers", () => {
    const options = { handler: echo, tls: { ...pki.serving, clientCAs: [] }, log: recordingLog([]) };
    expect(() => createHTTPServer({ ...options, limits: { maxConnections: 0 } })).toThrow("maxConnections must be a positive integer, not 0");
  });
});

describe("listen", () => {
  const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));
  test.skipIf(!hasIPv6).each(["0.0.0.0", "::"])("on %s is on all addresses, of IPv6 and IPv4", async (host) => {
    await using server = createHTTPServer({ handler: echo, tls: { ...pki.serving, clientCAs: [] }, log: recordingLog([]) });
    const { port } = await server.listen(0, host);
    for (const address of ["::1", "127.0.0.1"]) {
      const socket = connectTCP(port, address);
      await once(socket, "connect");
      socket.destroy();
    }
  });

  test("says in one line why it can't", async () => {
    const { port } = await start(echo);
    const second = createHTTPServer({ handler: echo, tls: { ...pki.serving, clientCAs: [] }, log: recordingLog([]) });
    await expect(second.listen(port, "127.0.0.1")).rejects.toThrow(ListenError);
    await expect(second.listen(port, "127.0.0.1")).rejects.toThrow(`can't listen on 127.0.0.1 port ${port}: the port is in use by another process`);
    await second[Symbol.asyncDispose]();
  });
});

describe("drain", () => {
  test("finishes what runs, ends watches, closes idle connections, takes no new ones", async () => {
    let finish = () => {};
    let running = 0;
    const { server, port } = await start(async ({ path }) => {
      if (path === "/") return text("ok");
      running++;
      if (path === "/slow") {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return text("finished");
      }
      return {
        status: 200,
        headers: {},
        body: async (sink, signal) => {
          sink.write(Buffer.from("event"));
          await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        },
      };
    });
    const [session, idle, raw, rawWatch] = [open(port), open(port), await openRaw(port), await openRaw(port)];
    await get(idle);
    raw.socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await eventually(() => expect(raw.received()).toContain("ok"));
    const watch = get(session, "/watch");
    const slow = get(session, "/slow");
    rawWatch.socket.write("GET /watch HTTP/1.1\r\nhost: a\r\n\r\n");
    await eventually(() => expect(running).toBe(3));
    await eventually(() => expect(rawWatch.received()).toContain("event"));

    const goaway = new Promise((resolve) => session.once("goaway", resolve));
    let isDrained = false;
    const drained = server.drain(10_000).then(() => {
      isDrained = true;
    });
    await Promise.all([goaway, raw.closed, rawWatch.closed]);
    expect((await watch).text).toBe("event");
    expect(rawWatch.received()).toContain("0\r\n\r\n");
    await expect(http1(port)).rejects.toThrow();
    expect(isDrained).toBe(false);
    finish();
    expect((await slow).text).toBe("finished");
    await drained;
  });

  test("loses no upload of many that go on sending until they are told to go elsewhere", async () => {
    const { server, port } = await start(async ({ body }) => text(Buffer.from(await body(100)).toString()));
    const session = open(port);
    let isGoing = true;
    session.once("goaway", () => {
      isGoing = false;
    });
    const lost: string[] = [];
    let answered = 0;
    const upload = async (writer: number) => {
      for (let index = 0; isGoing; index++) {
        const sent = `${writer} ${index}`;
        const outcome = await read(session.request({ ":path": "/", ":method": "POST" }).end(sent)).catch(String);
        if (typeof outcome === "string") lost.push(outcome);
        else if (outcome.text === sent) answered++;
        else lost.push(`${outcome.status} ${outcome.text}`);
      }
    };
    const uploads = Promise.all(Array.from({ length: 40 }, (_, writer) => upload(writer)));
    await eventually(() => expect(answered).toBeGreaterThan(200));
    await server.drain(10_000);
    await uploads;
    expect(lost).toEqual([]);
  });

  test("waits for no quiet moment where nothing is uploaded, and not for ever where something always is", async () => {
    const { server, port } = await start(async ({ body }) => text(Buffer.from(await body(100)).toString()));
    const session = open(port);
    await get(session);
    const upload = () => read(session.request({ ":path": "/", ":method": "POST" }).end("x")).catch(() => undefined);
    const sent = [upload()];
    const timer = setInterval(() => {
      if (!session.closed && !session.destroyed) sent.push(upload());
    }, 20);
    cleanups.push(() => clearInterval(timer));
    await sent[0];
    const startedMs = performance.now();
    await server.drain(60_000);
    clearInterval(timer);
    expect(performance.now() - startedMs).toBeGreaterThan(2900);
    expect((await Promise.all(sent)).filter((answer) => answer !== undefined).length).toBeGreaterThan(10);
    const idle = await start(echo);
    await get(open(idle.port));
    const idleMs = performance.now();
    await idle.server.drain(60_000);
    expect(performance.now() - idleMs).toBeLessThan(450);
  });

  test("tells a running HTTP/1.1 request's client to close", async () => {
    let finish = () => {};
    const { server, port } = await start(async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return text("finished");
    });
    const { socket, received, closed } = await openRaw(port);
    const before = finish;
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await eventually(() => expect(finish).not.toBe(before));
    const drained = server.drain(10_000);
    finish();
    await Promise.all([drained, closed]);
    expect(received().toLowerCase()).toContain("connection: close");
    expect(received()).toContain("finished");
  });

  test("aborts and cuts off what outlasts its time", async () => {
    const signals: AbortSignal[] = [];
    const { server, port, lines } = await start(async ({ signal }) => {
      signals.push(signal);
      await new Promise(() => {});
      return text("");
    });
    const slow = get(open(port));
    const slowHTTP1 = http1(port);
    await eventually(() => expect(signals).toHaveLength(2));
    const results = Promise.allSettled([slow, slowHTTP1]);
    await server.drain(50);
    expect((await results).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(lines.join()).toContain('cut off: they did not end in time {"requests":2}');
  });

  test("does not wait for handshakes that nobody finishes", async () => {
    const { server, port } = await start(echo);
    const socket = connectTCP(port, "127.0.0.1");
    socket.on("error", () => {});
    cleanups.push(() => socket.destroy());
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await new Promise((resolve) => socket.once("connect", resolve));
    await get(open(port));
    await server.drain(600_000);
    await closed;
  });

  test("of a server that never listened, and a second time, is no fault", async () => {
    const server = createHTTPServer({ handler: echo, tls: { ...pki.serving, clientCAs: [] }, log: recordingLog([]) });
    await server.drain(1000);
    await server.drain(1000);
  });
});
