import { describe, expect, test } from "vitest";
import { ANONYMOUS, type UserInfo } from "../authentication/user-info.ts";
import { alwaysAllowedPathsAuthorizer } from "./always-allowed-paths.ts";
import { type Attributes, unionAuthorizer } from "./authorizer.ts";
import { forbiddenError } from "./forbidden-message.ts";
import { publicPathsAuthorizer } from "./public-paths.ts";
import { systemMastersAuthorizer } from "./system-masters.ts";

const alice: UserInfo = { name: "alice", groups: ["devs", "system:authenticated"], extra: {} };
const admin: UserInfo = { name: "root", groups: ["system:masters", "system:authenticated"], extra: {} };
const signal = new AbortController().signal;

const path = (user: UserInfo, path: string, verb = "get"): Attributes => ({ type: "path", user, verb, path });
const resource = (fields: Partial<Extract<Attributes, { type: "resource" }>> = {}): Attributes => ({
  type: "resource",
  user: alice,
  verb: "get",
  group: "wardle.example.com",
  version: "v1alpha1",
  resource: "flunders",
  subresource: "",
  namespace: "x",
  name: "one",
  ...fields,
});

test("system:masters may do everything, of others nothing is said", async () => {
  for (const attributes of [path(admin, "/metrics"), path(admin, "/x", "delete"), resource({ user: admin, verb: "deletecollection" })]) {
    expect((await systemMastersAuthorizer.authorize(attributes, { signal })).decision).toBe("Allow");
  }
  const named: UserInfo = { name: "system:masters", groups: ["system:master", "system:masters2"], extra: {} };
  for (const user of [alice, ANONYMOUS, named]) {
    expect((await systemMastersAuthorizer.authorize(resource({ user }), { signal })).decision).toBe("NoOpinion");
  }
});

// Source: k8s.io/apiserver authorization/path, path_test.go.
describe("paths that everybody may ask for", () => {
  test.each([
    { allowed: ["/healthz"], asked: "/healthz", want: "Allow" },
    { allowed: ["healthz"], asked: "/healthz", want: "Allow" },
    { allowed: ["/healthz"], asked: "healthz", want: "Allow" },
    { allowed: ["/healthz"], asked: "/healthz/", want: "NoOpinion" },
    { allowed: ["/healthz"], asked: "/healthz/ping", want: "NoOpinion" },
    { allowed: ["/healthz"], asked: "//healthz", want: "NoOpinion" },
    { allowed: ["/healthz/*"], asked: "/healthz/ping", want: "Allow" },
    { allowed: ["/healthz/*"], asked: "/healthz", want: "NoOpinion" },
    { allowed: ["/healthz*"], asked: "/healthz", want: "Allow" },
    { allowed: ["/"], asked: "/", want: "Allow" },
    { allowed: ["/"], asked: "/apis", want: "NoOpinion" },
    { allowed: [], asked: "/", want: "NoOpinion" },
    { allowed: ["*"], asked: "/apis", want: "Allow" },
  ])("$allowed: $asked is $want", async ({ allowed, asked, want }) => {
    expect((await alwaysAllowedPathsAuthorizer(allowed).authorize(path(ANONYMOUS, asked, "post"), { signal })).decision).toBe(want);
  });

  test("are never those of resources, and a star stands at the end", async () => {
    expect((await alwaysAllowedPathsAuthorizer(["*"]).authorize(resource(), { signal })).decision).toBe("NoOpinion");
    expect(() => alwaysAllowedPathsAuthorizer(["/a*b"])).toThrow(TypeError);
  });
});

