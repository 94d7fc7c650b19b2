import type { IncomingMessage, ServerResponse } from "node:http";
import { inspect } from "node:util";
import type { Clock, LogFields, Logger } from "@annex/apiserver";
import { systemClock } from "@annex/apiserver-node";
import { type ClusterClient, createClusterClient } from "../client/index.ts";
import { answerJSON, type FakeCluster, startFakeCluster } from "./fake-cluster.ts";

/** A fake cluster that answers reviews as a test says. */
export interface ReviewCluster extends AsyncDisposable {
  readonly client: ClusterClient;
  readonly cluster: FakeCluster;
  /** The specs of the reviews that were asked for. */
  readonly specs: unknown[];
  /** How the next ones are answered: a status, or by hand. */
  answer: object | ((response: ServerResponse, spec: unknown) => void);
}

export async function startReviewCluster(answer: ReviewCluster["answer"]): Promise<ReviewCluster> {
  const specs: unknown[] = [];
  const cluster = await startFakeCluster((request, response) => void reply(request, response));
  const client = createClusterClient(cluster.config, { clock: systemClock });
  const fake: ReviewCluster = {
    client,
    cluster,
    specs,
    answer,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
  async function reply(request: IncomingMessage, response: ServerResponse) {
    const { spec } = JSON.parse(await bodyOf(request)) as { readonly spec: unknown };
    specs.push(spec);
    if (typeof fake.answer === "function") fake.answer(response, spec);
    else answerJSON(response, 201, { kind: "Review", status: fake.answer });
  }
  return fake;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** A clock that a test sets. What sleeps does not wait. */
export interface SetClock extends Clock {
  ms: number;
}

export function setClock(ms = 1_000_000): SetClock {
  return {
    ms,
    now() {
      return this.ms;
    },
    sleep: async (_ms, signal) => signal?.throwIfAborted(),
  };
}

/** A log that shows all of an error, its causes too. */
export function shownLog(lines: string[]): Logger {
  const note = (fields: LogFields, message: string) => void lines.push(`${message} ${inspect(fields, { depth: 10 })}`);
  return { debug: note, info: note, warn: note, error: note };
}
