// The admission webhooks of a real cluster, asked by its kube-apiserver about a custom resource, and by a server of ours about the same kind: both ask and answer alike.
// Each case has a webhook of its own, which is about the objects with its label.
import type { JSONObject } from "@annex/apimachinery";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  answerReview,
  patchAnswer,
  startWebhookServer,
  type WebhookAnswer,
  type WebhookServer,
} from "../../../packages/cluster/src/testing/webhook-server.ts";
import { BUILD_LIMIT_MS } from "../../controlplane/build.ts";
import { type ControlPlane, startControlPlane, stopControlPlane } from "../../controlplane/control-plane.ts";
import { temporaryFolder } from "../server.ts";
import { type AdmissionPair, GROUP, NAMESPACE, startAdmissionPair, WIDGETS, withoutChance } from "./admission-pair.ts";

const MINUTE_MS = 60_000;
const API = "admissionregistration.k8s.io/v1";

let plane: ControlPlane;
let pair: AdmissionPair;
let server: WebhookServer;

interface Case {
  readonly what: string;
  readonly answer: WebhookAnswer;
  readonly webhook?: object;
  readonly labels?: object;
  readonly query?: string;
  readonly kinds?: readonly Kind[];
}

const KINDS = ["mutating", "validating"] as const;
type Kind = (typeof KINDS)[number];
const MUTATING: readonly Kind[] = ["mutating"];
const VALIDATING: readonly Kind[] = ["validating"];
const conditions = (...expressions: readonly string[]) => ({
  matchConditions: expressions.map((expression, index) => ({ name: `c${index}`, expression })),
});
const patch = (...operations: readonly object[]) => patchAnswer(operations);
const allowed: WebhookAnswer = { allowed: true };
const denied = (status: JSONObject): WebhookAnswer => ({ allowed: false, status });

