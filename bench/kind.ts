// A server with one stored kind and nothing else: what the library costs without anybody's own rules.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { t } from "@annex/apimachinery";
import { defineResource } from "@annex/apiserver";
import { createLogger, keepGarbageYoung, serve } from "@annex/apiserver-node";
import { sqlite } from "@annex/storage-sqlite";

keepGarbageYoung();

const Gadget = defineResource({
  group: "bench.example.com",
  kind: "Gadget",
  scope: "Namespaced",
  versions: {
    v1: { schema: { spec: t.object({ owner: t.string({ default: "" }), size: t.integer({ default: 1 }), note: t.optional(t.string()) }) } },
  },
});

const { values } = parseArgs({ options: { "secure-port": { type: "string", default: "0" }, "data-dir": { type: "string", default: ".annex" } } });
const dataDir = values["data-dir"];
const server = await serve({
  resources: [Gadget],
  storage: await sqlite(join(dataDir, "store")).open(),
  dataDir,
  securePort: Number(values["secure-port"]),
  log: createLogger(),
});
process.stdout.write(`Serving ${server.url}\n`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void server.stop());
