// Printer columns to Tables, and objects to their metadata alone. Pure; anyone may import it.
// Go's %q: other packages need it for sentences that quote what a client sent.
export { quoteGo } from "../schema/go-format.ts";
export { formatAge, humanDuration } from "./age.ts";
export type { ColumnType, TableCell } from "./cells.ts";
export { compileJSONPath, type JSONPathQuery } from "./jsonpath.ts";
export * from "./partial-object-metadata.ts";
export * from "./table.ts";
