import { formatHelp, OptionError, parseOptions } from "@annex/apiserver-node";
import { describe, expect, test } from "vitest";
import { checkDelegatedOptions, DELEGATED_OPTIONS, durationMs } from "./delegated-options.ts";

const parse = (...args: string[]) => parseOptions(DELEGATED_OPTIONS, args);

// Asked of k8s.io/apiserver 0.36: NewDelegatingAuthenticationOptions, NewDelegatingAuthorizationOptions.
test("the defaults are Go's", () => {
  expect(parse()).toEqual({
    "authentication-kubeconfig": undefined,
    "authentication-token-webhook-cache-ttl": "10s",
    "authentication-skip-lookup": false,
    "authentication-tolerate-lookup-failure": false,
    "client-ca-file": undefined,
    "requestheader-client-ca-file": undefined,
    "requestheader-allowed-names": [],
    "requestheader-username-headers": ["x-remote-user"],
    "requestheader-uid-headers": [],
    "requestheader-group-headers": ["x-remote-group"],
    "requestheader-extra-headers-prefix": ["x-remote-extra-"],
    "authorization-kubeconfig": undefined,
    "authorization-webhook-cache-authorized-ttl": "10s",
    "authorization-webhook-cache-unauthorized-ttl": "10s",
    "authorization-always-allow-paths": ["/healthz", "/readyz", "/livez"],
  });
});

test.each([
  { args: ["--requestheader-allowed-names=a,b"], name: "requestheader-allowed-names", want: ["a", "b"] },
  { args: ["--requestheader-allowed-names=a", "--requestheader-allowed-names=b"], name: "requestheader-allowed-names", want: ["a", "b"] },
  { args: ["--requestheader-username-headers=x"], name: "requestheader-username-headers", want: ["x"] },
  {
    args: ["--requestheader-username-headers=x", "--requestheader-username-headers=y,z"],
    name: "requestheader-username-headers",
    want: ["x", "y", "z"],
  },
  { args: ["--authorization-always-allow-paths="], name: "authorization-always-allow-paths", want: [] },
  { args: ["--authorization-webhook-cache-authorized-ttl=1m30s"], name: "authorization-webhook-cache-authorized-ttl", want: "1m30s" },
  { args: ["--authentication-skip-lookup"], name: "authentication-skip-lookup", want: true },
] as const)("$args", ({ args, name, want }) => expect(parse(...args)[name]).toEqual(want));

test.each([
  { text: "10s", want: 10_000 },
  { text: "1m30s", want: 90_000 },
  { text: "0", want: 0 },
])("$text is $want ms", ({ text, want }) => expect(durationMs(text)).toBe(want));

test.each(["", "10", "ten", "-1s"])("%j is no duration", (text) => {
  expect(() => parse(`--authentication-token-webhook-cache-ttl=${text}`)).toThrow(OptionError);
});

describe("what lists say is checked", () => {
  test.each([
    { args: ["--requestheader-allowed-names=a,"], want: 'empty value in "requestheader-allowed-names"' },
    { args: ["--requestheader-group-headers= "], want: 'empty value in "requestheader-group-headers"' },
    { args: ["--authorization-always-allow-paths=/a*b"], want: '--authorization-always-allow-paths: only trailing * allowed in "/a*b"' },
  ])("$args", ({ args, want }) => expect(() => checkDelegatedOptions(parse(...args))).toThrow(new OptionError(want)));

  test("and headers that no aggregator sends are told", () => {
    expect(checkDelegatedOptions(parse())).toEqual([]);
    expect(checkDelegatedOptions(parse("--requestheader-username-headers=x-user,X-REMOTE-USER"))).toEqual([]);
    expect(checkDelegatedOptions(parse("--requestheader-username-headers=x-user"))).toEqual([
      "--requestheader-username-headers is without X-Remote-User, which the aggregator of a kube-apiserver sends",
    ]);
  });
});

test("the help text shows the defaults, also of lists", () => {
  const help = formatHelp(DELEGATED_OPTIONS, "Usage");
  expect(help).toContain("--authentication-token-webhook-cache-ttl DURATION (default 10s)");
  expect(help).toContain("Default /healthz,/readyz,/livez.");
});
