import { defineConfig } from "vitest/config";

const conditions = ["source", "node", "module", "import", "default"];

export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: ["source"] } },
  resolve: { conditions },
  test: {
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          // Two thirds of the time would go into importing the same modules for each file. Files share them, so what a file changes it puts back.
          isolate: false,
          testTimeout: 20_000,
          hookTimeout: 60_000,
          include: [
            "packages/*/src/**/*.test.ts",
            "apps/*/src/**/*.test.ts",
            "examples/*/src/**/*.test.ts",
            "test/conformance/**/*.test.ts",
            "test/differential/**/*.test.ts",
          ],
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          // Some thirty processes, and the registries of five languages, on two busy cores: what passes at its second try only is told at the end (test/run.mjs).
          retry: 1,
        },
      },
    ],
  },
});
