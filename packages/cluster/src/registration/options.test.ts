import { parseOptions } from "@annex/apiserver-node";
import { expect, test } from "vitest";
import { parseService, REGISTRATION_OPTIONS } from "./options.ts";

test.each([
  { text: "default/api:9443", want: { namespace: "default", name: "api", port: 9443 } },
  { text: "default/api", want: { namespace: "default", name: "api", port: 443 } },
])("--service=$text", ({ text, want }) => expect(parseService(text)).toEqual(want));

test.each([
  { text: "", want: "must be NAMESPACE/NAME:PORT" },
  { text: "api:443", want: "must be NAMESPACE/NAME:PORT" },
  { text: "a/b/c:443", want: "must be NAMESPACE/NAME:PORT" },
  { text: "a/b:443:444", want: "must be NAMESPACE/NAME:PORT" },
  { text: "A/b:443", want: 'the namespace "A": a lowercase RFC 1123 label must consist of' },
  { text: "a/:443", want: 'the name "": a lowercase RFC 1123 label must consist of' },
  { text: "a/b.c:443", want: 'the name "b.c": must not contain dots' },
  { text: "a/b:", want: 'the port "": must be a whole number between 1 and 65535' },
  { text: "a/b:https", want: 'the port "https": must be a whole number between 1 and 65535' },
  { text: "a/b:0", want: 'the port "0": must be a whole number between 1 and 65535' },
])("--service=$text: $want", ({ text, want }) => expect(() => parseOptions(REGISTRATION_OPTIONS, [`--service=${text}`])).toThrow(want));
