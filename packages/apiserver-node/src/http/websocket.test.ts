import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ControlFrame, closeFrame, FrameReader, readHandshake, textFrame } from "./websocket.ts";

const HANDSHAKE = {
  host: "127.0.0.1:9443",
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

describe("readHandshake", () => {
  test.each([
    { headers: {}, why: "the example of RFC 6455, section 1.3" },
    { headers: { upgrade: "WebSocket" }, why: "the protocol's name in any case" },
    { headers: { origin: "https://127.0.0.1:9443" }, why: "a page of this host" },
    { headers: { host: "annex", origin: "https://annex:443" }, why: "the port that goes without saying" },
    { headers: { origin: "https://elsewhere.example", "x-forwarded-for": "10.0.0.1" }, why: "a page that a proxy let in" },
  ])("takes $why", ({ headers }) => {
    expect(readHandshake("GET", { ...HANDSHAKE, ...headers })).toEqual({ accept: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" });
  });

  test.each([
    { headers: { upgrade: "h2c" } },
    { headers: { upgrade: undefined } },
    { headers: { origin: "https://elsewhere.example" } },
    { headers: { origin: "https://127.0.0.1:8443" } },
    { headers: { origin: "null" } },
    { headers: { origin: "https://127.0.0.1:9443", host: undefined } },
  ])("passes over $headers", ({ headers }) => {
    expect(readHandshake("GET", { ...HANDSHAKE, ...headers })).toBeUndefined();
  });

  test.each([
    { headers: { "sec-websocket-version": "8" }, fault: "missing or bad WebSocket Version" },
    { headers: { "sec-websocket-version": undefined }, fault: "missing or bad WebSocket Version" },
    { headers: { "sec-websocket-key": "dGhlIHNhbXBsZQ==" }, fault: "mismatch challenge/response" },
    { headers: { "sec-websocket-key": undefined }, fault: "mismatch challenge/response" },
  ])("finds fault with $headers", ({ headers, fault }) => {
    expect(readHandshake("GET", { ...HANDSHAKE, ...headers })).toEqual({ fault });
  });

  test("is for GET", () => {
    expect(readHandshake("POST", HANDSHAKE)).toBeUndefined();
  });
});

/** A frame as clients send it: masked. */
function clientFrame(first: number, payload: Uint8Array, mask: readonly number[] = [1, 2, 3, 4]): Uint8Array {
  const unmasked = textFrame(payload);
  const headBytes = unmasked.length - payload.length;
  const head = [first, (unmasked[1] ?? 0) | 0x80, ...unmasked.subarray(2, headBytes)];
  return Uint8Array.from([...head, ...mask, ...payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]);
}

function readAll(pieces: readonly Uint8Array[]): readonly ControlFrame[] {
  const reader = new FrameReader();
  return pieces.flatMap((piece) => [...reader.read(piece)]);
}

const PING = 0x89;
const CLOSE = 0x88;

describe("frames", () => {
  test.each([
    { bytes: 0, head: [0x81, 0] },
    { bytes: 125, head: [0x81, 125] },
    { bytes: 126, head: [0x81, 126, 0, 126] },
    { bytes: 65_535, head: [0x81, 126, 255, 255] },
    { bytes: 65_536, head: [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0] },
  ])("of $bytes bytes of text", ({ bytes, head }) => {
    const message = new Uint8Array(bytes).fill(0x61);
    expect(Array.from(textFrame(message))).toEqual([...head, ...message]);
  });

  test("of a close carry the code", () => {
    expect(Array.from(closeFrame(1002))).toEqual([0x88, 2, 3, 234]);
  });

  test("of a peer are read the same in whatever pieces they come, and messages are passed over", () => {
    const message = fc.record({ first: fc.constantFrom(0x81, 0x82, 0x01, 0x80, 0x8a), size: fc.integer({ min: 0, max: 120 }), isLong: fc.boolean() });
    const ping = fc.record({ first: fc.constant(PING), size: fc.integer({ min: 0, max: 125 }), isLong: fc.constant(false) });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(message, ping), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
        (frames, cuts) => {
          const payload = (size: number, isLong: boolean, first: number) =>
            Uint8Array.from({ length: size + (isLong && first !== 0x8a ? 70_000 : 0) }, (_, index) => index % 251);
          const sent = [...frames, { first: CLOSE, size: 2, isLong: false }, { first: PING, size: 1, isLong: false }];
          const bytes = Uint8Array.from(sent.flatMap(({ first, size, isLong }) => [...clientFrame(first, payload(size, isLong, first))]));
          const pieces: Uint8Array[] = [];
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const end = at + (cuts[turn % cuts.length] ?? 1) * (turn % 3 === 0 ? 1 : 500);
            pieces.push(bytes.subarray(at, end));
            at = end;
          }
          const pings = frames.filter(({ first }) => first === PING).map(({ size }) => ({ type: "ping", payload: payload(size, false, PING) }));
          expect(readAll(pieces)).toEqual([...pings, { type: "close" }]);
        },
      ),
      { numRuns: 50 },
    );
  });

  test.each([
    { what: "that is not masked", bytes: textFrame(Uint8Array.of(1)) },
    { what: "with a reserved bit", bytes: clientFrame(0xc1, Uint8Array.of(1)) },
    { what: "of an unknown kind", bytes: clientFrame(0x83, Uint8Array.of(1)) },
    { what: "of an unknown control kind", bytes: clientFrame(0x8b, Uint8Array.of(1)) },
    { what: "of control in pieces", bytes: clientFrame(0x09, Uint8Array.of(1)) },
    { what: "of control that is too long", bytes: clientFrame(PING, new Uint8Array(126)) },
  ])("$what are an error, after which nothing is read", ({ bytes }) => {
    expect(readAll([bytes, clientFrame(PING, Uint8Array.of(1))])).toEqual([{ type: "error" }]);
  });
});
