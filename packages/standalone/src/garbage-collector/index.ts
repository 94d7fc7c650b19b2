export { type GarbageCollectorOptions, runGarbageCollector } from "./garbage-collector.ts";