const CASES: readonly Case[] = [
  { what: "consent", answer: allowed },
  { what: "warnings", answer: { allowed: true, warnings: ["mind the gap", 'a "quoted" one'] } },
  { what: "refusal", answer: { allowed: false } },
  { what: "refusal with a message", answer: denied({ message: "no red" }) },
  { what: "refusal with a reason", answer: denied({ reason: "TooRed" }) },
  {
    what: "refusal with all",
    answer: denied({ code: 422, reason: "Invalid", message: "no", details: { causes: [{ field: "spec", message: "red" }] } }),
  },
  { what: "refusal with a small code", answer: denied({ code: 200, status: "Success", message: "?" }) },
  { what: "refusal with a patch", answer: { ...patch({ op: "remove", path: "/none" }), allowed: false }, kinds: MUTATING },
  {
    what: "condition that holds",
    answer: denied({ message: "asked" }),
    webhook: conditions("object.spec.color == 'red'", "request.operation == 'CREATE'"),
  },
  { what: "condition that does not hold", answer: denied({ message: "asked" }), webhook: conditions("object.spec.color == 'blue'") },
  { what: "conditions that fail", answer: allowed, webhook: conditions("object.spec.none == 1", "object.spec.never == 1", "true") },
  { what: "condition that fails, ignored", answer: denied({}), webhook: { ...conditions("object.spec.none == 1"), failurePolicy: "Ignore" } },
  {
    what: "condition that asks who may",
    answer: denied({ message: "asked" }),
    webhook: conditions("authorizer.requestResource.check('create').allowed()"),
  },
  { what: "equivalent version", answer: denied({ message: "asked" }), webhook: { rules: rules({ apiVersions: ["v1beta1"] }) } },
  { what: "exact version", answer: denied({}), webhook: { matchPolicy: "Exact", rules: rules({ apiVersions: ["v1beta1"] }) } },
  { what: "scope", answer: denied({}), webhook: { rules: rules({ scope: "Cluster" }) } },
  { what: "namespaces", answer: denied({ message: "asked" }), webhook: { namespaceSelector: { matchLabels: { team: "one" } } } },
  {
    what: "other namespaces",
    answer: denied({}),
    webhook: { namespaceSelector: { matchExpressions: [{ key: "team", operator: "NotIn", values: ["one"] }] } },
  },
  { what: "dry run with side effects", answer: allowed, webhook: { sideEffects: "NoneOnDryRun" }, query: "?dryRun=All&fieldManager=somebody" },
  { what: "v1beta1", answer: { allowed: true }, webhook: { admissionReviewVersions: ["v1beta1", "v1"] } },
  {
    what: "v1beta1 with a patch of no type",
    answer: untyped(patch({ op: "replace", path: "/spec/color", value: "green" })),
    webhook: { admissionReviewVersions: ["v1beta1"] },
    kinds: MUTATING,
  },
  {
    what: "patch",
    answer: patch(
      { op: "replace", path: "/spec/color", value: "green" },
      { op: "remove", path: "/spec/size" },
      { op: "add", path: "/spec/unknown", value: 1 },
    ),
    kinds: MUTATING,
  },
  { what: "patch of nothing", answer: patch(), kinds: MUTATING },
  { what: "patch outside", answer: patch({ op: "add", path: "/spec/none/deep", value: 1 }), kinds: MUTATING },
  { what: "patch that removes nothing", answer: patch({ op: "remove", path: "/spec/none" }), kinds: MUTATING },
  { what: "patch that replaces nothing", answer: patch({ op: "replace", path: "/none/deep", value: 1 }), kinds: MUTATING },
  { what: "patch that tests", answer: patch({ op: "test", path: "/spec/color", value: "blue" }), kinds: MUTATING },
  { what: "patch that moves", answer: patch({ op: "move", from: "/spec/none/a", path: "/spec/color" }), kinds: MUTATING },
  { what: "patch that copies", answer: patch({ op: "copy", from: "/spec/color", path: "/none/deep/er" }), kinds: MUTATING },
  {
    what: "patch of an index",
    answer: patch({ op: "add", path: "/spec/tags", value: ["x"] }, { op: "add", path: "/spec/tags/7", value: "y" }),
    kinds: MUTATING,
  },
  { what: "patch of no operation", answer: patch({ op: "burn", path: "/spec" }), kinds: MUTATING },
  { what: "patch of another namespace", answer: patch({ op: "replace", path: "/metadata/namespace", value: "default" }), kinds: MUTATING },
  { what: "patch of another name", answer: patch({ op: "add", path: "/metadata/annotations", value: { a: "b" } }), kinds: MUTATING },
  { what: "patch of another kind", answer: patch({ op: "replace", path: "/kind", value: "Gadget" }), kinds: MUTATING },
  {
    what: "patch of uid",
    answer: patch({ op: "add", path: "/metadata/uid", value: "mine" }, { op: "add", path: "/metadata/generation", value: 9 }),
    kinds: MUTATING,
  },
  { what: "patch of resourceVersion", answer: patch({ op: "add", path: "/metadata/resourceVersion", value: "12" }), kinds: MUTATING },
  {
    what: "patch of finalizers",
    answer: patch({ op: "add", path: "/metadata/finalizers", value: ["example.com/x", "example.com/x"] }),
    query: "?dryRun=All",
    kinds: MUTATING,
  },
  { what: "patch of a wrong type", answer: patch({ op: "add", path: "/spec/size", value: "big" }), kinds: MUTATING },
  { what: "patch of status", answer: patch({ op: "add", path: "/status", value: { size: 3 } }), kinds: MUTATING },
  { what: "another uid", answer: (response, review) => answerReview(response, review, { uid: "mine", allowed: true }) },
  { what: "no response", answer: (response, { apiVersion, kind }) => void response.writeHead(200).end(JSON.stringify({ apiVersion, kind })) },
  { what: "404", answer: (response) => void response.writeHead(404).end() },
  { what: "500 with a text", answer: (response) => void response.writeHead(500, { "content-type": "text/plain" }).end("on fire") },
  { what: "403", answer: (response) => void response.writeHead(403, { "content-type": "text/plain" }).end("not you") },
  { what: "410", answer: (response) => void response.writeHead(410).end() },
  { what: "nothing", answer: (response) => void response.writeHead(200).end() },
  { what: "nothing, ignored", answer: (response) => void response.writeHead(200).end(), webhook: { failurePolicy: "Ignore" } },
  { what: "closed connection", answer: (response) => void response.destroy() },
  { what: "hangs", answer: () => undefined, webhook: { timeoutSeconds: 1 } },
  { what: "patch without a type", answer: untyped(patch({ op: "remove", path: "/spec" })), kinds: MUTATING },
  { what: "type without a patch", answer: { allowed: true, patchType: "JSONPatch" } },
  { what: "merge patch", answer: { ...patch({ op: "remove", path: "/spec" }), patchType: "MergePatch" }, kinds: MUTATING },
  { what: "patch by who validates", answer: patch({ op: "remove", path: "/spec" }), kinds: VALIDATING },
];

function untyped({ patchType: _patchType, ...answer }: JSONObject): JSONObject {
  return answer;
}

function rules(more: object = {}) {
  return [{ operations: ["*"], apiGroups: [GROUP], apiVersions: ["*"], resources: ["*/*"], scope: "*", ...more }];
}

