import { t } from "@annex/apimachinery";
import { startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { defineResource } from "../definition/index.ts";

const schema = { spec: t.object({ b: t.optional(t.string()), a: t.optional(t.string()) }) };
const Thing = defineResource({ group: "example.com", kind: "Thing", scope: "Namespaced", isBuiltIn: true, versions: { v1: { schema } } });
const THINGS = "/apis/example.com/v1/namespaces/default/things";

async function post(body: string, headers: Record<string, string> = {}, query = "") {
  await using server = await startHarness([Thing]);
  return await server.request("POST", `${THINGS}${query}`, { body, headers });
}

const YAML = { "content-type": "application/yaml" };
const NO_TYPE = "couldn't get version/kind; json parse error: ";

// Asked of sample-apiserver 0.36 and kube-apiserver 1.36.
describe("a body of which not even the type can be read", () => {
  test.each([
    { body: "{", why: `${NO_TYPE}unexpected end of JSON input ({)` },
    { body: "\n", why: `${NO_TYPE}unexpected end of JSON input (0a)` },
    { body: '{"a":1}x', why: `${NO_TYPE}invalid character 'x' after top-level value ({"a":1}x)` },
    { body: `{"a":"${"x".repeat(40)}"`, why: `${NO_TYPE}unexpected end of JSON input ({"a":"xxxxxxxxxxxxxxxxxxxxxxxx ...)` },
    { body: '{"kind":5}', why: `${NO_TYPE}json: cannot unmarshal number into Go struct field .kind of type string ({"kind":5})` },
    { body: '{"apiVersion":"a/b/c"}', why: 'unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c"})' },
    { body: "a: b: c", headers: YAML, why: expect.stringMatching(/mapping values are not allowed in this context \(613a20623a2063\)$/) },
    { body: "[]", why: `${NO_TYPE}json: cannot unmarshal array into an object (5b5d)` },
  ])("$body", async ({ body, headers, why }) => {
    const { code, message } = (await post(body, headers)).json();
    const prefix = "the object provided is unrecognized (must be of type Thing): ";
    expect([code, message.slice(0, prefix.length), message.slice(prefix.length)]).toEqual([400, prefix, why]);
  });

  test("is not one that is empty YAML", async () =>
    expect((await post("# nothing", YAML)).json().message).toMatch(/name or generateName is required/));
});

test("unknown fields of YAML are told by their names, of JSON as they stand", async () => {
  const warnings = async (body: string, headers = {}) => (await post(body, headers)).headers.warning;
  const told = (...names: readonly string[]) => names.map((name) => `299 - "unknown field \\"${name}\\""`);
  expect(await warnings('{"metadata":{"name":"a"},"z":1,"c":1}')).toEqual(told("z", "c"));
  expect(await warnings("metadata: {name: a}\nz: 1\nc: 1\n", YAML)).toEqual(told("c", "z"));
});

test("null in a list of owners or managers is an empty one", async () => {
  const answer = await post('{"metadata":{"name":"a","ownerReferences":[null]}}');
  expect(answer.json()).toMatchObject({ code: 422, details: { causes: [{ field: "metadata.ownerReferences.apiVersion" }, {}, {}, {}] } });
  expect((await post('{"metadata":{"name":"a","managedFields":[null]}}')).status).toBe(201);
});
