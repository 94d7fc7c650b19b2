// Bytes that are no HTTP/1.1, or nearly.
import { BYTES_MUTATORS } from "./mutate-bytes.ts";
import type { Random } from "./random.ts";

/** What one connection sends: pieces, with a pause after each. */
export type Script = readonly Uint8Array[];

const bytesOf = (text: string) => Buffer.from(text, "latin1");

const REQUEST_LINES = [
  ...[
    "GET / HTTP/1.1",
    "GET /healthz HTTP/1.0",
    "GET  / HTTP/1.1",
    "GET / HTTP/9.9",
    "GET /",
    "GET",
    "/",
    "get / http/1.1",
    "GET / HTTP/1.1 x",
    "POST /api/v1/namespaces HTTP/1.1",
  ],
  ...[
    "CONNECT a:1 HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "GET http://x/healthz HTTP/1.1",
    "GET //healthz HTTP/1.1",
    "GET /\x00 HTTP/1.1",
    "GET /\xff HTTP/1.1",
    "PRI * HTTP/2.0",
    "BREW / HTTP/1.1",
    "GET /%zz HTTP/1.1",
  ],
  ...[`GET /${"a".repeat(100_000)} HTTP/1.1`, `${"A".repeat(5000)} / HTTP/1.1`],
];
const HEADER_LINES = [
  ...[
    "Host: a",
    "host:",
    ": x",
    "No colon",
    " Folded: x",
    "\tx",
    "A\x00: b",
    "A: \x00",
    "A : b",
    "Host: a\r\nHost: b",
    "Connection: close",
    "Connection: upgrade\r\nUpgrade: websocket",
    "Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: x",
  ],
  ...[
    "Content-Length: 5",
    "Content-Length: -1",
    "Content-Length: 5\r\nContent-Length: 6",
    "Content-Length: 99999999999999999999",
    "Content-Length: 5, 5",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: x",
  ],
  ...[
    "Transfer-Encoding: chunked\r\nContent-Length: 5",
    "Transfer-Encoding: gzip, chunked",
    "Expect: 100-continue",
    "Expect: x",
    "TE: trailers",
    "Authorization: Bearer guest-token",
    "Content-Type: application/json",
    "Sec-WebSocket-Key: x",
  ],
  ...[`A: ${"b".repeat(200_000)}`, Array.from({ length: 3000 }, (_, index) => `H${index}: x`).join("\r\n")],
];
const BODIES = [
  "",
  "hello",
  "5\r\nhello\r\n0\r\n\r\n",
  "ffffffffffffffff\r\nx",
  "-1\r\n",
  "5;x=y\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
  `5${";x".repeat(20_000)}\r\n`,
  "0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
  "zz\r\n",
  "\x00\xff",
];
const LINE_ENDS = ["\r\n", "\r\n", "\r\n", "\n", "\r", "\n\n"];

function message(random: Random): Uint8Array {
  const end = random.pick(LINE_ENDS);
  const headers = Array.from({ length: random.below(5) }, () => random.pick(HEADER_LINES));
  const whole = bytesOf([random.pick(REQUEST_LINES), ...headers, "", random.pick(BODIES)].join(end));
  return random.chance(0.4) ? random.pick(Object.values(BYTES_MUTATORS))(whole, random) : whole;
}

function inPieces(bytes: Uint8Array, count: number): Script {
  const size = Math.max(1, Math.ceil(bytes.length / count));
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

/** One connection's worth of it: a request, several behind one another, a part of one, or no text at all. */
export function http1Script(random: Random): Script {
  if (random.chance(0.1)) return [Uint8Array.from({ length: random.pick([1, 100, 70_000]) }, () => random.below(256))];
  if (random.chance(0.1))
    return [Buffer.concat(Array.from({ length: 1 + random.below(50) }, () => bytesOf("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")))];
  return inPieces(Buffer.concat(Array.from({ length: 1 + random.below(2) }, () => message(random))), random.pick([1, 1, 1, 2, 5]));
}