function webhookOf(path: string, label: string, more: object = {}) {
  return {
    name: `${label}.example.com`,
    clientConfig: { service: { namespace: NAMESPACE, name: "hooks", path, port: server.port }, caBundle: server.caBundle },
    rules: rules(),
    objectSelector: { matchLabels: { case: label } },
    matchPolicy: "Equivalent",
    failurePolicy: "Fail",
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    timeoutSeconds: 10,
    ...more,
  };
}

const labelOf = (kind: Kind, index: number) => `${kind}-${index}`;
const all = KINDS.flatMap((kind) => CASES.map((one, index) => ({ ...one, kind, label: labelOf(kind, index) }))).filter(({ kind, kinds = KINDS }) =>
  kinds.includes(kind),
);
/** Asked about objects without a label of a case: refuses them all, once it is known. */
const PROBE = { mutating: "probe-mutating", validating: "probe-validating" } as const;

/** Webhooks about every verb, of the objects with their label, and of `scale`, whose objects have none: the first counts, and is asked again because of the second. */
const VERBS = "verbs";
const ofScale = { objectSelector: {}, rules: rules({ resources: ["widgets/scale"] }) };
const COUNTING: WebhookAnswer = (response, review) => {
  const { spec } = (review.request.object ?? {}) as { readonly spec?: { readonly counts?: { readonly n?: number }; readonly replicas?: number } };
  const isCounted = spec !== undefined && spec.replicas === undefined;
  answerReview(response, review, isCounted ? patch({ op: "add", path: "/spec/counts", value: { n: (spec.counts?.n ?? 0) + 1 } }) : allowed);
};
const TAGGING: WebhookAnswer = (response, review) => {
  const { spec } = (review.request.object ?? {}) as { readonly spec?: { readonly tags?: unknown; readonly replicas?: number } };
  const isTagged = spec === undefined || spec.replicas !== undefined || spec.tags !== undefined;
  answerReview(response, review, isTagged ? allowed : patch({ op: "add", path: "/spec/tags", value: ["x"] }));
};

async function postVerbs(): Promise<void> {
  for (const [path, answer] of Object.entries({ first: COUNTING, second: TAGGING, third: allowed })) server.answers.set(`/${VERBS}-${path}`, answer);
  const own = (path: string, more: object = {}) => {
    const webhook = webhookOf(`/${VERBS}-${path}`, VERBS, { name: `${path}.example.com`, rules: rules({ apiVersions: ["v1"] }), ...more });
    return [webhook, { ...webhook, ...ofScale, name: `${path}-scale.example.com` }];
  };
  const webhooks = { Mutating: [...own("first", { reinvocationPolicy: "IfNeeded" }), ...own("second")], Validating: own("third") };
  for (const [kind, all] of Object.entries(webhooks)) {
    const body = { apiVersion: API, kind: `${kind}WebhookConfiguration`, metadata: { name: VERBS }, webhooks: all };
    await pair.admin.post(`/apis/${API}/${kind.toLowerCase()}webhookconfigurations`, body);
  }
}

beforeAll(
  async () => {
    plane = await startControlPlane(await temporaryFolder(), { log: console.log });
    pair = await startAdmissionPair(plane);
    server = await startWebhookServer([`hooks.${NAMESPACE}.svc`]);
    await pair.admin.localService({ namespace: NAMESPACE, name: "hooks", port: server.port });
    for (const { answer, label } of all) server.answers.set(`/${label}`, answer);
    server.answers.set("/probe", { allowed: false, status: { code: 418 } });
    await postVerbs();
    for (const kind of KINDS) {
      const webhooks = all.filter((one) => one.kind === kind).map(({ label, webhook }) => webhookOf(`/${label}`, label, webhook));
      const [path, name] = [`${kind}webhookconfigurations`, `${kind === "mutating" ? "M" : "V"}${kind.slice(1)}WebhookConfiguration`];
      const body = { apiVersion: API, kind: name, metadata: { name: "pair" }, webhooks: [...webhooks, webhookOf("/probe", PROBE[kind])] };
      await pair.admin.post(`/apis/${API}/${path}`, body);
    }
    for (const label of Object.values(PROBE)) {
      await vi.waitFor(
        async () => {
          const { theirs, ours } = await pair.ask("POST", WIDGETS, widget(label));
          expect([theirs.status, ours.status]).toEqual([418, 418]);
        },
        { timeout: MINUTE_MS, interval: 200 },
      );
    }
  },
  BUILD_LIMIT_MS + 3 * MINUTE_MS,
);

afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  if (plane !== undefined) await stopControlPlane(plane.folder);
}, MINUTE_MS);

const widget = (label: string) => ({
  apiVersion: `${GROUP}/v1`,
  kind: "Widget",
  metadata: { generateName: `${label}-`, name: `w-${label}-${Math.random().toString(36).slice(2)}`, labels: { case: label } },
  spec: { color: "red" },
});

