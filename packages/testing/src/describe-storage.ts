import { describe } from "vitest";
import { describeStorageConcurrency } from "./storage-concurrency.ts";
import { describeStorageDurability } from "./storage-durability.ts";
import { describeStorageFeeds } from "./storage-feeds.ts";
import type { StorageHarness } from "./storage-harness.ts";
import { describeStorageModel } from "./storage-model.ts";
import { describeStorageReads } from "./storage-reads.ts";
import { describeStorageWrites } from "./storage-writes.ts";

export interface DescribeStorageOptions {
  /** Whether the data outlives the process: the harness then has `reopen`, and what was acknowledged must be there after it. */
  readonly isDurable?: boolean;
  /** How many random histories the model test tries: 40 by default (lower it where each write costs milliseconds). */
  readonly modelRuns?: number;
}

/**
 * The contract of `Storage` as a vitest suite: a back end is done when it passes.
 *
 * @param name what the suite is called in the report.
 * @param open makes a fresh, empty store; each test has its own.
 */
export function describeStorage(name: string, open: () => Promise<StorageHarness>, options: DescribeStorageOptions = {}): void {
  describe(`${name} keeps the storage contract`, () => {
    describeStorageReads(open);
    describeStorageWrites(open);
    describeStorageFeeds(open);
    describeStorageConcurrency(open);
    describeStorageModel(open, options.modelRuns ?? 40);
    if (options.isDurable === true) describeStorageDurability(open);
  });
}
