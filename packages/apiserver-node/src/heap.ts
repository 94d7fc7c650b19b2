import { setFlagsFromString } from "node:v8";

export const YOUNG_GARBAGE_FLAG = "--no-allocation-site-pretenuring";

/**
 * Has V8 make every object in the young generation, for the rest of this process. For programs that are a server and nothing else; to be called first of all.
 *
 * After many writes whose objects outlived a collection, V8 makes what a request makes in the old space at once ("pretenuring"), and each young object
 * that hangs on it moves there too: reads then cost up to twice as much (bench/README.md).
 */
export function keepGarbageYoung(): void {
  setFlagsFromString(YOUNG_GARBAGE_FLAG);
}
