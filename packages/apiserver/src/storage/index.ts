// The storage contract and what every back end shares. Back ends import this folder and nothing else of the framework.
export * from "./event-feeds.ts";
export * from "./event-history.ts";
export * from "./memory/index.ts";
export * from "./storage.ts";
