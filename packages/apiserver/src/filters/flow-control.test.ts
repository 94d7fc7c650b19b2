import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { UserInfo } from "../authentication/user-info.ts";
import type { Clock } from "../clock.ts";
import type { InflightKind } from "../metrics.ts";
import { createFlowControl, type FlowControl, type FlowControlOptions } from "./flow-control.ts";

/** Time that passes when told to. */
class SteppedClock implements Clock {
  #now = 0;
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();

  get sleeping(): number {
    return this.#sleepers.size;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const sleeper = { until: this.#now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });
  }

  async step(ms: number): Promise<void> {
    this.#now += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.until > this.#now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    await turn();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const user = (name: string): UserInfo => ({ name, groups: [], extra: {} });
const busy = expect.objectContaining({
  code: 429,
  reason: "TooManyRequests",
  message: "Too many requests, please try again later.",
  details: { retryAfterSeconds: 1 },
});

type State = "waiting" | "running" | "done" | "refused" | "aborted";

/** One request as its sender sees it. */
class Sent {
  readonly name: string;
  readonly #abort = new AbortController();
  #release: (() => void) | undefined;
  state: State = "waiting";
  error: unknown;

  constructor(control: FlowControl, name: string, kind: InflightKind = "readOnly", isExempt = false) {
    this.name = name;
    const acquire = async () => control.acquire({ user: user(name), kind, isExempt }, this.#abort);
    acquire().then(
      (release) => {
        this.#release = release;
        this.state = "running";
      },
      (error: unknown) => {
        this.error = error;
        this.state = error === this.#abort.signal.reason ? "aborted" : "refused";
      },
    );
  }

  finish(): void {
    this.#release?.();
    if (this.state === "running") this.state = "done";
  }

  abort(): void {
    this.#abort.abort(new Error("the client is gone"));
  }
}

function setUp(options: Partial<FlowControlOptions> = {}) {
  const clock = new SteppedClock();
  const inflight: Record<InflightKind, number> = { readOnly: 0, mutating: 0, watch: 0 };
  const setInflight = (kind: InflightKind, value: number) => {
    inflight[kind] = value;
  };
  const control = createFlowControl({ clock, metrics: { setInflight }, ...options });
  const sent: Sent[] = [];
  const send = async (name: string, kind?: InflightKind, isExempt?: boolean) => {
    const one = new Sent(control, name, kind, isExempt);
    sent.push(one);
    await turn();
    return one;
  };
  const count = (state: State, name?: string) => sent.filter((one) => one.state === state && (name === undefined || one.name === name)).length;
  return { clock, control, inflight, sent, send, count };
}

describe("places", () => {
  test.each(["readOnly", "mutating"] as const)("%s requests beyond the limit wait, and run when one is done", async (kind) => {
    const { send, inflight, clock } = setUp({ maxInflight: 1, maxMutatingInflight: 1 });
    const [first, second] = [await send("a", kind), await send("a", kind)];
    expect([first.state, second.state, inflight[kind]]).toEqual(["running", "waiting", 1]);
    first.finish();
    await turn();
    expect([second.state, inflight[kind], clock.sleeping]).toEqual(["running", 1, 0]);
    second.finish();
    expect(inflight[kind]).toBe(0);
  });

  test("of one kind are not taken by another", async () => {
    const { send } = setUp({ maxInflight: 1, maxMutatingInflight: 1, maxWatches: 1 });
    const states = [(await send("a", "readOnly")).state, (await send("a", "mutating")).state, (await send("a", "watch")).state];
    expect(states).toEqual(["running", "running", "running"]);
  });

  test("given back twice are one place", async () => {
    const { send, inflight } = setUp({ maxInflight: 1 });
    const first = await send("a");
    first.finish();
    first.finish();
    await send("a");
    expect([(await send("a")).state, inflight.readOnly]).toEqual(["waiting", 1]);
  });

  test("are 400 and 200 unless said otherwise; 0 is no limit", async () => {
    const standard = setUp();
    const twoUsers = ["a", "b"];
    for (let index = 0; index < 401; index++) await standard.send(twoUsers[index % 2] ?? "", "readOnly");
    for (let index = 0; index < 201; index++) await standard.send(twoUsers[index % 2] ?? "", "mutating");
    expect([standard.count("running"), standard.count("waiting")]).toEqual([600, 2]);
    const unlimited = setUp({ maxInflight: 0 });
    for (let index = 0; index < 1_000; index++) await unlimited.send("a");
    expect(unlimited.count("running")).toBe(1_000);
  });

  test("are not needed by who is exempt, nor taken", async () => {
    const { send, inflight } = setUp({ maxInflight: 1 });
    await send("root", "readOnly", true);
    expect([(await send("a")).state, (await send("root", "readOnly", true)).state, inflight.readOnly]).toEqual(["running", "running", 3]);
  });

  test.each([
    { maxInflight: -1 },
    { maxMutatingInflight: 1.5 },
    { maxWatches: Number.NaN },
    { maxQueued: -1 },
    { maxWaitMs: Number.POSITIVE_INFINITY },
  ])("cannot be %o", (options) => expect(() => setUp(options)).toThrow(RangeError));
});

describe("the line", () => {
  test("is left after three seconds with a 429", async () => {
    const { send, clock } = setUp({ maxInflight: 1 });
    await send("a");
    const late = await send("a");
    await clock.step(2_999);
    expect(late.state).toBe("waiting");
    await clock.step(1);
    expect([late.state, late.error]).toEqual(["refused", busy]);
  });

  test("is left by who goes away, whose turn it never becomes", async () => {
    const { send, clock } = setUp({ maxInflight: 1 });
    const [first, gone, next] = [await send("a"), await send("b"), await send("c")];
    gone.abort();
    await turn();
    expect([gone.state, clock.sleeping]).toEqual(["aborted", 1]);
    first.finish();
    await turn();
    expect(next.state).toBe("running");
  });

  test("leaves nothing on a signal that outlives the request", async () => {
    const { control, clock } = setUp({ maxInflight: 1 });
    const { signal } = new AbortController();
    const acquire = () => control.acquire({ user: user("a"), kind: "readOnly", isExempt: false }, { signal });
    const first = await acquire();
    const [second, third] = [acquire(), acquire()];
    expect(getEventListeners(signal as EventTarget & AbortSignal, "abort")).toHaveLength(2);
    first();
    await second;
    await Promise.all([expect(third).rejects.toEqual(busy), clock.step(3_000)]);
    expect(getEventListeners(signal as EventTarget & AbortSignal, "abort")).toHaveLength(0);
  });

  test("has nobody wait, nor begin a watch, who is gone already", async () => {
    const { control, send } = setUp({ maxInflight: 1 });
    await send("x");
    const gone = new Error("gone");
    for (const kind of ["readOnly", "watch"] as const) {
      const acquire = async () => control.acquire({ user: user("a"), kind, isExempt: false }, { signal: AbortSignal.abort(gone) });
      await expect(acquire()).rejects.toBe(gone);
    }
  });

  test("keeps a tenth of the places from who has all the others", async () => {
    const { send, count } = setUp({ maxInflight: 20 });
    for (let n = 0; n < 25; n++) await send("a");
    expect(count("running")).toBe(18);
    const others = [await send("b"), await send("c"), await send("d")];
    expect(others.map(({ state }) => state)).toEqual(["running", "running", "waiting"]);
    others[0]?.finish();
    await turn();
    // The place of another is not for who has enough.
    expect(others.map(({ state }) => state)).toEqual(["done", "running", "running"]);
    others[1]?.finish();
    await turn();
    expect(count("running")).toBe(19);
  });

  test("takes users in turn, and the requests of each in order", async () => {
    const { send, sent } = setUp({ maxInflight: 1 });
    await send("x");
    for (const name of ["a", "a", "a", "b", "b", "c"]) await send(name);
    const order: string[] = [];
    for (let running = sent.find((one) => one.state === "running"); running !== undefined; running = sent.find((one) => one.state === "running")) {
      order.push(`${running.name}${sent.indexOf(running)}`);
      running.finish();
      await turn();
    }
    expect(order).toEqual(["x0", "a1", "b4", "c6", "a2", "b5", "a3"]);
  });

  test("has a bound for each user", async () => {
    const { send, count } = setUp({ maxInflight: 1, maxQueuedPerUser: 2 });
    for (let index = 0; index < 5; index++) await send("a");
    await send("b");
    expect([count("running"), count("waiting", "a"), count("refused", "a"), count("waiting", "b")]).toEqual([1, 2, 2, 1]);
  });

  test("that is full of one user's requests makes room for others, down to fair shares", async () => {
    const { send, count, sent } = setUp({ maxInflight: 1, maxQueued: 6 });
    for (let index = 0; index < 7; index++) await send("a");
    for (let index = 0; index < 5; index++) await send("b");
    expect([count("waiting", "a"), count("waiting", "b"), count("refused", "a"), count("refused", "b")]).toEqual([3, 3, 3, 2]);
    expect(sent.slice(0, 4).map(({ state }) => state)).toEqual(["running", "waiting", "waiting", "waiting"]);
    await send("c");
    expect(count("waiting", "c")).toBe(1);
    expect(sent.filter(({ state }) => state === "refused").every(({ error }) => busy.asymmetricMatch(error))).toBe(true);
  });

  test("that is full is not disturbed when nobody would be served more fairly", async () => {
    const { send, count } = setUp({ maxInflight: 1, maxQueued: 5 });
    for (const name of ["x", "a", "a", "a", "b", "b", "b"]) await send(name);
    expect([count("waiting", "a"), count("waiting", "b"), count("refused", "b")]).toEqual([3, 2, 1]);
  });

  test("can be of no length", async () => {
    const { send } = setUp({ maxInflight: 1, maxQueued: 0 });
    await send("a");
    expect((await send("b")).state).toBe("refused");
  });
});

describe("watches", () => {
  test("beyond their bound are refused at once", async () => {
    const { send } = setUp({ maxWatches: 2, maxWatchesPerUser: 2 });
    const first = await send("a", "watch");
    await send("b", "watch");
    const third = await send("c", "watch");
    expect([third.state, third.error]).toEqual(["refused", busy]);
    first.finish();
    expect((await send("c", "watch")).state).toBe("running");
  });

  test("of one user are at most half of all", async () => {
    const { send, sent, count } = setUp({ maxWatches: 4 });
    for (let index = 0; index < 4; index++) await send("a", "watch");
    for (let index = 0; index < 2; index++) await send("b", "watch");
    expect([count("running", "a"), count("refused", "a"), count("running", "b")]).toEqual([2, 2, 2]);
    for (const one of sent) if (one.name === "a") one.finish();
    expect([(await send("a", "watch")).state, (await send("a", "watch")).state, (await send("a", "watch")).state]).toEqual([
      "running",
      "running",
      "refused",
    ]);
  });
});

const USERS = ["a", "b", "c"];
const command = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("send" as const),
      user: fc.constantFrom("a", "a", "a", "b", "c"),
      isExempt: fc.nat(9).map((n) => n === 0),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("finish" as const), index: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("abort" as const), index: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("step" as const), ms: fc.nat(2_000) }) },
);

