import { t } from "@annex/apimachinery";
import { defineResource, namespaceLifecycle } from "@annex/apiserver";
import { type Harness, type SteppedClock, startHarness, steppedClock } from "@annex/testing";
import { ensureNamespaces, IMMORTAL_NAMESPACES, Namespace, runNamespaceController, Secret, SYSTEM_NAMESPACES } from "../core/index.ts";

export const NAMESPACES = "/api/v1/namespaces";
export const MERGE_PATCH = { "content-type": "application/merge-patch+json" };

/** A kind beside the core ones, to be emptied along. */
export const Widget = defineResource({
  group: "example.com",
  kind: "Widget",
  scope: "Namespaced",
  versions: { v1: { schema: { spec: t.object({}) } } },
});
export const widgetsOf = (namespace: string) => `/apis/example.com/v1/namespaces/${namespace}/widgets`;
export const secretsOf = (namespace: string) => `${NAMESPACES}/${namespace}/secrets`;

export interface CoreServer extends Harness {
  readonly clock: SteppedClock;
  /** Runs the namespace controller until the server is disposed of. */
  readonly startController: () => void;
}

/** A server with namespaces, secrets and widgets over memory; nothing empties namespaces until it is told to. */
export async function startCoreServer(): Promise<CoreServer> {
  const clock = steppedClock();
  const resources = [Namespace, Secret, Widget];
  const harness: Harness = await startHarness(resources, {
    clock,
    admission: [namespaceLifecycle(() => harness.server.verbsOf("", "namespaces"), IMMORTAL_NAMESPACES)],
  });
  const { server } = harness;
  const log = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
  const controller = { resources, verbsOf: server.verbsOf, context: server.loopback, clock, log };
  const stop = new AbortController();
  let running = Promise.resolve();
  await ensureNamespaces(SYSTEM_NAMESPACES, controller, stop.signal);
  return {
    ...harness,
    clock,
    startController: () => {
      running = runNamespaceController(controller, stop.signal);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await harness[Symbol.asyncDispose]();
    },
  };
}
