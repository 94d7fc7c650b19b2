import { expect, test } from "vitest";
import { encodeWatchFrame } from "./watch-frame.ts";

test.each(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"] as const)("%s is one line of JSON", (type) => {
  const object = { kind: "Flunder", metadata: { name: "ü" } };
  const frame = new TextDecoder().decode(encodeWatchFrame(type, new TextEncoder().encode(JSON.stringify(object))));
  expect(frame).toBe(`{"type":"${type}","object":${JSON.stringify(object)}}\n`);
});
