import { namespaceLifecycle, type ResourceVerbs } from "@annex/apiserver";
import type { SecretVerbs } from "@annex/storage-secrets";
import { describeSecretStore } from "@annex/storage-secrets/testing";
import { realClock, startHarness } from "@annex/testing";
import { ensureNamespaces, Namespace, Secret } from "./index.ts";

describeSecretStore("the server itself", async () => {
  const resources = [Namespace, Secret];
  const harness = await startHarness(resources, { admission: [namespaceLifecycle(() => verbsOf("", "namespaces"))] });
  const { server } = harness;
  function verbsOf(group: string, resource: string): ResourceVerbs {
    return server.verbsOf(group, resource);
  }
  const log = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
  const namespaces = ["one", "two"] as const;
  await ensureNamespaces(namespaces, { resources, verbsOf, context: server.loopback, clock: realClock, log }, new AbortController().signal);
  const secrets = server.verbsOf("", "secrets") as SecretVerbs; // every verb is there
  return { secrets, others: secrets, namespaces, clock: realClock, dispose: async () => harness[Symbol.asyncDispose]() };
});
