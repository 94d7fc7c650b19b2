import type { IncomingMessage } from "node:http";
import { AnswerTooLargeError } from "./unavailable.ts";

/** All of an answer's body. @throws {AnswerTooLargeError} beyond `maxBytes`; the rest is not read. */
export async function readBody(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes) throw new AnswerTooLargeError(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
