import { Worker } from "node:worker_threads";
import { OpenStoreError } from "./open-store-error.ts";
import type { Replies, ReplyMessage, Request, RequestMessage, WorkerSettings } from "./worker/protocol.ts";

/** A request that the database did not answer. `isFatal`: nothing may be acknowledged after it. */
export class RequestFailed extends Error {
  readonly isFatal: boolean;

  constructor(message: string, isFatal: boolean) {
    super(message);
    this.isFatal = isFatal;
  }
}

interface Pending {
  resolve(reply: unknown): void;
  reject(error: RequestFailed): void;
}

/** The worker thread seen from this side: requests and their answers, in order. */
export class WorkerClient {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  #nextId = 1;
  #failure: string | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#exited = new Promise((resolve) => worker.once("exit", () => resolve()));
  }

  /**
   * Starts the thread and waits until it has opened the store.
   *
   * @param onLost called once if the thread ends although nobody closed it.
   * @throws {OpenStoreError} if the store cannot be opened; the thread has ended then.
   */
  static async start(settings: WorkerSettings, onLost: (message: string) => void) {
    // Flags of the process are not for this file: `--input-type`, for one, keeps a thread from starting.
    const worker = new Worker(new URL("./worker/main.js", import.meta.url), { workerData: settings, name: "annex-sqlite", execArgv: [] });
    const client = new WorkerClient(worker);
    const opened = await new Promise<ReplyMessage>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`the thread of the store ended with code ${code}`)));
    }).catch((error: unknown) => {
      throw new OpenStoreError(
        "Inaccessible",
        `the store in ${settings.folder} cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
        error,
      );
    });
    if (opened.type !== "opened") {
      await client.#exited;
      const { code, message } =
        opened.type === "refused" ? opened : { code: "Inaccessible" as const, message: "the thread of the store spoke out of turn" };
      throw new OpenStoreError(code, message);
    }
    worker.on("message", (message: ReplyMessage) => client.#receive(message));
    worker.on("error", (error) => client.#lose(`the thread of the store failed: ${error.message}`, onLost));
    worker.once("exit", () => client.#lose("the thread of the store has ended", onLost));
    return { client, current: opened.current, compacted: opened.compacted };
  }

  /** @throws {RequestFailed} */
  send<T extends Request["type"]>(request: Extract<Request, { type: T }>): Promise<Replies[T]> {
    if (this.#failure !== undefined) return Promise.reject(new RequestFailed(this.#failure, true));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: (reply) => resolve(reply as Replies[T]), reject }); // the thread answers each type with its own reply
      this.#worker.postMessage({ id, request } satisfies RequestMessage);
    });
  }

  /** Closes the database and waits for the thread to end. */
  async close(): Promise<void> {
    try {
      await this.send({ type: "close" });
    } finally {
      await this.#exited;
    }
  }

  #receive(message: ReplyMessage): void {
    if (message.type !== "reply" && message.type !== "failed") return;
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.type === "reply") pending?.resolve(message.reply);
    else pending?.reject(new RequestFailed(message.message, message.isFatal));
  }

  #lose(message: string, onLost: (message: string) => void): void {
    if (this.#failure !== undefined) return;
    this.#failure = message;
    for (const { reject } of this.#pending.values()) reject(new RequestFailed(message, true));
    this.#pending.clear();
    onLost(message);
  }
}
