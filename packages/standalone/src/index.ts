// A whole API server on one machine: core namespaces and secrets, an embedded store, and the command line. Imported by apps and examples.
export * from "./core/index.ts";
export { type BackgroundServices, runStandalone, type StandaloneContext, type StandaloneProgram, type StandaloneSetup } from "./run.ts";
