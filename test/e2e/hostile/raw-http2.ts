// Frames of HTTP/2 in orders and forms that the protocol does not know. Source: RFC 9113.
import type { Random } from "./random.ts";
import type { Script } from "./raw-http1.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const FRAME = { data: 0, headers: 1, priority: 2, reset: 3, settings: 4, push: 5, ping: 6, goaway: 7, window: 8, continuation: 9 } as const;
const END_STREAM = 0x1;
const END_HEADERS = 0x4;

/** @param length what the frame says of its payload, where that is not the truth. */
function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array(0), length = payload.length): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length & 0xffffff, 0, 3);
  head.writeUInt8(type & 0xff, 3);
  head.writeUInt8(flags & 0xff, 4);
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

/** A header without compression or index. Source: RFC 7541 section 6.2.2. */
function literal(name: string, value: string): Uint8Array {
  const text = (one: string) => {
    const bytes = Buffer.from(one, "latin1");
    // Short ones only: their length fits into seven bits.
    return Buffer.concat([Buffer.of(Math.min(bytes.length, 126)), bytes.subarray(0, 126)]);
  };
  return Buffer.concat([Buffer.of(0), text(name), text(value)]);
}

const requestBlock = (path = "/healthz", ...more: readonly Uint8Array[]) =>
  Buffer.concat([literal(":method", "GET"), literal(":scheme", "https"), literal(":path", path), literal(":authority", "a"), ...more]);

function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, index * 4);
  return bytes;
}

function setting(id: number, value: number): Uint8Array {
  return Buffer.concat([Buffer.of(id >> 8, id & 0xff), uint32(value)]);
}

const someBytes = (random: Random, length: number) => Uint8Array.from({ length }, () => random.below(256));

/** What an attacker is known to send. Each gets a number that no stream had before. */
const SEQUENCES: Readonly<Record<string, (random: Random, stream: number) => readonly Buffer[]>> = {
  "a request": (_, stream) => [frame(FRAME.headers, END_STREAM | END_HEADERS, stream, requestBlock())],
  "headers that never end": (random, stream) => [
    frame(FRAME.headers, 0, stream, requestBlock()),
    ...Array.from({ length: random.pick([3, 400]) }, (_, index) => frame(FRAME.continuation, 0, stream, literal(`x-${index}`, "v".repeat(100)))),
  ],
  "streams reset at once": (random, stream) =>
    Array.from({ length: random.pick([5, 700]) }, (_, index) => [
      frame(FRAME.headers, END_STREAM | END_HEADERS, stream + index * 2, requestBlock()),
      frame(FRAME.reset, 0, stream + index * 2, uint32(8)),
    ]).flat(),
  "settings without end": (random) => Array.from({ length: random.pick([3, 1500]) }, () => frame(FRAME.settings, 0, 0, setting(3, random.next()))),
  "odd settings": (random) => [
    frame(FRAME.settings, random.below(256), 0, Buffer.concat([setting(random.below(9), random.next()), setting(4, 0xffffffff)])),
  ],
  "pings without end": (random) => Array.from({ length: random.pick([3, 1500]) }, () => frame(FRAME.ping, 0, 0, someBytes(random, 8))),
  "empty frames": (random, stream) => [
    frame(FRAME.headers, END_HEADERS, stream, requestBlock()),
    ...Array.from({ length: random.pick([3, 1500]) }, () => frame(FRAME.data, 0, stream)),
  ],
  "windows that overflow": (random, stream) => [
    frame(FRAME.headers, END_STREAM | END_HEADERS, stream, requestBlock()),
    frame(FRAME.window, 0, random.pick([0, stream]), uint32(random.pick([0, 1, 0x7fffffff, 0xffffffff]))),
    frame(FRAME.window, 0, random.pick([0, stream]), uint32(0x7fffffff)),
  ],
  "a window of nothing": (_, stream) => [
    frame(FRAME.settings, 0, 0, setting(4, 0)),
    frame(FRAME.headers, END_STREAM | END_HEADERS, stream, requestBlock("/openapi/v2", literal("authorization", "Bearer operator-token"))),
  ],
  "a bad header block": (random, stream) => [frame(FRAME.headers, END_STREAM | END_HEADERS, stream, someBytes(random, 1 + random.below(60)))],
  "odd headers": (random, stream) => {
    const odd = random.pick([
      literal(":path", "/again"),
      literal(":unknown", "x"),
      literal("Upper", "x"),
      literal("connection", "close"),
      literal("te", "gzip"),
      literal("a\0b", "c\r\nd"),
      literal("", ""),
      literal("content-length", "-5"),
      literal("transfer-encoding", "chunked"),
    ]);
    return [frame(FRAME.headers, random.chance(0.5) ? END_STREAM | END_HEADERS : END_HEADERS, stream, requestBlock("/version", odd))];
  },
  "no path": (_, stream) => [frame(FRAME.headers, END_STREAM | END_HEADERS, stream, literal(":method", "GET"))],
  "an odd target": (random, stream) => [
    frame(FRAME.headers, END_STREAM | END_HEADERS, stream, requestBlock(random.pick(["", "*", "x", "/\0", "/\xff", "//", "http://x/", "/ x"]))),
  ],
  "a part of an upload": (_, stream) => [
    frame(FRAME.headers, END_HEADERS, stream, requestBlock()),
    frame(FRAME.data, 0, stream, Buffer.from("half")),
  ],
  "a push": (_, stream) => [frame(FRAME.push, END_HEADERS, stream, Buffer.concat([uint32(2), requestBlock()]))],
  "priorities in circles": (random, stream) =>
    Array.from({ length: random.pick([3, 1500]) }, (_, index) =>
      frame(FRAME.priority, 0, stream + index * 2, Buffer.concat([uint32(stream + index * 2), Buffer.of(255)])),
    ),
  "a wrong length": (random, stream) => [
    frame(random.below(10), random.below(256), stream, someBytes(random, 8), random.pick([0, 1, 7, 9, 16_385, 0xffffff])),
  ],
  "an unknown frame": (random, stream) => [
    frame(10 + random.below(240), random.below(256), random.pick([0, stream]), someBytes(random, random.below(50))),
  ],
  "any frame": (random, stream) =>
    Array.from({ length: 1 + random.below(8) }, () =>
      frame(random.below(11), random.below(256), random.pick([0, 1, 2, stream, random.next()]), someBytes(random, random.below(40))),
    ),
  goodbye: (random) => [frame(FRAME.goaway, 0, 0, uint32(random.next(), random.below(14)))],
};
const NAMES = Object.keys(SEQUENCES);

/** One connection's worth of frames, most with a proper beginning. */
export function http2Script(random: Random): Script {
  const start = random.chance(0.9)
    ? [PREFACE, frame(FRAME.settings, 0, 0)]
    : random.chance(0.5)
      ? [PREFACE.subarray(0, random.below(PREFACE.length))]
      : [];
  let stream = 1;
  const frames: Buffer[] = [];
  for (let count = 1 + random.below(4); count > 0; count--) {
    frames.push(...(SEQUENCES[random.pick(NAMES)]?.(random, stream) ?? []));
    stream += 2000;
  }
  const bytes = Buffer.concat([...start, ...frames]);
  const end = random.chance(0.15) ? random.below(bytes.length + 1) : bytes.length;
  const cut = random.below(end + 1);
  return random.chance(0.7) ? [bytes.subarray(0, end)] : [bytes.subarray(0, cut), bytes.subarray(cut, end)];
}
