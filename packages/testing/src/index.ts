// Contract suites and what they need: for vitest, and for the tests of back ends. A dev dependency: nothing that runs imports it.
export * from "./conversion/index.ts";
export * from "./describe-storage.ts";
export * from "./harness.ts";
export * from "./storage-harness.ts";
