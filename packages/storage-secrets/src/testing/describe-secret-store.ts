import { describe } from "vitest";
import { describeSecretReads } from "./secret-reads.ts";
import type { SecretStoreHarness } from "./secret-store-harness.ts";
import { describeSecretWatches } from "./secret-watches.ts";
import { describeSecretWrites } from "./secret-writes.ts";

/**
 * The contract of {@link SecretVerbs} as a vitest suite: objects of a kind are kept in them, and read, written and watched at two replicas. A place for Secrets is done when it passes.
 *
 * @param name what the suite is called in the report.
 * @param open makes the Secrets ready; each test has its own.
 */
export function describeSecretStore(name: string, open: () => Promise<SecretStoreHarness>): void {
  describe(`objects in the Secrets of ${name}`, () => {
    describeSecretWrites(open);
    describeSecretReads(open);
    describeSecretWatches(open);
  });
}
