// The in-memory back end of the storage contract: for tests, and for servers whose objects need not outlive the process.
export * from "./memory-storage.ts";
