// What every API object and every answer shares: types, names, metadata, Status. Values only; anyone may import it.
export { fieldError } from "./field-error.ts";
// Other packages need it for sentences that quote what a client sent.
export { quoteGo } from "./go-quote.ts";
export * from "./group-version.ts";
export * from "./json.ts";
export { inFieldOrder, sortedKeys } from "./key-order.ts";
export * from "./names.ts";
export type * from "./object.ts";
export { parseRFC3339 } from "./rfc3339.ts";
export * from "./status.ts";