/** What the webhooks of a case were asked, by both: without who asked for what. */
function reviewsOf(label: string): readonly unknown[] {
  return server.asked
    .filter(({ path }) => path === `/${label}`)
    .map(({ review: { request, ...type } }) => {
      const { userInfo: _userInfo, ...rest } = request;
      return { ...type, request: withoutChance(rest) };
    });
}

describe("a webhook of a cluster", () => {
  test.each(all)("$kind: $what", async ({ label, query = "" }) => {
    const { theirs, ours } = await pair.ask("POST", `${WIDGETS}${query}`, widget(label));
    expect(ours).toEqual(theirs);
    const reviews = reviewsOf(label);
    expect(reviews.length % 2).toBe(0);
    for (const review of reviews) expect(review).toEqual(reviews[0]);
  });
});

describe("webhooks of a cluster about", () => {
  const one = `${WIDGETS}/one`;
  const beta = WIDGETS.replace("/v1/", "/v1beta1/");
  const object = (name: string, version = "v1") => ({
    apiVersion: `${GROUP}/${version}`,
    kind: "Widget",
    metadata: { name, labels: { case: VERBS } },
    spec: { color: "red" },
  });
  const json = { "content-type": "application/json-patch+json" };
  const merge = { "content-type": "application/merge-patch+json" };
  const apply = { "content-type": "application/apply-patch+yaml" };

  /** Who is asked for the kube-apiserver is shown the certificate of the user. */
  const asked = (isOurs: boolean) =>
    server.asked
      .filter(({ review }) => ((review.request.userInfo as JSONObject).extra === undefined) === isOurs)
      .map(({ path, review: { request } }) => {
        const { userInfo: _userInfo, ...rest } = request;
        return { path, request: withoutChance(rest) };
      });

  // Each goes on from what the one before left.
  test.each([
    { what: "a create", method: "POST", path: `${WIDGETS}?fieldManager=me`, body: object("one") },
    { what: "a create in another version", method: "POST", path: beta, body: object("beta", "v1beta1") },
    { what: "a create of what is there", method: "POST", path: WIDGETS, body: object("one") },
    {
      what: "a merge patch",
      method: "PATCH",
      path: `${one}?fieldManager=me&fieldValidation=Strict`,
      body: { spec: { color: "blue" } },
      headers: merge,
    },
    { what: "a JSON patch", method: "PATCH", path: one, body: [{ op: "replace", path: "/spec/size", value: 4 }], headers: json },
    { what: "an apply", method: "PATCH", path: `${one}?fieldManager=app&force=true`, body: object("one"), headers: apply },
    { what: "an apply that creates", method: "PATCH", path: `${WIDGETS}/two?fieldManager=app`, body: object("two"), headers: apply },
    { what: "a dry run", method: "PATCH", path: `${one}?dryRun=All`, body: { spec: { color: "dry" } }, headers: merge },
    { what: "a patch in another version", method: "PATCH", path: `${beta}/one`, body: { spec: { color: "beta" } }, headers: merge },
    { what: "a status", method: "PATCH", path: `${one}/status`, body: { status: { size: 9 } }, headers: merge },
    { what: "a scale", method: "PATCH", path: `${one}/scale`, body: { spec: { replicas: 3 } }, headers: merge },
    { what: "a scale in another version", method: "PATCH", path: `${beta}/one/scale`, body: { spec: { replicas: 5 } }, headers: merge },
    {
      what: "a name that is made up",
      method: "POST",
      path: `${WIDGETS}?dryRun=All`,
      body: { ...object(""), metadata: { generateName: "made-", labels: { case: VERBS } } },
    },
    { what: "a deletion on trial", method: "DELETE", path: `${one}?dryRun=All` },
    { what: "a finalizer", method: "PATCH", path: one, body: { metadata: { finalizers: ["example.com/f"] } }, headers: merge },
    { what: "a deletion that is held up", method: "DELETE", path: `${one}?gracePeriodSeconds=0&propagationPolicy=Background` },
    { what: "a deletion again", method: "DELETE", path: one },
    { what: "the last finalizer", method: "PATCH", path: one, body: { metadata: { finalizers: null } }, headers: merge },
    { what: "a deletion of what is gone", method: "DELETE", path: one },
    { what: "a deletion in another version", method: "DELETE", path: `${beta}/beta` },
  ])("$what", async ({ method, path, body, headers }) => {
    server.asked.length = 0;
    const { theirs, ours } = await pair.ask(method, path, body, headers);
    expect(ours).toEqual(theirs);
    expect(asked(true)).toEqual(asked(false));
    expect(server.asked.length > 0).toBe(theirs.status !== 404);
  });
});
