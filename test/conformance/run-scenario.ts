// One execution of one scenario against one server.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { answerShape, loosened, readBody, withoutPaths } from "./answer-shape.ts";
import type { Answer, Client, Identities, OpenWatch, SentRequest } from "./client.ts";
import { formatJSON, isObject, type JSONObject, type JSONValue, parseJSON } from "./json.ts";
import { Normaliser, sortedBy } from "./normaliser.ts";
import { changeAt, setAt } from "./paths.ts";
import { Placeholders, ScenarioError } from "./placeholders.ts";
import type { Edit, ReadStep, RequestStep, Scenario, Step, WatchStep } from "./scenario.ts";

/** A server, and who may ask it. */
export interface Target {
  readonly client: Client;
  /** Where namespaces are made and deleted. */
  readonly namespaces: Client;
  readonly identities: Identities;
  /** Whether to finalize the namespaces after their deletion, for servers whose namespaces nobody else lets go. */
  readonly finalizesNamespaces?: boolean;
}

/** What was answered to a step, as it is recorded; undefined for steps without an answer; `{ error }` for a step that could not be carried out. */
export type StepAnswer = JSONObject | undefined;

const DEFAULT_HEADERS = [
  ["Accept", "application/json"],
  ["User-Agent", "conformance/1.0"],
] as const;
const BODY_METHODS = new Set(["POST", "PUT", "PATCH"]);
const POLL_MS = 100;
/** Emptied before the namespace goes: nobody empties namespaces of another server than that of `--base`. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  wardle: "/apis/wardle.example.com/v1alpha1/namespaces/{}/flunders",
  widgets: "/apis/conformance.example.com/v1/namespaces/{}/widgets",
  gadgets: "/apis/gadgets.example.com/v1/namespaces/{}/gadgets",
};
const BOOKMARK_VERSIONS = ["metadata.resourceVersion", "rows.*.object.metadata.resourceVersion"];
const encoder = new TextEncoder();

/**
 * Carries out the steps in their order, also after one that failed, then the cleanup.
 *
 * @returns one answer a step.
 * @throws {ScenarioError} when a namespace cannot be made.
 */
export async function runScenario(scenario: Scenario, target: Target): Promise<StepAnswer[]> {
  const names = freshNames(scenario);
  const run = new ScenarioRun(target, names);
  const namespaces = [...names].filter(([placeholder]) => placeholder !== "uniq").map(([, name]) => name);
  const answers: StepAnswer[] = [];
  try {
    for (const name of namespaces) await createNamespace(target, name);
    for (const step of scenario.steps) answers.push(await run.step(step).catch((error: unknown) => ({ error: String(error) })));
  } finally {
    run.closeWatches();
    // What cannot be cleaned up is no answer of the scenario.
    for (const step of scenario.cleanup) await run.step(step).catch(() => undefined);
    for (const name of namespaces) await deleteNamespace(target, name, COLLECTIONS[scenario.subject]).catch(() => undefined);
  }
  return answers;
}

function freshNames({ source }: Scenario): Map<string, string> {
  const text = formatJSON(source);
  const word = (length: number) => randomUUID().replaceAll("-", "").slice(0, length);
  const namespaces = ["ns", "ns2"].filter((name) => text.includes(`{${name}}`));
  return new Map([["uniq", `u${word(7)}`], ...namespaces.map((name) => [name, `c-${word(8)}`] as const)]);
}

async function createNamespace(target: Target, name: string): Promise<void> {
  const { status, body } = await target.namespaces.request(namespaceRequest(target, "POST", "/api/v1/namespaces", name));
  if (status !== 200 && status !== 201) throw new ScenarioError(`cannot create namespace: ${status} ${new TextDecoder().decode(body).slice(0, 200)}`);
}

async function deleteNamespace(target: Target, name: string, collection: string | undefined): Promise<void> {
  if (collection !== undefined) await target.client.request(adminRequest(target, "DELETE", collection.replace("{}", name)));
  await target.namespaces.request(adminRequest(target, "DELETE", `/api/v1/namespaces/${name}`));
  if (target.finalizesNamespaces === true)
    await target.namespaces.request(namespaceRequest(target, "PUT", `/api/v1/namespaces/${name}/finalize`, name));
}

function namespaceRequest(target: Target, method: string, path: string, name: string): SentRequest {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name }, ...(method === "PUT" ? { spec: { finalizers: [] } } : {}) };
  return adminRequest(target, method, path, encoder.encode(formatJSON(namespace)));
}

function adminRequest({ identities }: Target, method: string, path: string, body?: Uint8Array): SentRequest {
  return sentRequest(identities, "admin", method, path, body === undefined ? {} : { "Content-Type": "application/json" }, body);
}

/** @param headers added to the defaults; null takes a default away. */
function sentRequest(
  identities: Identities,
  identity: string,
  method: string,
  path: string,
  headers: JSONObject,
  body: Uint8Array | undefined,
): SentRequest {
  if (!identities.has(identity)) throw new ScenarioError(`unknown identity ${identity}`);
  const credential = identities.get(identity);
  const defaults = [...DEFAULT_HEADERS, ...(credential === undefined ? [] : [["Authorization", credential] as const])];
  const given = Object.entries(headers);
  const isGiven = (name: string) => given.some(([other]) => other.toLowerCase() === name.toLowerCase());
  const length = body !== undefined || BODY_METHODS.has(method) ? [["Content-Length", String(body?.length ?? 0)] as const] : [];
  return {
    method,
    path,
    headers: [
      ...defaults.filter(([name]) => !isGiven(name)),
      ...given.flatMap(([name, value]) => (value === null ? [] : [[name, String(value)] as const])),
      ...length,
    ],
    body,
  };
}

