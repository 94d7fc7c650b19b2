import type { ManagedFieldsEntry, ObjectMeta, StatusCause } from "@annex/apimachinery";
import {
  type APIResponse,
  type APIServer,
  type APIServerOptions,
  allowAnonymous,
  type Clock,
  createAPIServer,
  type Logger,
  memoryStorage,
  publicPathsAuthorizer,
  type Resource,
  systemMastersAuthorizer,
  type UserInfo,
  unionAuthorizer,
  versionInfo,
} from "@annex/apiserver";

/** A server without a socket, and how to ask it. */
export interface Harness extends AsyncDisposable {
  readonly server: APIServer;
  readonly request: (method: string, target: string, options?: HarnessRequest) => Promise<HarnessResponse>;
  /** What the server wrote to its log: message and fields. */
  readonly log: readonly { readonly level: string; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];
}

export interface HarnessRequest {
  /** Sent as JSON, unless it is text or bytes. */
  readonly body?: unknown;
  /** A list is a header that is sent several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Who asks. Default {@link ADMIN}; null for nobody. */
  readonly user?: UserInfo | null;
  readonly signal?: AbortSignal;
}

export interface HarnessResponse {
  readonly status: number;
  readonly headers: APIResponse["headers"];
  /** As the server handed it over. */
  readonly body: APIResponse["body"];
  readonly text: string;
  /** The decoded body. @throws when it is no JSON. */
  readonly json: () => AnswerBody;
  /** The events of a watch, as they come; leaving the loop ends it. */
  readonly events: () => AsyncGenerator<HarnessEvent>;
}

export interface HarnessEvent {
  readonly type: string;
  readonly object: AnswerBody;
}

/**
 * Whatever a body may hold (an object, a list, a table, a Status), as if all of it were there: a test that reads on from what is missing fails, as it should.
 * `status` is an object's; that of a `Status` is compared as a whole.
 */
export interface AnswerBody {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Omit<Required<ObjectMeta>, "managedFields"> & {
    readonly managedFields: readonly Required<ManagedFieldsEntry>[];
    readonly continue: string;
    readonly remainingItemCount: number;
  };
  readonly spec: AnswerFields;
  readonly status: AnswerFields;
  readonly data: Readonly<Record<string, string>>;
  readonly type: string;
  readonly items: readonly AnswerBody[];
  readonly columnDefinitions: readonly { readonly name: string; readonly type: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: AnswerBody }[];
  readonly message: string;
  readonly reason: string;
  readonly code: number;
  readonly details: { readonly causes: readonly Required<StatusCause>[] };
  readonly [field: string]: unknown;
}

type AnswerFields = Readonly<Record<string, unknown>>;

export const ADMIN: UserInfo = { name: "admin", groups: ["system:masters", "system:authenticated"], extra: {} };
/** May do nothing but what every authenticated user may. */
export const ALICE: UserInfo = { name: "alice", groups: ["devs", "system:authenticated"], extra: {} };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Starts a server over memory. @param options override everything. */
export async function startHarness(resources: readonly Resource[], options: Partial<APIServerOptions> = {}): Promise<Harness> {
  const lines: Harness["log"][number][] = [];
  const users = new Map<string, UserInfo>();
  const server = await createAPIServer({
    resources,
    storage: memoryStorage(),
    clock: realClock,
    log: recordingLogger(lines),
    version: versionInfo("0.0.0", "test/test"),
    authenticator: allowAnonymous({ authenticate: async ({ headers }) => users.get(headers["x-test-user"] ?? "") }),
    authorizer: unionAuthorizer([systemMastersAuthorizer, publicPathsAuthorizer]),
    ...options,
  });
  return {
    server,
    log: lines,
    request: async (method, target, { body, headers = {}, user = ADMIN, signal = new AbortController().signal } = {}) => {
      if (user !== null) users.set(user.name, user);
      const [path = "", ...query] = target.split("?");
      const bytes =
        body === undefined
          ? new Uint8Array()
          : body instanceof Uint8Array
            ? body
            : encoder.encode(typeof body === "string" ? body : JSON.stringify(body));
      const response = await server.handle({
        method,
        path,
        query: query.join("?"),
        headers: {
          "user-agent": "harness/1.0",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(", ")])),
          ...(user === null ? {} : { "x-test-user": user.name }),
        },
        headerValues: (name) => [headers[name] ?? []].flat(),
        body: async () => bytes,
        peer: { address: "127.0.0.1", certificates: undefined },
        signal,
      });
      return asHarnessResponse(response);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function asHarnessResponse({ status, headers, body }: APIResponse): HarnessResponse {
  const text = body instanceof Uint8Array ? decoder.decode(body) : "";
  return {
    status,
    headers,
    body,
    text,
    // Nobody can vouch for what a server answers; tests are there to find out.
    json: () => JSON.parse(text) as AnswerBody,
    async *events() {
      if (typeof body !== "function") throw new Error(`not a stream: ${status} ${text}`);
      const queue: string[] = [];
      let wake: () => void = () => undefined;
      const closing = new AbortController();
      let isDone = false;
      const done = body(
        {
          write: (chunk) => {
            queue.push(decoder.decode(chunk));
            wake();
            return true;
          },
          drained: async () => undefined,
        },
        closing.signal,
      ).finally(() => {
        isDone = true;
        wake();
      });
      try {
        let rest = "";
        for (;;) {
          const chunk = queue.shift();
          if (chunk !== undefined) {
            const lines = (rest + chunk).split("\n");
            rest = lines.pop() ?? "";
            for (const line of lines) yield JSON.parse(line) as HarnessEvent;
          } else if (isDone) return;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        closing.abort();
        await done;
      }
    },
  };
}

/** The machine's time, for tests that are about something else. */
export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", abort);
        resolve();
      }, ms);
      const abort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
    }),
};

/** A clock that stands still until it is stepped. */
export interface SteppedClock extends Clock {
  /** Moves on, and wakes who has slept long enough, one after the other in the order of their times. */
  readonly step: (ms: number) => Promise<void>;
}

/** @param start milliseconds since the epoch. */
export function steppedClock(start = Date.UTC(2026, 0, 1)): SteppedClock {
  let time = start;
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  return {
    now: () => time,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper = {
          until: time + Math.max(ms, 0),
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener("abort", abort);
            resolve();
          },
        };
        const abort = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", abort, { once: true });
      }),
    async step(ms) {
      const end = time + ms;
      for (;;) {
        const next = [...sleepers].filter(({ until }) => until <= end).sort((a, b) => a.until - b.until)[0];
        if (next === undefined) break;
        time = Math.max(time, next.until);
        next.wake();
        await settled();
      }
      time = end;
      await settled();
    },
  };
}

/** Resolves once everything that needs no time to pass has happened: a server over memory waits for nothing else. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function recordingLogger(lines: Harness["log"][number][]): Logger {
  const at = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) => void lines.push({ level, message, fields });
  return { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
}
