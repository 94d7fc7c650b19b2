import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { answerShape, loosened, readBody, unordered, withoutPaths } from "./answer-shape.ts";
import { Normaliser } from "./normaliser.ts";

const status = (message: string, causes: { field: string; message: string }[]) => ({
  kind: "Status",
  status: "Failure",
  message,
  details: { causes },
});
const a = { field: "spec.a", message: "is b, or c" };
const b = { field: "spec.b", message: "is bad" };
const view = { project: undefined, ignore: [], ignoreHeaders: [], messageLoose: false, unordered: false, relateListRv: false };
const jsonAnswer = (value: unknown) => ({
  status: 200,
  headers: [["content-type", "application/json"] as const],
  body: new TextEncoder().encode(JSON.stringify(value)),
});

describe("unordered", () => {
  test.each([
    ["a list of the causes", "x is invalid: [spec.b: is bad, spec.a: is b, or c]", "x is invalid: [spec.a: is b, or c, spec.b: is bad]"],
    ["a list with a repeat", "x is invalid: [spec.b: is bad, spec.b: is bad]", "x is invalid: [spec.b: is bad, spec.b: is bad]"],
    ["a list of something else", "x: [d, c]", "x: [c, d]"],
    ["several lines", "b\na", "a\nb"],
    ["one line", "b a", "b a"],
  ])("%s", (_, message, sorted) => {
    const shaped = unordered(status(message, [b, a]));
    expect(shaped).toMatchObject({ details: { causes: [a, b] } });
    expect(shaped).toMatchObject({ message: sorted });
  });

  test("what is no Status stays", () =>
    expect(unordered({ kind: "List", details: { causes: [b, a] } })).toEqual({ kind: "List", details: { causes: [b, a] } }));
});

test("messageLoose leaves code, reason and the causes' fields", () => {
  expect(loosened({ ...status("x", [a]), code: 422 })).toEqual({
    kind: "Status",
    status: "Failure",
    code: 422,
    message: "<loose>",
    details: { causes: [{ field: "spec.a", message: "<loose>" }] },
  });
  expect(loosened({ kind: "Flunder", message: "x" })).toEqual({ kind: "Flunder", message: "x" });
});

test("ignored paths are replaced where they are, and nowhere else", () => {
  expect(withoutPaths({ items: [{ a: 1 }, { b: 2 }] }, ["items.*.a", "missing.x"])).toEqual({ items: [{ a: "<ignored>" }, { b: 2 }] });
});

describe("the shape of an answer", () => {
  const shape = (answer: Parameters<typeof readBody>[0], changes: Partial<typeof view> = {}) =>
    answerShape(answer, readBody(answer), { ...view, ...changes }, new Normaliser([]));

  test("an empty body is no body", () => expect(shape({ status: 204, headers: [], body: new Uint8Array() })).toEqual({ status: 204 }));

  test("gzip is undone", () => {
    const { body, ...answer } = jsonAnswer({ a: 1 });
    const shaped = shape({ ...answer, headers: [...answer.headers, ["content-encoding", "gzip"]], body: gzipSync(body) });
    expect(shaped).toMatchObject({ body: { a: 1 }, headers: { "content-encoding": "gzip" } });
  });

  test("a projection is left out for a failure", () => {
    const project = { kind: "keys" };
    expect(shape(jsonAnswer({ b: 1, a: 2 }), { project: project as never })).toMatchObject({ body: ["a", "b"] });
    expect(shape(jsonAnswer(status("x", [])), { project: project as never })).toMatchObject({ body: { message: "x" } });
  });
});
