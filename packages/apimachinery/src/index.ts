// What an API object is: bytes and values in, bytes and values out. No I/O, no clock, no host API.
export * from "./meta/index.ts";
export * from "./schema/index.ts";
