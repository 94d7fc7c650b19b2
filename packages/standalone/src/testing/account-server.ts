import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type APIServer,
  type Attributes,
  type Authorizer,
  allowAnonymous,
  bearerTokenAuthenticator,
  namespaceLifecycle,
  publicPathsAuthorizer,
  type Resource,
  systemMastersAuthorizer,
  type TokenAuthenticator,
  type UserInfo,
  unionAuthenticator,
  unionAuthorizer,
} from "@annex/apiserver";
import { parseOptions } from "@annex/apiserver-node";
import { ADMIN, type Harness, type SteppedClock, startHarness, steppedClock } from "@annex/testing";
import { ensureNamespaces, IMMORTAL_NAMESPACES, Namespace, Secret, SYSTEM_NAMESPACES } from "../core/index.ts";
import type { SubjectRules } from "../rbac/index.ts";
import { reviews } from "../reviews/index.ts";
import { createServiceAccounts, runServiceAccountController, SERVICE_ACCOUNT_OPTIONS } from "../service-accounts/index.ts";

export const ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts";
export const AUTHENTICATION = "/apis/authentication.k8s.io/v1";
export const AUTHORIZATION = "/apis/authorization.k8s.io/v1";

export interface AccountServer extends Harness {
  readonly clock: SteppedClock;
  readonly dataDir: string;
  /** Asks with a bearer token instead of as somebody. */
  readonly requestAs: (token: string, method: string, target: string, body?: unknown) => ReturnType<Harness["request"]>;
  /** Makes the account, and asks for a token of it. */
  readonly tokenOf: (name: string, spec?: object) => Promise<string>;
  readonly review: (token: string, audiences?: readonly string[]) => Promise<unknown>;
  /** Keeps the account `default` in every namespace until the server is disposed of. */
  readonly startController: () => void;
}

/** Who is allowed what, beside the administrators. */
export type Allows = (attributes: Attributes) => { readonly decision: "Allow" | "Deny" | "NoOpinion"; readonly reason: string } | undefined;

export interface AccountServerOptions {
  /** As on the command line. */
  readonly args?: readonly string[];
  readonly allows?: Allows;
  readonly rulesFor?: (user: UserInfo, namespace: string) => SubjectRules;
  /** Asked before service account tokens. */
  readonly tokenAuthenticators?: readonly TokenAuthenticator[];
  readonly dataDir?: string;
}

const NO_RULES: SubjectRules = { resourceRules: [], nonResourceRules: [], incomplete: false, evaluationError: "" };

/** A server with namespaces, secrets, service accounts and reviews over memory, whose clock stands still. */
export async function startAccountServer(options: AccountServerOptions = {}): Promise<AccountServer> {
  const clock = steppedClock();
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "accounts-")));
  let api: APIServer | undefined;
  const running = (): APIServer => {
    if (api === undefined) throw new Error("the server does not run yet");
    return api;
  };
  const verbsOf: APIServer["verbsOf"] = (group, resource) => running().verbsOf(group, resource);
  const context: APIServer["loopback"] = (signal) => running().loopback(signal);
  const accounts = await createServiceAccounts({
    options: parseOptions(SERVICE_ACCOUNT_OPTIONS, options.args ?? []),
    dataDir,
    verbsOf,
    context,
    now: () => clock.now(),
  });
  const tokenAuthenticators = [...(options.tokenAuthenticators ?? []), accounts.authenticator];
  const resources: readonly Resource[] = [
    Namespace,
    Secret,
    accounts.resource,
    ...reviews({ tokenAuthenticators, apiAudiences: accounts.apiAudiences, rulesFor: options.rulesFor ?? (() => NO_RULES) }),
  ];
  const users = new Map<string, UserInfo>();
  const authorizer: Authorizer = { authorize: async (attributes) => options.allows?.(attributes) ?? { decision: "NoOpinion", reason: "" } };
  const harness = await startHarness(resources, {
    clock,
    admission: [namespaceLifecycle(() => verbsOf("", "namespaces"), IMMORTAL_NAMESPACES)],
    authenticator: allowAnonymous(
      unionAuthenticator([
        { authenticate: async ({ headers }) => users.get(headers["x-test-user"] ?? "") },
        bearerTokenAuthenticator(tokenAuthenticators),
      ]),
    ),
    authorizer: unionAuthorizer([systemMastersAuthorizer, publicPathsAuthorizer, authorizer]),
    documents: accounts.documents(() => "https://127.0.0.1:9443"),
  });
  api = harness.server;
  const stop = new AbortController();
  const log = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
  await ensureNamespaces(SYSTEM_NAMESPACES, { resources, verbsOf, context, clock, log }, stop.signal);
  let controller = Promise.resolve();
  const request: Harness["request"] = (method, target, { user = ADMIN, ...more } = {}) => {
    if (user !== null) users.set(user.name, user);
    return harness.request(method, target, { user, ...more });
  };
  return {
    ...harness,
    request,
    clock,
    dataDir,
    requestAs: (token, method, target, body) =>
      harness.request(method, target, { user: null, headers: { authorization: `Bearer ${token}` }, ...(body === undefined ? {} : { body }) }),
    async tokenOf(name, spec = {}) {
      await request("POST", ACCOUNTS, { body: { metadata: { name } } });
      const answer = await request("POST", `${ACCOUNTS}/${name}/token`, { body: { spec } });
      if (answer.status !== 201) throw new Error(answer.text);
      return String(answer.json().status.token);
    },
    async review(token, audiences) {
      const body = { spec: { token, ...(audiences === undefined ? {} : { audiences }) } };
      return (await request("POST", `${AUTHENTICATION}/tokenreviews`, { body })).json().status;
    },
    startController: () => {
      controller = runServiceAccountController({ verbsOf, context, clock, log }, stop.signal);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await controller;
      await harness[Symbol.asyncDispose]();
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
