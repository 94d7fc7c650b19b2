import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeStorage } from "@annex/testing";
import { sqlite } from "./sqlite-storage.ts";

// Once with the newest events in memory, once with next to none, so that feeds read the disk.
for (const [name, options] of [
  ["sqlite", {}],
  ["sqlite that remembers two events", { recentEvents: 2 }],
] as const) {
  describeStorage(
    name,
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "annex-sqlite-"));
      let storage = await sqlite(folder, options).open();
      return {
        storage,
        reopen: async () => {
          await storage[Symbol.asyncDispose]();
          storage = await sqlite(folder, options).open();
          return storage;
        },
        dispose: async () => {
          await storage[Symbol.asyncDispose]();
          await rm(folder, { recursive: true });
        },
      };
    },
    { isDurable: true, modelRuns: 15 },
  );
}
