import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256 } from "./sha256.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const expected = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

test.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000])("digests %i bytes", (length) => {
  const message = Uint8Array.from({ length }, (_, i) => i * 7);
  expect(hex(sha256(message))).toBe(expected(message));
});

test("is SHA-256 of anything", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (message) => hex(sha256(message)) === expected(message)));
});
