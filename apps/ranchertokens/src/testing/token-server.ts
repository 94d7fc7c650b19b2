import {
  type APIServerOptions,
  type Attributes,
  type Authorizer,
  memoryStorage,
  namespaceLifecycle,
  publicPathsAuthorizer,
  type Resource,
  systemMastersAuthorizer,
  unionAuthorizer,
} from "@annex/apiserver";
import { ensureNamespaces, IMMORTAL_NAMESPACES, Namespace, type NamespaceControllerOptions, Secret, SYSTEM_NAMESPACES } from "@annex/standalone";
import {
  type AnswerBody,
  type Harness,
  type HarnessRequest,
  type HarnessResponse,
  type SteppedClock,
  startHarness,
  steppedClock,
} from "@annex/testing";
import { type ExpiryOptions, runExpiry } from "../expiry.ts";
import { clusterRancherToken, rancherToken, type TokenResourceOptions } from "../ranchertoken.ts";
import { createVerifier, type Verify } from "../verify.ts";

export const MAC_KEY = new Uint8Array(32).fill(7);
export const CLUSTER_NAMESPACE = "annex-system";
export const TOKENS = "/apis/tomlebreux.com/v1alpha1/namespaces/default/ranchertokens";
export const TOKENS_V1 = "/apis/tomlebreux.com/v1/namespaces/default/ranchertokens";
export const CLUSTER_TOKENS_V1 = "/apis/tomlebreux.com/v1/clusterranchertokens";
export const CLUSTER_TOKENS = "/apis/tomlebreux.com/v1alpha1/clusterranchertokens";
export const SECRETS = "/api/v1/namespaces/default/secrets";
export const CLUSTER_SECRETS = `/api/v1/namespaces/${CLUSTER_NAMESPACE}/secrets`;
export const MERGE_PATCH = { "content-type": "application/merge-patch+json" };

export interface TokenServerOptions extends Partial<APIServerOptions> {
  readonly clock?: SteppedClock;
  readonly macKey?: Uint8Array;
  /** What users beside system:masters may do. Default: nothing. */
  readonly allow?: (attributes: Attributes) => boolean;
}

export interface TokenServer extends Harness {
  readonly clock: SteppedClock;
  /** What background work is given. */
  readonly services: Omit<NamespaceControllerOptions, "resources">;
  readonly resources: readonly Resource[];
  readonly verify: Verify;
  /** Every answer, event and log line of this server so far, as text. */
  readonly transcript: () => string;
  /** Runs the expiry loop until the signal aborts. */
  readonly runExpiry: (options: Pick<ExpiryOptions, "graceMs">, signal: AbortSignal) => Promise<void>;
  /** POSTs a RancherToken to the namespace default, whose creation must succeed. */
  readonly create: (name: string, spec?: object, metadata?: object) => Promise<AnswerBody>;
  readonly patch: (target: string, body: object, options?: HarnessRequest) => Promise<HarnessResponse>;
  readonly read: (target: string) => Promise<AnswerBody>;
  /** Edits a Secret as somebody with a text editor does: data as text, undefined removes a key. */
  readonly editSecret: (target: string, data: Readonly<Record<string, string | undefined>>) => Promise<AnswerBody>;
}

/** A server with both kinds of tokens over memory, whose clock is stepped by hand. */
export async function startTokenServer({ macKey = MAC_KEY, allow = () => false, ...options }: TokenServerOptions = {}): Promise<TokenServer> {
  const clock = options.clock ?? steppedClock();
  const resourceOptions: TokenResourceOptions = { macKey, clusterTokenNamespace: CLUSTER_NAMESPACE };
  const allowed: Authorizer = { authorize: async (attributes) => ({ decision: allow(attributes) ? "Allow" : "NoOpinion", reason: "" }) };
  const resources = [Namespace, Secret, rancherToken(resourceOptions), clusterRancherToken(resourceOptions)];
  const harness: Harness = await startHarness(resources, {
    storage: memoryStorage(),
    authorizer: unionAuthorizer([systemMastersAuthorizer, publicPathsAuthorizer, allowed]),
    ...options,
    clock,
    admission: [namespaceLifecycle(() => harness.server.verbsOf("", "namespaces"), IMMORTAL_NAMESPACES), ...(options.admission ?? [])],
  });
  const { server } = harness;
  const services = { verbsOf: server.verbsOf, context: server.loopback, clock, log: recorder(harness) };
  await ensureNamespaces([...SYSTEM_NAMESPACES, CLUSTER_NAMESPACE], { ...services, resources }, new AbortController().signal);
  const seen: string[] = [];
  const request: Harness["request"] = async (...args) => {
    const response = await harness.request(...args);
    seen.push(JSON.stringify(response.headers), response.text);
    return {
      ...response,
      async *events() {
        for await (const event of response.events()) {
          seen.push(JSON.stringify(event));
          yield event;
        }
      },
    };
  };
  const read = async (target: string) => (await request("GET", target)).json();
  return {
    ...harness,
    request,
    clock,
    services,
    resources,
    read,
    verify: createVerifier(services),
    runExpiry: (expiry, signal) => runExpiry({ ...services, ...expiry }, signal),
    transcript: () => [...seen, JSON.stringify(harness.log, errorsAsText)].join("\n"),
    async create(name, spec = { userID: "admin" }, metadata = {}) {
      const response = await request("POST", TOKENS, { body: token(name, spec, metadata) });
      if (response.status !== 201) throw new Error(response.text);
      return response.json();
    },
    patch: (target, body, patchOptions) => request("PATCH", target, { body, headers: MERGE_PATCH, ...patchOptions }),
    async editSecret(target, data) {
      const secret = await read(target);
      const edits = Object.entries(data).map(([key, text]) => [key, text === undefined ? undefined : Buffer.from(text).toString("base64")]);
      const response = await request("PUT", target, { body: { ...secret, data: { ...secret.data, ...Object.fromEntries(edits) } } });
      if (response.status !== 200) throw new Error(response.text);
      return response.json();
    },
    [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose](),
  };
}

export function token(name: string, spec: object = { userID: "admin" }, metadata: object = {}) {
  return { apiVersion: "tomlebreux.com/v1alpha1", kind: "RancherToken", metadata: { name, ...metadata }, spec };
}

/** A plaintext as the answer to a creation tells it. */
export function plaintextOf(created: AnswerBody): string {
  const { plaintextToken } = created.status;
  if (typeof plaintextToken !== "string") throw new Error(`no plaintext in ${JSON.stringify(created)}`);
  return plaintextToken;
}

/** A value of a Secret's data, as text. */
export function dataOf(secret: AnswerBody, key: string): string {
  return Buffer.from(secret.data[key] ?? "", "base64").toString("utf8");
}

/** Takes so many events of a watch, then ends it. */
export async function take<T>(events: AsyncGenerator<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

function recorder(harness: Harness) {
  const lines = harness.log as { level: string; message: string; fields: Readonly<Record<string, unknown>> }[]; // the harness' own list
  const at = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) => void lines.push({ level, message, fields });
  return { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
}

function errorsAsText(_key: string, value: unknown): unknown {
  return value instanceof Error ? `${value.stack} ${String(value.cause)}` : value;
}
