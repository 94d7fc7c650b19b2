// The storage contract and what every back end shares. Back ends import this folder and nothing else of the framework.
export * from "./storage.ts";
