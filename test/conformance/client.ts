// What a scenario needs of the way to a server: over a socket or without one.
import type { LineQueue } from "./line-queue.ts";

/** A request as it goes out. */
export interface SentRequest {
  readonly method: string;
  /** As written, with the query. */
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | undefined;
}

export interface Answer {
  readonly status: number;
  /** Lower-case names, one entry for each header that was sent; values one character a byte. */
  readonly headers: readonly (readonly [string, string])[];
  /** As sent: gzip is not undone yet. */
  readonly body: Uint8Array;
}

/** An open stream. */
export interface OpenWatch {
  /** With the body unless the status is 200. */
  readonly answer: Answer;
  readonly lines: LineQueue;
  close(): void;
}

export interface Client {
  /** `host:port` of the server, as it may show in its answers. */
  readonly host: string;
  /** @throws {Error} when no answer comes. */
  request(request: SentRequest): Promise<Answer>;
  watch(request: SentRequest): Promise<OpenWatch>;
}

/** Who asks: the value of `Authorization` by the name of the identity; undefined for no credential. */
export type Identities = ReadonlyMap<string, string | undefined>;

/** The identities of FORMAT.md. */
export function identities(adminToken: string, aliceToken: string | undefined): Identities {
  const table = new Map([
    ["admin", `Bearer ${adminToken}`],
    ["anonymous", undefined],
    ["badtoken", "Bearer not-a-token"],
  ]);
  return aliceToken === undefined ? table : table.set("alice", `Bearer ${aliceToken}`);
}
