import type { Readable } from "node:stream";
import { BodyTooLarge } from "@annex/apiserver";

const EMPTY = new Uint8Array(0);

/**
 * Collects a request's body.
 *
 * @param readable where it comes from; paused, not destroyed, when the limit is passed: the answer goes out on the same stream.
 * @param isWhole asked at the stream's end: HTTP/2 streams of Node also end, without an error, when the client resets them half-way.
 * @param declaredLength the `content-length` header. Past the limit nothing is read at all.
 * @throws {BodyTooLarge} beyond `maxBytes`.
 * @throws {Error} if the stream ends before the body does: the client is gone.
 */
export function readBody(readable: Readable, isWhole: () => boolean, declaredLength: string | undefined, maxBytes: number): Promise<Uint8Array> {
  if (declaredLength !== undefined && Number(declaredLength) > maxBytes) return Promise.reject(tooLarge(maxBytes));
  // Node ends an empty HTTP/2 body whether anybody listens or not, and does not say so twice.
  if (readable.readableEnded && isWhole()) return Promise.resolve(EMPTY);
  if (readable.destroyed || readable.readableEnded) return Promise.reject(new Error("the client went away before its request was read"));
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    const onData = (chunk: Uint8Array) => {
      length += chunk.length;
      if (length > maxBytes) {
        stop();
        readable.pause();
        reject(tooLarge(maxBytes));
        return;
      }
      chunks.push(chunk);
    };
    const onEnd = () => {
      if (!isWhole()) {
        onGone();
        return;
      }
      stop();
      const [first] = chunks;
      resolve(first === undefined ? EMPTY : chunks.length === 1 ? first : Buffer.concat(chunks, length));
    };
    const onGone = () => {
      stop();
      reject(new Error("the client went away in the middle of its request"));
    };
    const stop = () => {
      readable.off("data", onData).off("end", onEnd).off("close", onGone).off("error", onGone);
    };
    readable.on("data", onData).on("end", onEnd).on("close", onGone).on("error", onGone);
  });
}

function tooLarge(maxBytes: number): BodyTooLarge {
  return new BodyTooLarge(`the body is longer than ${maxBytes} bytes`);
}
