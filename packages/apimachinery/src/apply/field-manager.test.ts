import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { validateFieldManager } from "../meta/index.ts";
import { managerFromUserAgent } from "./field-manager.ts";

const long = "x".repeat(128);

describe("managerFromUserAgent", () => {
  test.each([
    { userAgent: "kubectl/v1.36.0 (linux/amd64) kubernetes/abc", want: "kubectl" },
    { userAgent: "Mozilla", want: "Mozilla" },
    { userAgent: "", want: "" },
    { userAgent: "/v1", want: "" },
    { userAgent: "my tool/1", want: "my tool" },
    { userAgent: "a\tb\u00a0c\u0000d\u200be/1", want: "abcde" },
    { userAgent: "é\u{1f600}/1", want: "é\u{1f600}" },
    { userAgent: `${long}y`, want: long },
    { userAgent: `${"x".repeat(127)}éy`, want: "x".repeat(127) },
    { userAgent: `\u0001${long}`, want: long },
  ])("$userAgent", ({ userAgent, want }) => expect(managerFromUserAgent(userAgent)).toBe(want));
});

test("what it makes is a valid field manager", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (userAgent) => {
      expect(validateFieldManager(managerFromUserAgent(userAgent), "fieldManager")).toEqual([]);
    }),
  );
});
