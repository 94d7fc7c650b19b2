// The contract of Secrets as a place for objects, as a vitest suite, and the kind that it keeps there. For tests: nothing that runs imports it.
export { describeSecretStore } from "./describe-secret-store.ts";
export { NOTE_SECRET_TYPE, Note } from "./note.ts";
export type { SecretStoreHarness } from "./secret-store-harness.ts";
