// What a controller needs and the sample's kinds lack: a kind whose status holds something, and whose generation counts changes of the spec.
import { t } from "@annex/apimachinery";
import { defineResource } from "@annex/apiserver";
import { runStandalone } from "@annex/standalone";

const Gadget = defineResource({
  group: "clients.test",
  kind: "Gadget",
  scope: "Namespaced",
  statusSubresource: true,
  versions: {
    v1: {
      schema: {
        spec: t.object({ size: t.integer({ minimum: 0, maximum: 100 }) }),
        status: t.object({ observedGeneration: t.optional(t.integer()), phase: t.optional(t.string()) }),
      },
    },
  },
});

process.exitCode = await runStandalone(
  { usage: "Usage: node gadgets.mjs [OPTIONS]", version: "0", options: {}, setup: () => ({ resources: [Gadget] }) },
  process.argv.slice(2),
);
