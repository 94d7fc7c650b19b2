// What an API object is: bytes and values in, bytes and values out. No I/O, no clock, no host API.
export * from "./apply/index.ts";
export * from "./cel/index.ts";
export * from "./codec/index.ts";
export * from "./meta/index.ts";
export * from "./patch/index.ts";
export * from "./rules/index.ts";
export * from "./schema/index.ts";
export * from "./selectors/index.ts";
export * from "./table/index.ts";
