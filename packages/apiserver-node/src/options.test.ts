import { describe, expect, test } from "vitest";
import { duration, formatHelp, listOf, OptionError, parseOptions, parsePath } from "./options.ts";
import { parseServerOptions, SERVER_OPTIONS } from "./server-options.ts";

const DEFAULTS = {
  "secure-port": 9443,
  "bind-address": "127.0.0.1",
  "data-dir": ".annex",
  "token-auth-file": undefined,
  "tls-cert-file": undefined,
  "tls-private-key-file": undefined,
  "client-ca-file": undefined,
  v: 0,
  "shutdown-delay-duration": 0,
  "max-requests-inflight": 400,
  "max-mutating-requests-inflight": 200,
  help: false,
  version: false,
};

describe("parseServerOptions", () => {
  test.each([
    { args: [], want: {} },
    { args: ["--secure-port=1"], want: { "secure-port": 1 } },
    { args: ["--secure-port", "65535"], want: { "secure-port": 65535 } },
    { args: ["--secure-port=1", "--secure-port=2"], want: { "secure-port": 2 } },
    { args: ["--bind-address", "::"], want: { "bind-address": "::" } },
    { args: ["--data-dir=a=b"], want: { "data-dir": "a=b" } },
    { args: ["-v", "4"], want: { v: 4 } },
    { args: ["-v=4"], want: { v: 4 } },
    { args: ["-v4"], want: { v: 4 } },
    { args: ["--v=10"], want: { v: 10 } },
    { args: ["--help"], want: { help: true } },
    { args: ["--version=false"], want: { version: false } },
    { args: ["--tls-cert-file=a", "--tls-private-key-file=b"], want: { "tls-cert-file": "a", "tls-private-key-file": "b" } },
    { args: ["--max-requests-inflight=0"], want: { "max-requests-inflight": 0 } },
  ])("$args", ({ args, want }) => expect(parseServerOptions(args)).toEqual({ ...DEFAULTS, ...want }));

  test.each([
    { args: ["--nope"], want: "unknown flag: --nope" },
    { args: ["--constructor=1"], want: "unknown flag: --constructor" },
    { args: ["--__proto__=1"], want: "unknown flag: --__proto__" },
    { args: ["-x"], want: "unknown flag: -x" },
    { args: ["--secure-port"], want: "flag needs an argument: --secure-port" },
    { args: ["-v"], want: "flag needs an argument: -v" },
    { args: ["--secure-port="], want: 'invalid argument "" for "--secure-port" flag: must be a whole number between 0 and 65535' },
    { args: ["--secure-port=65536"], want: 'invalid argument "65536" for "--secure-port" flag: must be a whole number between 0 and 65535' },
    { args: ["--secure-port=1e3"], want: 'invalid argument "1e3" for "--secure-port" flag: must be a whole number between 0 and 65535' },
    { args: ["-v=11"], want: 'invalid argument "11" for "--v" flag: must be a whole number between 0 and 10' },
    { args: ["--bind-address=a\nb"], want: 'invalid argument "a\\nb" for "--bind-address" flag: must be an IP address' },
    { args: ["--help=perhaps"], want: 'invalid argument "perhaps" for "--help" flag: must be true or false' },
    { args: ["--data-dir="], want: 'invalid argument "" for "--data-dir" flag: must not be empty' },
    { args: ["serve"], want: 'unknown argument "serve": every option begins with --' },
    { args: ["--", "--v=1"], want: 'unknown argument "--v=1": every option begins with --' },
    { args: ["--tls-cert-file=a"], want: "--tls-cert-file needs --tls-private-key-file too" },
    { args: ["--tls-private-key-file=a"], want: "--tls-private-key-file needs --tls-cert-file too" },
  ])("$args fails in one line", ({ args, want }) => {
    expect(() => parseServerOptions(args)).toThrow(new OptionError(want));
  });
});

test("the help text names every option with its default", () => {
  const help = formatHelp(SERVER_OPTIONS, "Usage: server [options]");
  for (const name of Object.keys(SERVER_OPTIONS)) expect(help).toContain(`--${name}`);
  expect(help).toContain("  --secure-port PORT (default 9443)\n        The port");
  expect(help).toContain("  -v, --v LEVEL (default 0)\n");
  expect(help).toContain("  -h, --help\n");
});

test("an option that is a list has every value, in their order", () => {
  const table = { file: { placeholder: "FILE", default: [] as readonly string[], help: "Files.", parse: listOf(parsePath) } };
  expect(parseOptions(table, ["--file=a", "--file", "b"])).toEqual({ file: ["a", "b"] });
  expect(parseOptions(table, [])).toEqual({ file: [] });
  expect(() => parseOptions(table, ["--file=a", "--file="])).toThrow(new OptionError('invalid argument "" for "--file" flag: must not be empty'));
  expect(formatHelp(table, "Usage")).toContain("  --file FILE\n");
});

test.each([
  { text: "0", ms: 0 },
  { text: "10s", ms: 10_000 },
  { text: "1m30s", ms: 90_000 },
  { text: "1.5h", ms: 5_400_000 },
  { text: "250ms", ms: 250 },
  { text: "10", ms: undefined },
  { text: "", ms: undefined },
  { text: "-1s", ms: undefined },
  { text: "1d", ms: undefined },
  { text: "s", ms: undefined },
])("$text is $ms ms", ({ text, ms }) => {
  if (ms === undefined) expect(() => duration(text)).toThrow("must be a duration, like 10s or 1m30s");
  else expect(duration(text)).toBe(ms);
});