describe("public paths", () => {
  const decide = async (attributes: Attributes) => (await publicPathsAuthorizer.authorize(attributes, { signal })).decision;

  test.each(["/healthz", "/livez", "/readyz", "/version", "/version/"])("everybody gets %s", async (public_) => {
    expect(await decide(path(ANONYMOUS, public_))).toBe("Allow");
    expect(await decide(path(alice, public_))).toBe("Allow");
    expect(await decide(path(alice, public_, "post"))).toBe("NoOpinion");
    expect(await decide(path({ ...alice, groups: ["devs"] }, public_))).toBe("NoOpinion");
  });

  test.each(["/api", "/api/", "/api/v1", "/apis", "/apis/", "/apis/a.example.com/v1", "/openapi", "/openapi/v2", "/openapi/v3/apis/a/v1"])(
    "who is authenticated gets %s",
    async (discovery) => {
      expect(await decide(path(alice, discovery))).toBe("Allow");
      expect(await decide(path(ANONYMOUS, discovery))).toBe("NoOpinion");
      expect(await decide(path(alice, discovery, "delete"))).toBe("NoOpinion");
    },
  );

  // Asked of kube-apiserver 1.36.
  test.each(["/", "/livez/ping", "/healthz/", "/readyz/", "/version/x", "/metrics", "/apisx", "/api2", "/openapiv2", "/nope", ""])(
    "nobody gets %s",
    async (other) => {
      expect(await decide(path(alice, other))).toBe("NoOpinion");
      expect(await decide(path(ANONYMOUS, other))).toBe("NoOpinion");
    },
  );

  test("resources are none of its business, whatever their names", async () => {
    expect(await decide(resource({ resource: "version", name: "" }))).toBe("NoOpinion");
  });
});

test("together the answer for a resource is no unless the user is of system:masters", async () => {
  const both = unionAuthorizer([systemMastersAuthorizer, publicPathsAuthorizer]);
  expect((await both.authorize(resource(), { signal })).decision).toBe("NoOpinion");
  expect((await both.authorize(resource({ user: admin }), { signal })).decision).toBe("Allow");
});

// The sentences are recorded answers of kube-apiserver 1.36.
test.each<{ attributes: Attributes; message: string; details: object; reason?: string }>([
  {
    attributes: resource(),
    message:
      'flunders.wardle.example.com "one" is forbidden: User "alice" cannot get resource "flunders" in API group "wardle.example.com" in the namespace "x"',
    details: { name: "one", group: "wardle.example.com", kind: "flunders" },
  },
  {
    attributes: resource({ verb: "list", name: "", namespace: "" }),
    message:
      'flunders.wardle.example.com is forbidden: User "alice" cannot list resource "flunders" in API group "wardle.example.com" at the cluster scope',
    details: { group: "wardle.example.com", kind: "flunders" },
  },
  {
    attributes: resource({ group: "x", resource: "a", name: "b", subresource: "c", namespace: "", user: ANONYMOUS }),
    message: 'a.x "b" is forbidden: User "system:anonymous" cannot get resource "a/c" in API group "x" at the cluster scope',
    details: { name: "b", group: "x", kind: "a" },
  },
  {
    attributes: resource({ group: "", resource: "pods", name: 'a"b', namespace: "x<y", user: ANONYMOUS }),
    message: 'pods "a\\"b" is forbidden: User "system:anonymous" cannot get resource "pods" in API group "" in the namespace "x&lt;y"',
    details: { name: 'a"b', kind: "pods" },
  },
  {
    attributes: resource({ group: "", resource: "pods", name: "a\tb&", user: ANONYMOUS }),
    message: 'pods "a\\tb&" is forbidden: User "system:anonymous" cannot get resource "pods" in API group "" in the namespace "x"',
    details: { name: "a\tb&", kind: "pods" },
  },
  { attributes: path(alice, "/metrics"), message: 'forbidden: User "alice" cannot get path "/metrics"', details: {} },
  {
    attributes: path(ANONYMOUS, "/nope<&/é\x01"),
    message: 'forbidden: User "system:anonymous" cannot get path "/nope&lt;&amp;/é\\x01"',
    details: {},
  },
  {
    attributes: path(alice, "/metrics"),
    reason: "no rule <matched>",
    message: 'forbidden: User "alice" cannot get path "/metrics": no rule <matched>',
    details: {},
  },
])("$message", ({ attributes, message, details, reason = "" }) => {
  expect(forbiddenError(attributes, reason).toStatus()).toMatchObject({ code: 403, reason: "Forbidden", message });
  expect(forbiddenError(attributes, reason).toStatus().details).toEqual(details);
});
