// The part of RFC 6455 that a server needs which sends text and wants none: the handshake, frames to write, and the control frames of the peer.
import { createHash } from "node:crypto";
import { BEARER_PROTOCOL_PREFIX } from "@annex/apiserver";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const FIN = 0x80;
const TEXT = 0x1;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
const MASKED = 0x80;
const MAX_CONTROL_BYTES = 125;

/** The one version of the protocol, which a refusal names. */
export const WEBSOCKET_VERSION = "13";

export const NORMAL_CLOSURE = 1000;
export const PROTOCOL_ERROR = 1002;

/** The value of `sec-websocket-accept`, or why no WebSocket can come of it. */
export type Handshake = { readonly accept: string; readonly fault?: undefined } | { readonly fault: string; readonly accept?: undefined };

/**
 * Reads a client's handshake.
 *
 * A page of another site may open a WebSocket in a browser that holds a client certificate, and would read what only its user may: where
 * an `origin` is named, it has to be this host's. Behind a proxy (`x-forwarded-for`, which no page can send
 * with a WebSocket) the host is another one, and it is the proxy that says which pages may: so a browser's watch comes through the aggregator.
 *
 * @returns undefined if the request is to be answered as any other.
 * Source: RFC 6455, sections 4.2 and 4.4.
 */
export function readHandshake(method: string, headers: Readonly<Record<string, string | undefined>>): Handshake | undefined {
  if (method !== "GET" || headers.upgrade?.toLowerCase() !== "websocket") return undefined;
  if (headers["x-forwarded-for"] === undefined && !isSameOrigin(headers.origin, headers.host)) return undefined;
  if (headers["sec-websocket-version"] !== WEBSOCKET_VERSION) return { fault: "missing or bad WebSocket Version" };
  const key = headers["sec-websocket-key"] ?? "";
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key)) return { fault: "mismatch challenge/response" };
  return { accept: createHash("sha1").update(key).update(GUID).digest("base64") };
}

/**
 * The subprotocol that the answer names: the first that the client would speak, whatever it is, since messages are the same in all of them. A browser
 * ends a connection whose answer names none of its own. A token that came as one (see `webSocketTokenAuthenticator`) is none, and is never sent back.
 *
 * Source: RFC 6455, section 4.2.2; kube-apiserver answers 400 where more than one is left.
 */
export function chooseProtocol(header: string | undefined): string | undefined {
  const names = (header ?? "").split(",").map((name) => name.trim());
  // Only what is a token of HTTP may stand in the answer.
  return names.find((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && !name.startsWith(BEARER_PROTOCOL_PREFIX));
}

function isSameOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true;
  try {
    return host !== undefined && new URL(origin).host === new URL(`https://${host}`).host;
  } catch {
    return false;
  }
}

/** One whole text message. The bytes must be UTF-8. */
export function textFrame(message: Uint8Array): Uint8Array {
  return frame(TEXT, message);
}

/** @param code {@link NORMAL_CLOSURE} for example. */
export function closeFrame(code: number): Uint8Array {
  return frame(CLOSE, Uint8Array.of(code >> 8, code & 0xff));
}

export function pongFrame(payload: Uint8Array): Uint8Array {
  return frame(PONG, payload);
}

function frame(opcode: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const headBytes = length < 126 ? 2 : length < 0x1_0000 ? 4 : 10;
  const bytes = new Uint8Array(headBytes + length);
  bytes[0] = FIN | opcode;
  const view = new DataView(bytes.buffer);
  if (headBytes === 2) bytes[1] = length;
  else if (headBytes === 4) {
    bytes[1] = 126;
    view.setUint16(2, length);
  } else {
    bytes[1] = 127;
    view.setBigUint64(2, BigInt(length));
  }
  bytes.set(payload, headBytes);
  return bytes;
}

/** What a peer's frames ask for. */
export type ControlFrame = { readonly type: "ping"; readonly payload: Uint8Array } | { readonly type: "close" } | { readonly type: "error" };

/**
 * Reads a peer's frames as they come, in pieces of any size. Messages are passed over without being kept, however long; after a close or
 * an error nothing more is read. Source: RFC 6455, section 5.
 */
export class FrameReader {
  /** The head of a frame, and the payload of a control frame, as far as they are there. */
  readonly #kept: number[] = [];
  /** Of a message, still to be passed over. */
  #skipBytes = 0;
  #isOver = false;

  *read(bytes: Uint8Array): Generator<ControlFrame, void, undefined> {
    for (let at = 0; at < bytes.length && !this.#isOver; ) {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, bytes.length - at);
        this.#skipBytes -= skipped;
        at += skipped;
        continue;
      }
      this.#kept.push(bytes[at++] ?? 0);
      const control = this.#parse();
      if (control === undefined) continue;
      this.#isOver = control.type !== "ping";
      yield control;
    }
  }

  /** @returns undefined while the frame is not whole, or is a message. */
  #parse(): ControlFrame | undefined {
    const kept = this.#kept;
    const [first = 0, second = 0] = kept;
    if (kept.length < 2) return undefined;
    const opcode = first & 0x0f;
    const isControl = opcode >= CLOSE;
    const shortLength = second & 0x7f;
    // Reserved bits; a client that does not mask; opcodes that nobody has defined; a control frame in pieces, or a long one.
    const isWrong = (first & 0x70) !== 0 || (second & MASKED) === 0 || (opcode > 2 && opcode < CLOSE) || opcode > PONG;
    if (isWrong || (isControl && ((first & FIN) === 0 || shortLength > MAX_CONTROL_BYTES))) return { type: "error" };
    const lengthBytes = shortLength === 126 ? 2 : shortLength === 127 ? 8 : 0;
    const headBytes = 2 + lengthBytes + 4;
    if (kept.length < headBytes) return undefined;
    if (isControl && kept.length < headBytes + shortLength) return undefined;
    const length = lengthBytes === 0 ? shortLength : kept.slice(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
    const mask = kept.slice(headBytes - 4, headBytes);
    const payload = kept.slice(headBytes);
    kept.length = 0;
    if (!isControl) {
      // Beyond 2 to the power of 53 a count is not exact; nobody gets that far.
      this.#skipBytes = length;
      return undefined;
    }
    if (opcode === CLOSE) return { type: "close" };
    return opcode === PING ? { type: "ping", payload: Uint8Array.from(payload, (byte, index) => byte ^ (mask[index % 4] ?? 0)) } : undefined;
  }
}
