// Printer columns to Tables, and objects to their metadata alone. Pure; anyone may import it.
export { formatAge, humanDuration } from "./age.ts";
export type { ColumnType, TableCell } from "./cells.ts";
export { compileJSONPath, type JSONPathQuery } from "./jsonpath.ts";
export * from "./partial-object-metadata.ts";
export * from "./table.ts";