describe("whatever comes", () => {
  test("no more than the limit run, nobody waits beside a free place, bounds hold, and every request ends", async () => {
    const bounds = { maxInflight: 3, maxQueued: 6, maxQueuedPerUser: 4, maxWaitMs: 3_000 };
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
        const { send, clock, sent, inflight, count } = setUp(bounds);
        const exempt = new Set<Sent>();
        for (const one of commands) {
          const pick = (state: State) => sent.filter((other) => other.state === state);
          if (one.type === "send") {
            const added = await send(one.user, "readOnly", one.isExempt);
            if (one.isExempt) exempt.add(added);
          } else if (one.type === "step") await clock.step(one.ms);
          else {
            const from = pick(one.type === "finish" ? "running" : "waiting");
            from[one.index % Math.max(from.length, 1)]?.[one.type]();
            await turn();
          }
          const limited = pick("running").filter((running) => !exempt.has(running)).length;
          expect(limited).toBeLessThanOrEqual(bounds.maxInflight);
          if (count("waiting") > 0) expect(limited).toBe(bounds.maxInflight);
          expect(count("waiting")).toBeLessThanOrEqual(bounds.maxQueued);
          for (const name of USERS) expect(count("waiting", name)).toBeLessThanOrEqual(bounds.maxQueuedPerUser);
          expect(inflight.readOnly).toBe(count("running"));
          expect(clock.sleeping).toBe(count("waiting"));
        }
        await clock.step(bounds.maxWaitMs);
        expect(count("waiting")).toBe(0);
        for (const one of sent) one.finish();
        expect([inflight.readOnly, clock.sleeping]).toEqual([0, 0]);
      }),
      { numRuns: 200 },
    );
  });

  test("a user who waits runs after at most one request of each other user", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("a", "a", "a", "a", "b", "b", "c"), { minLength: 1, maxLength: 30 }),
        fc.nat(10),
        async (names, before) => {
          const { send, sent, count } = setUp({ maxInflight: 1 });
          await send("first");
          for (const name of names) await send(name);
          const finishOne = async () => {
            sent.find(({ state }) => state === "running")?.finish();
            await turn();
          };
          for (let index = 0; index < before; index++) await finishOne();
          const waiting = new Set(sent.filter(({ state }) => state === "waiting").map(({ name }) => name));
          const left = new Map([...waiting].map((name) => [name, count("waiting", name)]));
          for (let index = 0; index < waiting.size; index++) await finishOne();
          for (const [name, earlier] of left) expect(count("waiting", name)).toBe(earlier - 1);
        },
      ),
      { numRuns: 100 },
    );
  });
});