class ScenarioRun {
  readonly #target: Target;
  readonly #placeholders: Placeholders;
  readonly #normaliser: Normaliser;
  readonly #watches = new Map<string, OpenWatch & { isEnded: boolean }>();

  constructor(target: Target, names: ReadonlyMap<string, string>) {
    this.#target = target;
    this.#placeholders = new Placeholders(names);
    this.#normaliser = new Normaliser([...[...names].map(([name, value]) => [value, `<${name}>`] as const), [target.client.host, "<host>"]]);
  }

  async step(step: Step): Promise<StepAnswer> {
    switch (step.type) {
      case "request":
        return this.#request(step);
      case "watch":
        return this.#watch(step);
      case "read":
        return this.#read(step);
      case "close":
        this.#watchNamed(step.close).close();
        return undefined;
      case "wait":
        await sleep(step.waitMs);
        return undefined;
      default:
        return step satisfies never;
    }
  }

  closeWatches(): void {
    for (const watch of this.#watches.values()) watch.close();
  }

  async #request(step: RequestStep): Promise<StepAnswer> {
    const { headers, body } = this.#bodyOf(step);
    const path = this.#placeholders.text(step.path);
    const request = sentRequest(this.#target.identities, step.as, step.method, path, headers, body);
    const deadline = performance.now() + (step.until?.timeoutMs ?? 0);
    let answer = await this.#target.client.request(request);
    while (step.until !== undefined && answer.status !== step.until.status && performance.now() <= deadline) {
      await sleep(POLL_MS);
      answer = await this.#target.client.request(request);
    }
    const read = readBody(answer);
    this.#placeholders.remember(step.id, read.json ?? read.text, headersOf(answer));
    return answerShape(answer, read, step.view, this.#normaliser);
  }

  #bodyOf(step: RequestStep): { readonly headers: JSONObject; readonly body: Uint8Array | undefined } {
    const headers = this.#placeholders.object(step.headers);
    const body = step.edit === undefined ? (step.body ?? undefined) : this.#edited(step.edit);
    if (body === undefined && step.rawBody === undefined) return { headers, body: undefined };
    const text = step.rawBody === undefined ? formatJSON(this.#placeholders.value(body ?? null)) : this.#placeholders.text(step.rawBody);
    const typed = Object.entries(headers).some(([name]) => name.toLowerCase() === "content-type")
      ? Object.fromEntries(Object.entries(headers).filter(([name, value]) => name.toLowerCase() !== "content-type" || value !== ""))
      : { ...headers, "Content-Type": "application/json" };
    return { headers: typed, body: encoder.encode(text) };
  }

  #edited({ from, remove, set }: Edit): JSONValue {
    const base = remove.reduce((body, path) => changeAt(body, path, () => undefined), this.#placeholders.answer(from));
    return Object.entries(set).reduce((body, [path, value]) => setAt(body, path, value), base);
  }

  async #watch(step: WatchStep): Promise<StepAnswer> {
    const headers = this.#placeholders.object(step.headers);
    const path = this.#placeholders.text(step.path);
    const watch = await this.#target.client.watch(sentRequest(this.#target.identities, step.as, step.method, path, headers, undefined));
    this.#watches.set(step.watch, { ...watch, isEnded: false });
    return answerShape(watch.answer, readBody(watch.answer), step.view, this.#normaliser);
  }

  #watchNamed(name: string): OpenWatch & { isEnded: boolean } {
    const watch = this.#watches.get(name);
    if (watch === undefined) throw new ScenarioError(`no watch ${name} is open`);
    return watch;
  }

  async #read(step: ReadStep): Promise<StepAnswer> {
    const watch = this.#watchNamed(step.read);
    const events = await takeEvents(watch, step);
    this.#placeholders.remember(step.id, { events });
    const shaped = events.map((event) => this.#eventShape(event, step));
    const isShort = !step.untilEnd && !step.untilBookmark && events.length < step.count;
    return {
      events: step.sortEvents ? sortedBy(shaped, (event) => formatJSON(event, { sorted: true, ascii: true })) : shaped,
      ...(watch.isEnded ? { ended: true } : isShort ? { timedOut: true } : {}),
    };
  }

  #eventShape({ type, object, ...others }: JSONObject, { ignore, messageLoose }: ReadStep): JSONObject {
    const anonymous = type === "BOOKMARK" ? withoutPaths(object ?? null, BOOKMARK_VERSIONS, "<rv>") : (object ?? null);
    const otherKeys = Object.keys(others).sort();
    const event = { type: type ?? null, object: this.#normaliser.body(anonymous), ...(otherKeys.length === 0 ? {} : { otherKeys }) };
    const shaped = withoutPaths(event, ignore);
    if (!isObject(shaped)) throw new ScenarioError("a path to ignore takes the whole event");
    return messageLoose ? { ...shaped, object: loosened(shaped.object ?? null) } : shaped;
  }
}

async function takeEvents(watch: OpenWatch & { isEnded: boolean }, step: ReadStep): Promise<JSONObject[]> {
  const events: JSONObject[] = [];
  const deadline = performance.now() + step.timeoutMs;
  while (!watch.isEnded && (step.untilEnd || events.length < step.count)) {
    const next = await watch.lines.next(deadline);
    if (next === "timedOut") break;
    if (next === "ended") {
      watch.isEnded = true;
      break;
    }
    const event = parseJSON(next.line);
    if (!isObject(event)) throw new ScenarioError(`no event: ${next.line.slice(0, 200)}`);
    const isBookmark = event.type === "BOOKMARK";
    if (isBookmark && step.skipBookmarks) continue;
    events.push(event);
    if (isBookmark && step.untilBookmark) break;
  }
  return events;
}

/** The last of equal names counts. */
function headersOf({ headers }: Answer): ReadonlyMap<string, string> {
  return new Map(headers);
}
