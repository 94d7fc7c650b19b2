import fc from "fast-check";
import { expect, test } from "vitest";
import type { Revision } from "../storage/index.ts";
import { decodeContinue, encodeContinue } from "./continue-token.ts";

const PREFIX = "/example.com/things/default/";
const token = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

test("a token is read as it was made", () => {
  const revision = fc.option(fc.integer({ min: 1 }), { nil: undefined });
  fc.assert(
    fc.property(revision, fc.stringMatching(/^[!-.0-~]{0,60}[a-z]$/), (at, name) => {
      const position = { revision: at as Revision | undefined, start: PREFIX + name };
      expect(decodeContinue(encodeContinue(position, PREFIX), PREFIX)).toEqual(position);
    }),
  );
});

const good = { v: "meta.k8s.io/v1", rv: 5, p: PREFIX, start: "a" };

test.each([
  { sent: "!!", want: "illegal base64 data at input byte 0" },
  { sent: "abcd=", want: "illegal base64 data at input byte 4" },
  { sent: "abcde", want: "illegal base64 data at input byte 4" },
  { sent: "nope", want: "invalid character '\\u009e' looking for beginning of value" },
  { sent: "zzz", want: "invalid character 'Ï' looking for beginning of value" },
  { sent: "abc", want: "invalid character 'i' looking for beginning of value" },
  { sent: Buffer.from([0x7b, 0xb7]).toString("base64url"), want: "invalid character '·' looking for beginning of object key string" },
  { sent: token("null"), want: "server does not recognize this encoded version " },
  { sent: token({ ...good, start: undefined }), want: "encoded start key empty (version meta.k8s.io/v1)" },
  { sent: token({ ...good, rv: 0 }), want: "incorrect encoded start resourceVersion (version meta.k8s.io/v1)" },
  { sent: token("{"), want: "unexpected end of JSON input" },
  { sent: token("[]"), want: "json: cannot unmarshal a value that is not an object" },
  { sent: token({ ...good, v: "v2" }), want: "server does not recognize this encoded version v2" },
  { sent: token({}), want: "server does not recognize this encoded version " },
  { sent: token({ ...good, rv: 1.5 }), want: "incorrect encoded start resourceVersion (version meta.k8s.io/v1)" },
  { sent: token({ ...good, rv: -2 }), want: "incorrect encoded start resourceVersion (version meta.k8s.io/v1)" },
  { sent: token({ ...good, rv: "5" }), want: "incorrect encoded start resourceVersion (version meta.k8s.io/v1)" },
  { sent: token({ ...good, start: "" }), want: "encoded start key empty (version meta.k8s.io/v1)" },
  { sent: token({ ...good, p: "/example.com/things/other/" }), want: "it belongs to another list" },
  { sent: token({ ...good, start: "../other/a" }), want: "../other/a" },
  { sent: token({ ...good, start: "a/./b" }), want: "a/./b" },
  { sent: "a".repeat(5_000), want: "it is too long" },
])("$want: $sent", ({ sent, want }) => {
  const refusal = { reason: "BadRequest", message: `invalid continue token: continue key is not valid: ${want}` };
  expect(() => decodeContinue(sent, PREFIX)).toThrow(expect.objectContaining(refusal));
});
