import { type ConnectionOptions, connect } from "node:tls";
import type { Script } from "./raw-http1.ts";

/** How long a connection is looked at after its last byte: what is slow or unfinished is the server's to end later, by limits of its own. */
const LINGER_MS = 100;
const PAUSE_MS = 5;
const MAX_RECEIVED = 4 * 1024 * 1024;

export interface RawAnswer {
  /** At most 4 MiB. */
  readonly received: Uint8Array;
  /** Whether the server ended the connection. */
  readonly isEnded: boolean;
}

/**
 * Sends bytes on a TLS connection of their own, and leaves it without a goodbye.
 *
 * @param protocol what is agreed on in the handshake.
 */
export function sendRaw(options: ConnectionOptions, protocol: "h2" | "http/1.1", script: Script): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    let isEnded = false;
    const socket = connect({ ...options, ALPNProtocols: [protocol] });
    const finish = () => {
      socket.destroy();
      resolve({ received: Buffer.concat(chunks), isEnded });
    };
    const write = (index: number) => {
      const piece = script[index];
      if (socket.destroyed) return;
      if (piece === undefined) setTimeout(finish, LINGER_MS);
      else socket.write(piece, () => setTimeout(() => write(index + 1), PAUSE_MS));
    };
    socket.on("secureConnect", () => write(0));
    socket.on("data", (chunk: Uint8Array) => {
      length += chunk.length;
      if (length <= MAX_RECEIVED) chunks.push(chunk);
    });
    // It may well reset us.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      isEnded = true;
      finish();
    });
  });
}
