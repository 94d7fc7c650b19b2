import { APIError } from "@annex/apimachinery";
import { describe, expect, test } from "vitest";
import { requireRevision } from "./resource-version.ts";

/** The sentences of kube-apiserver 1.36. */
function refusalOf(text: string): string | undefined {
  try {
    requireRevision(text);
    return undefined;
  } catch (error) {
    if (!APIError.is(error)) throw error;
    expect(error.code).toBe(400);
    return error.message;
  }
}

describe("a resourceVersion", () => {
  test.each([
    { text: "0", revision: 0 },
    { text: "12", revision: 12 },
    { text: `${"0".repeat(30)}12`, revision: 12 },
    { text: "9007199254740993", revision: Number.MAX_SAFE_INTEGER },
    { text: "18446744073709551615", revision: Number.MAX_SAFE_INTEGER },
  ])("$text is $revision", ({ text, revision }) => expect(requireRevision(text)).toBe(revision));

  test.each([
    { text: "-1", why: "invalid syntax" },
    { text: "", why: "invalid syntax" },
    { text: "1.0", why: "invalid syntax" },
    { text: "+1", why: "invalid syntax" },
    { text: "0x1", why: "invalid syntax" },
    { text: "٣", why: "invalid syntax" },
    { text: "18446744073709551616", why: "value out of range" },
    { text: "99999999999999999999", why: "value out of range" },
    { text: "9".repeat(4000), why: "value out of range" },
  ])("$text is refused: $why", ({ text, why }) =>
    expect(refusalOf(text)).toBe(`resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": ${why}`),
  );
});
