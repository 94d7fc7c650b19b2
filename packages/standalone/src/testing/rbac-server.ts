import { type APIServerOptions, namespaceLifecycle, systemMastersAuthorizer, type UserInfo, unionAuthorizer } from "@annex/apiserver";
import { type Harness, type SteppedClock, startHarness, steppedClock } from "@annex/testing";
import { ensureNamespaces, IMMORTAL_NAMESPACES, Namespace, Secret, SYSTEM_NAMESPACES } from "../core/index.ts";
import { createRBAC, type RBAC } from "../rbac/index.ts";
import { Widget } from "./core-server.ts";

export const RBAC_V1 = "/apis/rbac.authorization.k8s.io/v1";

export interface RBACServer extends Harness {
  readonly rbac: RBAC;
  readonly clock: SteppedClock;
  /** What was logged as a warning. */
  readonly warnings: readonly unknown[][];
}

/** A server with RBAC over memory, as the standalone one puts it together: namespaces, secrets, roles, bindings and widgets. */
export async function startRBACServer(options: Partial<APIServerOptions> = {}): Promise<RBACServer> {
  const clock = steppedClock();
  const rbac = createRBAC();
  const resources = [Namespace, Secret, Widget, ...rbac.resources];
  const harness: Harness = await startHarness(resources, {
    clock,
    authorizer: unionAuthorizer([systemMastersAuthorizer, rbac.authorizer]),
    admission: [namespaceLifecycle(() => harness.server.verbsOf("", "namespaces"), IMMORTAL_NAMESPACES), rbac.admission],
    ...options,
  });
  const { server } = harness;
  const warnings: unknown[][] = [];
  const log = { error: () => undefined, warn: (...line: unknown[]) => void warnings.push(line), info: () => undefined, debug: () => undefined };
  const stop = new AbortController();
  await ensureNamespaces(SYSTEM_NAMESPACES, { resources, verbsOf: server.verbsOf, context: server.loopback, clock, log }, stop.signal);
  await rbac.start({ api: server, clock, log }, stop.signal);
  const running = rbac.run({ api: server, clock, log }, stop.signal);
  return {
    ...harness,
    rbac,
    clock,
    warnings,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await harness[Symbol.asyncDispose]();
    },
  };
}

export const userOf = (name: string, ...groups: string[]): UserInfo => ({ name, groups: [...groups, "system:authenticated"], extra: {} });
export const RBAC_GROUP_NAME = "rbac.authorization.k8s.io";
export const subjectOf = (kind: "User" | "Group", name: string) => ({ kind, apiGroup: RBAC_GROUP_NAME, name });
export const roleRefOf = (kind: "Role" | "ClusterRole", name: string) => ({ apiGroup: RBAC_GROUP_NAME, kind, name });
