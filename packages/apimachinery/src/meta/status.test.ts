import { expect, test } from "vitest";
import { APIError, notFound } from "./status.ts";

test.each([
  { reasons: [], want: true },
  { reasons: ["NotFound"], want: true },
  { reasons: ["Conflict", "NotFound"], want: true },
  { reasons: ["Conflict"], want: false },
] as const)("a NotFound is one of $reasons: $want", ({ reasons, want }) => {
  expect(APIError.is(notFound({ group: "", resource: "secrets" }, "a"), ...reasons)).toBe(want);
  expect(APIError.is(Object.assign(new Error("no"), { reason: "NotFound" }), ...reasons)).toBe(false);
});
