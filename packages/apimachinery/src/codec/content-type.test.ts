import { describe, expect, test } from "vitest";
import { BUILT_IN_FORMATS, OBJECT_FORMATS, parseContentType } from "./content-type.ts";

const PATCHES = ["json-patch", "merge-patch", "apply-patch"] as const;

describe("parseContentType", () => {
  test.each([
    [undefined, "json"],
    ["", "json"],
    ["application/json", "json"],
    ["application/json; charset=utf-8", "json"],
    ['application/json;charset="utf-8";', "json"],
    ["Application/JSON", "json"],
    ["application/yaml", "yaml"],
    ["application/vnd.kubernetes.protobuf", "protobuf"],
  ])("%s is %s", (header, want) => expect(parseContentType(header, BUILT_IN_FORMATS)).toBe(want));

  test.each([
    "text/plain",
    "application/xml",
    "application/vnd.kubernetes.protobuf",
    "application/merge-patch+json",
    "application/json; charset",
    "application/json; a=b; A=c",
    "application/json, text/plain",
    "application",
    " ",
  ])("refuses %j for an author's kind", (header) => {
    expect(() => parseContentType(header, OBJECT_FORMATS)).toThrow(
      expect.objectContaining({
        code: 415,
        message: "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
      }),
    );
  });

  test("names a patch's media types in their order", () => {
    expect(parseContentType("application/apply-patch+yaml", PATCHES)).toBe("apply-patch");
    for (const header of [undefined, "", "application/json", "application/strategic-merge-patch+json"]) {
      expect(() => parseContentType(header, PATCHES)).toThrow(
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
      );
    }
  });

  test("a long malformed header is refused in no time", () => {
    const started = performance.now();
    expect(() => parseContentType(`application/json${" ;".repeat(20_000)}a="${"\\".repeat(20_000)}`, OBJECT_FORMATS)).toThrow();
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
