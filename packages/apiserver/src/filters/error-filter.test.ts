import { t } from "@annex/apimachinery";
import { startHarness } from "@annex/testing";
import { expect, test } from "vitest";
import { defineResource } from "../definition/index.ts";
import { memoryStorage, StorageError } from "../storage/index.ts";

const Thing = defineResource({ group: "example.com", kind: "Thing", scope: "Cluster", versions: { v1: { schema: { spec: t.object({}) } } } });
const body = { apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "a" } };

test("why a write to storage failed stands in the log, and nowhere else", async () => {
  const full = new StorageError("Unavailable", "the write failed", { cause: new Error("no space is left") });
  const storage = Object.assign(memoryStorage(), { put: () => Promise.reject(full) });
  await using server = await startHarness([Thing], { storage });
  const failed = await server.request("POST", "/apis/example.com/v1/things", { body });
  expect(failed.json()).toMatchObject({ code: 503, reason: "ServiceUnavailable", message: expect.stringMatching(/^storage is unavailable/) });
  expect(failed.text).not.toContain("the write failed");
  const errors = server.log.filter(({ level }) => level === "error");
  expect(errors).toEqual([
    {
      level: "error",
      message: "a request failed",
      fields: { error: full, auditID: failed.headers["audit-id"], verb: "create", path: "/apis/example.com/v1/things" },
    },
  ]);
});
