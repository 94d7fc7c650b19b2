// The embedded durable back end of the storage contract. Applications choose it; nothing of the framework imports it.
export * from "./open-store-error.ts";
export * from "./sqlite-storage.ts";
