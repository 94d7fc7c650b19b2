import { t } from "@annex/apimachinery";
import { ADMIN, ALICE, type Harness, startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import type { UserInfo } from "../authentication/index.ts";
import type { Attributes, Authorizer } from "../authorization/index.ts";
import { defineResource } from "../definition/index.ts";

/** Answers as whom a request was carried out. */
const WhoAmI = defineResource({
  group: "example.com",
  kind: "WhoAmI",
  scope: "Cluster",
  versions: { v1: { schema: { user: t.optional(t.object({}, { "x-kubernetes-preserve-unknown-fields": true })) } } },
  handlers: { create: ({ object, user }) => ({ ...object, user: { ...user } }) },
});
const PATH = "/apis/example.com/v1/whoamis";

type Headers = Readonly<Record<string, string | readonly string[]>>;
type Allows = (attributes: Extract<Attributes, { type: "resource" }>) => boolean;

/** @param allows what is allowed beside making a WhoAmI. */
async function start(allows: Allows): Promise<Harness & { readonly asked: string[] }> {
  const asked: string[] = [];
  const authorizer: Authorizer = {
    authorize: async (attributes) => {
      if (attributes.type !== "resource") return { decision: "NoOpinion", reason: "" };
      const { user, verb, group, resource, subresource, namespace, name } = attributes;
      asked.push(`${user.name} ${verb} ${group}/${resource}/${subresource} ${namespace}/${name}`);
      return { decision: verb === "create" || allows(attributes) ? "Allow" : "NoOpinion", reason: "" };
    },
  };
  return Object.assign(await startHarness([WhoAmI], { authorizer }), { asked });
}

const ask = (server: Harness, headers: Headers, user: UserInfo = ALICE) => server.request("POST", PATH, { body: {}, headers, user });
const legacy: Allows = ({ verb }) => verb === "impersonate";
const constrained: Allows = ({ verb }) => verb.startsWith("impersonate:") || verb.startsWith("impersonate-on:");

// Asked of kube-apiserver 1.36.
describe("as whom a request is carried out", () => {
  test.each<{ headers: Headers; want: UserInfo }>([
    { headers: { "impersonate-user": "bob" }, want: { name: "bob", groups: ["system:authenticated"], extra: {} } },
    { headers: { "impersonate-user": ["bob", "eve"] }, want: { name: "bob", groups: ["system:authenticated"], extra: {} } },
    {
      headers: { "impersonate-user": "bob", "impersonate-group": ["a,b", "c"], "impersonate-uid": "7" },
      want: { name: "bob", uid: "7", groups: ["a,b", "c", "system:authenticated"], extra: {} },
    },
    {
      headers: {
        "impersonate-user": "bob",
        "impersonate-extra-foo%2fbar": ["v1", "v,2"],
        "impersonate-extra-bad%zz": "q",
        "impersonate-extra-": "x",
      },
      want: { name: "bob", groups: ["system:authenticated"], extra: { "foo/bar": ["v1", "v,2"], "bad%zz": ["q"], "": ["x"] } },
    },
    {
      headers: { "impersonate-user": "bob", "impersonate-extra-__proto__": "x" },
      want: { name: "bob", groups: ["system:authenticated"], extra: Object.fromEntries([["__proto__", ["x"]]]) },
    },
    {
      headers: { "impersonate-user": "bob", "impersonate-group": "system:unauthenticated" },
      want: { name: "bob", groups: ["system:unauthenticated"], extra: {} },
    },
    {
      headers: { "impersonate-user": "bob", "impersonate-group": "system:authenticated" },
      want: { name: "bob", groups: ["system:authenticated"], extra: {} },
    },
    { headers: { "impersonate-user": "bob", "impersonate-group": "" }, want: { name: "bob", groups: ["", "system:authenticated"], extra: {} } },
    { headers: { "impersonate-user": "system:anonymous" }, want: { name: "system:anonymous", groups: ["system:unauthenticated"], extra: {} } },
    {
      headers: { "impersonate-user": "system:anonymous", "impersonate-group": "system:authenticated" },
      want: { name: "system:anonymous", groups: ["system:authenticated", "system:unauthenticated"], extra: {} },
    },
    {
      headers: { "impersonate-user": "system:serviceaccount:default:foo" },
      want: {
        name: "system:serviceaccount:default:foo",
        groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
        extra: {},
      },
    },
    {
      headers: { "impersonate-user": "system:serviceaccount:default:foo", "impersonate-group": "x" },
      want: { name: "system:serviceaccount:default:foo", groups: ["x", "system:authenticated"], extra: {} },
    },
    { headers: { "impersonate-user": "j\u00c3\u00bcrgen" }, want: { name: "jürgen", groups: ["system:authenticated"], extra: {} } },
    // What names nobody, and headers that mean nothing.
    { headers: { "impersonate-user": "" }, want: ALICE },
    { headers: { "impersonate-uid": "" }, want: ALICE },
    { headers: { "impersonate-foo": "bob" }, want: ALICE },
    { headers: {}, want: ALICE },
  ])("$headers", async ({ headers, want }) => {
    await using server = await start(legacy);
    const answer = await ask(server, headers);
    expect([answer.status, answer.json().user]).toEqual([201, want]);
  });

  test("a node's groups come with its name where the modes are used", async () => {
    await using server = await start((attributes) => constrained(attributes) && !attributes.verb.includes("user-info"));
    const groups = ["system:nodes", "system:authenticated"];
    expect((await ask(server, { "impersonate-user": "system:node:foo" })).json().user).toEqual({ name: "system:node:foo", groups, extra: {} });
    const { status, headers } = await ask(server, { "impersonate-user": "system:node:Foo_" });
    expect([status, headers["x-content-type-options"]]).toEqual([403, "nosniff"]);
  });
});

describe("who may", () => {
  test.each<{ name: string; headers: Headers; allows: Allows; message: string; details: object }>([
    {
      name: "nothing",
      headers: { "impersonate-user": "bob", "impersonate-group": "g" },
      allows: () => false,
      message:
        'whoamis.example.com is forbidden: User "alice" cannot impersonate-on:user-info:create resource "whoamis" in API group "example.com" at the cluster scope',
      details: { group: "example.com", kind: "whoamis" },
    },
    {
      name: "nothing, for a service account",
      headers: { "impersonate-user": "system:serviceaccount:default:foo" },
      allows: () => false,
      message:
        'whoamis.example.com is forbidden: User "alice" cannot impersonate-on:serviceaccount:create resource "whoamis" in API group "example.com" at the cluster scope',
      details: { group: "example.com", kind: "whoamis" },
    },
    {
      name: "nothing, for a node",
      headers: { "impersonate-user": "system:node:foo" },
      allows: () => false,
      message:
        'whoamis.example.com is forbidden: User "alice" cannot impersonate-on:arbitrary-node:create resource "whoamis" in API group "example.com" at the cluster scope',
      details: { group: "example.com", kind: "whoamis" },
    },
    {
      name: "the verb and not the user",
      headers: { "impersonate-user": "bob" },
      allows: ({ verb }) => verb.startsWith("impersonate-on:"),
      message:
        'users.authentication.k8s.io "bob" is forbidden: User "alice" cannot impersonate:user-info resource "users" in API group "authentication.k8s.io" at the cluster scope',
      details: { name: "bob", group: "authentication.k8s.io", kind: "users" },
    },
    {
      name: "the user and not the group",
      headers: { "impersonate-user": "bob", "impersonate-group": ["ok", "g"] },
      allows: (attributes) => constrained(attributes) && attributes.name !== "g",
      message:
        'groups.authentication.k8s.io "g" is forbidden: User "alice" cannot impersonate:user-info resource "groups" in API group "authentication.k8s.io" at the cluster scope',
      details: { name: "g", group: "authentication.k8s.io", kind: "groups" },
    },
    {
      name: "all that the modes give, but never system:masters",
      headers: { "impersonate-user": "bob", "impersonate-group": "system:masters" },
      allows: constrained,
      message:
        'groups.authentication.k8s.io "system:masters" is forbidden: User "alice" cannot impersonate:user-info resource "groups" in API group "authentication.k8s.io" at the cluster scope: impersonating the system:masters group is not allowed',
      details: { name: "system:masters", group: "authentication.k8s.io", kind: "groups" },
    },
    {
      name: "the user and not the uid",
      headers: { "impersonate-user": "bob", "impersonate-uid": "7" },
      allows: (attributes) => constrained(attributes) && attributes.resource !== "uids",
      message:
        'uids.authentication.k8s.io "7" is forbidden: User "alice" cannot impersonate:user-info resource "uids" in API group "authentication.k8s.io" at the cluster scope',
      details: { name: "7", group: "authentication.k8s.io", kind: "uids" },
    },
    {
      name: "the user and not the extra value",
      headers: { "impersonate-user": "bob", "impersonate-extra-a.io%2fb": ["x", "y"] },
      allows: (attributes) => constrained(attributes) && attributes.name !== "y",
      message:
        'userextras.authentication.k8s.io "y" is forbidden: User "alice" cannot impersonate:user-info resource "userextras/a.io/b" in API group "authentication.k8s.io" at the cluster scope',
      details: { name: "y", group: "authentication.k8s.io", kind: "userextras" },
    },
    {
      name: "all that the modes give, but no key without a domain",
      headers: { "impersonate-user": "bob", "impersonate-extra-foo": "x" },
      allows: constrained,
      message:
        'userextras.authentication.k8s.io is forbidden: User "alice" cannot impersonate:user-info resource "userextras" in API group "authentication.k8s.io" at the cluster scope: impersonating an invalid key in extra is not allowed: extra.key: Invalid value: "foo": must be a domain-prefixed path (such as "acme.io/foo")',
      details: { group: "authentication.k8s.io", kind: "userextras" },
    },
  ])("$name", async ({ headers, allows, message, details }) => {
    await using server = await start(allows);
    const answer = await ask(server, headers);
    expect(answer.json()).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      reason: "Forbidden",
      details,
      code: 403,
    });
    expect(server.asked.filter((question) => question.startsWith("bob"))).toEqual([]);
  });

  test("each of what is asked for is asked about, by the older verb as by the modes, and the rest is asked of whom one acts as", async () => {
    const headers = { "impersonate-user": "bob", "impersonate-group": ["g"], "impersonate-uid": "7", "impersonate-extra-a.io%2fb": "v" };
    await using old = await start(legacy);
    await ask(old, headers);
    expect(old.asked).toEqual([
      "alice impersonate-on:user-info:create example.com/whoamis/ /",
      "alice impersonate /users/ /bob",
      "alice impersonate authentication.k8s.io/uids/ /7",
      "alice impersonate /groups/ /g",
      "alice impersonate authentication.k8s.io/userextras/a.io/b /v",
      "bob create example.com/whoamis/ /",
    ]);
    await using modern = await start(constrained);
    await ask(modern, { ...headers, "impersonate-group": ["1", "2", "3", "4"] });
    expect(modern.asked).toEqual([
      "alice impersonate-on:user-info:create example.com/whoamis/ /",
      "alice impersonate:user-info authentication.k8s.io/users/ /bob",
      "alice impersonate:user-info authentication.k8s.io/uids/ /7",
      "alice impersonate:user-info authentication.k8s.io/groups/ /*",
      "alice impersonate:user-info authentication.k8s.io/userextras/a.io/b /v",
      "bob create example.com/whoamis/ /",
    ]);
  });

  test("a service account is one in its namespace", async () => {
    await using server = await start(legacy);
    await ask(server, { "impersonate-user": "system:serviceaccount:default:foo" });
    await ask(server, { "impersonate-user": "system:serviceaccount:de_fault:foo" });
    expect(server.asked.filter((question) => question.includes("impersonate /"))).toEqual([
      "alice impersonate /serviceaccounts/ default/foo",
      "alice impersonate /users/ /system:serviceaccount:de_fault:foo",
    ]);
  });
});

test.each<Headers>([
  { "impersonate-group": "devs" },
  { "impersonate-user": "", "impersonate-group": "devs" },
  { "impersonate-uid": "1" },
  { "impersonate-extra-foo": "x" },
])("nothing is impersonated without a user: %j", async (headers) => {
  await using server = await start(() => true);
  expect((await ask(server, headers)).json()).toMatchObject({
    code: 400,
    reason: "BadRequest",
    message: expect.stringMatching(/^requested \{.*\} without impersonating a user name$/),
  });
});

test("the log names both", async () => {
  await using server = await startHarness([WhoAmI], { logsRequests: true });
  await server.request("POST", PATH, { body: {}, headers: { "impersonate-user": "bob" }, user: ADMIN });
  expect(server.log).toMatchObject([{ fields: { user: "bob", impersonator: "admin", code: 403 } }]);
});
