import { expect, test } from "vitest";
import { encodeBase64, illegalBase64At } from "./base64.ts";

// As asked of Go's encoding/json.
test.each([
  ["", undefined],
  ["\n", undefined],
  ["aGk=", undefined],
  ["aGk=\n", undefined],
  ["aG\nk=", undefined],
  ["aG=\n=", undefined],
  ["aGkaab==", undefined],
  ["YW=", 3],
  ["aGk", 0],
  ["aGkaGk", 4],
  ["aG\n", 1],
  ["aGk= ", 4],
  ["aGk=a", 4],
  ["aGk==", 4],
  ["aG=", 3],
  ["aG=a", 2],
  ["aG=\n", 4],
  ["a=", 1],
  ["=", 0],
  ["a", 0],
  ["ab", 0],
  ["@@", 0],
  ["aGka@", 4],
  ["aG==x", 4],
  ["aG==\n ", 5],
  ["aGkaa", 4],
  ["_-8=", 0],
  ["é", 0],
  ["aGk=\r\n=", 6],
])("Go's decoder stops in %j at %s", (text, want) => expect(illegalBase64At(text)).toBe(want));

test("what is written is read", () => {
  for (let length = 0; length < 300; length++) expect(illegalBase64At(encodeBase64(new Uint8Array(length).fill(length)))).toBeUndefined();
});
