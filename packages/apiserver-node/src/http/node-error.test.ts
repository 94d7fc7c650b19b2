import { expect, test } from "vitest";
import { nodeErrorMeaning } from "./node-error.ts";

test.each([
  { code: "ECONNRESET", want: { kind: "peerGone" } },
  { code: "ERR_HTTP2_STREAM_ERROR", want: { kind: "peerGone" } },
  { code: "HPE_HEADER_OVERFLOW", want: { kind: "badRequest", code: 431 } },
  { code: "HPE_INVALID_METHOD", want: { kind: "badRequest", code: 400 } },
  { code: "ERR_HTTP_REQUEST_TIMEOUT", want: { kind: "badRequest", code: 408 } },
  { code: "ERR_SSL_WRONG_VERSION_NUMBER", want: { kind: "handshake" } },
  { code: "ERR_TLS_HANDSHAKE_TIMEOUT", want: { kind: "handshake" } },
  { code: "EADDRINUSE", want: { kind: "listen", message: "the port is in use by another process" } },
  { code: "ENOENT", want: { kind: "unknown" } },
  { code: 5, want: { kind: "unknown" } },
])("$code", ({ code, want }) => expect(nodeErrorMeaning(Object.assign(new Error(""), { code }))).toMatchObject(want));
