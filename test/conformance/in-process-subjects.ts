// The subjects of the scenarios, served without a socket over memory.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import {
  type AdmissionPlugin,
  type APIServer,
  allowAnonymous,
  bearerTokenAuthenticator,
  createAPIServer,
  memoryStorage,
  namespaceLifecycle,
  publicPathsAuthorizer,
  type Resource,
  type ResourceVerbs,
  resourceFromCRD,
  systemMastersAuthorizer,
  tokenFileAuthenticator,
  unionAuthorizer,
  versionInfo,
} from "@annex/apiserver";
import { IMMORTAL_NAMESPACES, Namespace } from "@annex/standalone";
import { realClock } from "@annex/testing";
import { banFlunder, Fischer, Flunder } from "../../examples/wardle/src/wardle.ts";
import { identities } from "./client.ts";
import { inProcessClient } from "./in-process-client.ts";
import type { Target } from "./run-scenario.ts";

const customResource = async (file: string) => resourceFromCRD(JSON.parse(await readFile(new URL(file, import.meta.url), "utf8")));
const Widget = await customResource("widgets-crd.json");
const Gadget = await customResource("gadgets-crd.json");

type VerbsOf = (group: string, resource: string) => ResourceVerbs;

/** What a subject adds to a server with namespaces. */
export interface Subject {
  readonly resources: readonly Resource[];
  readonly admission: (verbsOf: VerbsOf) => readonly AdmissionPlugin[];
}

/** By the folder of their scenarios. */
export const SUBJECTS = {
  widgets: { resources: [Widget], admission: () => [] },
  gadgets: { resources: [Gadget], admission: () => [] },
  wardle: { resources: [Flunder, Fischer], admission: (verbsOf) => [banFlunder(verbsOf)] },
} satisfies Record<string, Subject>;

export const ADMIN_TOKEN = "admin-token";
export const ALICE_TOKEN = "alice-token";
const TOKENS = [
  { token: ADMIN_TOKEN, user: "admin", uid: "", groups: ["system:masters"] },
  { token: ALICE_TOKEN, user: "alice", uid: "", groups: ["devs"] },
];
const compress = promisify(gzip);
const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

/** A server of its own, so that scenarios can run side by side without seeing each other. */
export async function startSubject({ resources, admission }: Subject): Promise<Target & AsyncDisposable> {
  let server: APIServer | undefined;
  const verbsOf: VerbsOf = (group, resource) => {
    if (server === undefined) throw new Error("not started");
    return server.verbsOf(group, resource);
  };
  server = await createAPIServer({
    resources: [Namespace, ...resources],
    storage: memoryStorage(),
    authenticator: allowAnonymous(bearerTokenAuthenticator([tokenFileAuthenticator(TOKENS, digest)])),
    authorizer: unionAuthorizer([systemMastersAuthorizer, publicPathsAuthorizer]),
    admission: [namespaceLifecycle(() => verbsOf("", "namespaces"), IMMORTAL_NAMESPACES), ...admission(verbsOf)],
    clock: realClock,
    log: silent,
    version: versionInfo("0.0.0", "linux/amd64"),
    compress,
    // As the recorded servers were started, which is kube-apiserver's default.
    enableGarbageCollector: true,
  });
  const client = inProcessClient(server);
  const running = server;
  return {
    client,
    namespaces: client,
    identities: identities(ADMIN_TOKEN, ALICE_TOKEN),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
