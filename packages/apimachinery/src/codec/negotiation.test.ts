import { describe, expect, test } from "vitest";
import { parseAccept } from "./accept.ts";
import {
  DOCUMENT_OFFERS,
  LIST_OFFERS,
  negotiateDiscovery,
  negotiateMediaType,
  negotiateResponse,
  negotiateStatus,
  OBJECT_OFFERS,
  prefersPretty,
  WATCH_OFFERS,
} from "./negotiation.ts";

const json = { mediaType: "application/json", pretty: false, transform: undefined };
const yaml = { ...json, mediaType: "application/yaml" };
const table = { ...json, transform: { kind: "Table", version: "v1" } };
const NO_REPRESENTATION = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml";
const NOT_ACCEPTED = "only the following media types are accepted: application/json, application/yaml";
const STREAMS = "only the following media types are accepted: application/json;stream=watch";

describe("negotiateResponse", () => {
  test.each([
    [undefined, json],
    ["", json],
    ["*/*", json],
    ["application/yaml", yaml],
    ["application/yaml, application/json", yaml],
    ["application/json;q=0.5,application/yaml;q=0.1", json],
    ["application/json;q=0.1,application/yaml;q=0.5", yaml],
    ["application/xml, */*", json],
    ["*/*, application/yaml", yaml],
    ["application/*, text/html, application/json;q=0.1", json],
    ["application/vnd.kubernetes.protobuf,application/json", json],
    ["application/cbor;q=1,application/vnd.kubernetes.protobuf;q=0.9,application/json;q=0.8", json],
    ["application/json;charset=utf-8;level=1", json],
    ["application/json;stream=watch", json],
    ["application/yaml;stream=watch,application/json", json],
    ["application/json;sv=v1,application/yaml", yaml],
    ["application/json;pretty=1", { ...json, pretty: true }],
    ["application/json;as=Table;v=v1;g=meta.k8s.io,application/json", table],
    ["application/json; as = Table; v=v1 ;g=meta.k8s.io", table],
    ["application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1;g=meta.k8s.io", table],
    [
      "application/yaml;as=PartialObjectMetadataList;v=v1beta1;g=meta.k8s.io",
      { ...yaml, transform: { kind: "PartialObjectMetadataList", version: "v1beta1" } },
    ],
    ["application/json;as=Nothing;v=v1;g=meta.k8s.io,application/json", json],
    ["application/json;as=Table;v=v1;g=meta.k8s.io;q=0.1,application/yaml", yaml],
  ])("an object, Accept: %s", (accept, want) => expect(negotiateResponse(accept, OBJECT_OFFERS)).toEqual(want));

  test.each([
    ["text/html", OBJECT_OFFERS, NO_REPRESENTATION],
    ["application/*", OBJECT_OFFERS, NO_REPRESENTATION],
    ["APPLICATION/JSON", OBJECT_OFFERS, NO_REPRESENTATION],
    ["application/vnd.kubernetes.protobuf", OBJECT_OFFERS, NO_REPRESENTATION],
    ["text/html", LIST_OFFERS, `${NO_REPRESENTATION}, application/json;stream=watch`],
    ["text/plain", WATCH_OFFERS, `${NO_REPRESENTATION}, application/json;stream=watch`],
    ["application/json;as=Nothing;v=v1;g=meta.k8s.io", OBJECT_OFFERS, NOT_ACCEPTED],
    ["application/json;as=Table;v=v9;g=meta.k8s.io", OBJECT_OFFERS, NOT_ACCEPTED],
    ["application/json;as=Table;v=v1", OBJECT_OFFERS, NOT_ACCEPTED],
    ["application/json;as=Table;v=v7;g=meta.k8s.io", WATCH_OFFERS, NOT_ACCEPTED],
    ["application/json;stream=other", OBJECT_OFFERS, NOT_ACCEPTED],
    ["application/json;as=Table;v=v1;g=meta.k8s.io", DOCUMENT_OFFERS, NOT_ACCEPTED],
    ["application/yaml", WATCH_OFFERS, STREAMS],
    ["application/yaml, application/json", WATCH_OFFERS, STREAMS],
  ])("Accept: %s is 406", (accept, offers, message) => {
    expect(() => negotiateResponse(accept, offers)).toThrow(expect.objectContaining({ code: 406, reason: "NotAcceptable", message }));
  });

  test("the first sentence comes with empty details, the second without", () => {
    expect(() => negotiateResponse("text/html", OBJECT_OFFERS)).toThrow(expect.objectContaining({ details: {} }));
    expect(() => negotiateResponse("application/json;stream=x", OBJECT_OFFERS)).toThrow(expect.objectContaining({ details: undefined }));
  });

  test.each([
    ["*/*", json],
    ["application/json;stream=watch", json],
    ["application/json;as=Table;v=v1;g=meta.k8s.io", table],
    ["application/vnd.kubernetes.protobuf;stream=watch, application/json", json],
  ])("a watch, Accept: %s", (accept, want) => expect(negotiateResponse(accept, WATCH_OFFERS)).toEqual(want));
});

test.each([
  [undefined, "application/json"],
  ["application/yaml", "application/yaml"],
  ["text/html", "application/json"],
  ["application/yaml;as=Table;v=v1;g=meta.k8s.io", "application/json"],
])("a Status, Accept: %s", (accept, want) => expect(negotiateStatus(accept).mediaType).toBe(want));

describe("negotiateDiscovery", () => {
  const v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const v2beta1 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
  test.each([
    [undefined, false, "application/json"],
    ["*/*", false, "application/json"],
    ["application/*", false, "application/json"],
    ["application/yaml", false, "application/yaml"],
    [v2, true, v2],
    [`${v2};profile=nopeer`, true, v2],
    [`${v2},${v2beta1},application/json`, true, v2],
    [`application/json,${v2};q=0.1`, true, v2],
    [`${v2beta1},application/json`, false, "application/json"],
    [v2.replace("v=v2", "v=v3").concat(",application/json"), false, "application/json"],
    [`application/vnd.kubernetes.protobuf;${v2.slice(17)},${v2}`, true, v2],
  ])("Accept: %s", (accept, isAggregated, contentType) => expect(negotiateDiscovery(accept)).toMatchObject({ isAggregated, contentType }));

  test.each([v2beta1, "text/html"])("Accept: %s is 406", (accept) => expect(() => negotiateDiscovery(accept)).toThrow(NOT_ACCEPTED));
});

test("negotiateMediaType takes what the client prefers, then what the server does", () => {
  const offered = ["application/json", "application/x.proto"] as const;
  expect(negotiateMediaType(undefined, offered)).toBe("application/json");
  expect(negotiateMediaType("application/*", offered)).toBe("application/json");
  expect(negotiateMediaType("application/x.proto, application/json;q=0.5", offered)).toBe("application/x.proto");
  expect(negotiateMediaType("text/html", offered)).toBeUndefined();
});

test.each([
  ["pretty=true", undefined, true],
  ["pretty=1&limit=5", undefined, true],
  ["limit=5&pretty=false", "curl/8", false],
  ["pretty=nonsense", "curl/8", false],
  ["pretty=", "curl/8", true],
  ["fieldManager=pretty", undefined, false],
  ["", "curl/8.1", true],
  ["", "Wget/1.21", true],
  ["", "Mozilla/5.0 (X11)", true],
  ["", "kubectl/v1.36", false],
  ["", undefined, false],
])("?%s of %s is pretty: %s", (query, userAgent, want) => expect(prefersPretty(query, userAgent)).toBe(want));

describe("parseAccept", () => {
  const order = (header: string) => parseAccept(header).map(({ type, subtype }) => `${type}/${subtype}`);
  test.each([
    ["a/b, c/d", ["a/b", "c/d"]],
    ["*/*, a/*, a/b", ["a/b", "a/*", "*/*"]],
    ["a/b;q=0.1, */*;q=0.9", ["*/*", "a/b"]],
    ["a/b;q=x, c/d;q=0", ["a/b", "c/d"]],
    ["*, a, a/b/c, , a/b", ["a/b", "*/*"]],
  ])("%s", (header, want) => expect(order(header)).toEqual(want));

  test("thousands of different headers do not pile up, and none is mistaken for another", () => {
    for (let index = 0; index < 2000; index++) expect(order(`a/b${index}`)).toEqual([`a/b${index}`]);
  });

  test("a long run of spaces takes no time", () => {
    const started = performance.now();
    parseAccept(`a/b;x=${" ".repeat(100_000)}y${" ".repeat(100_000)}z`);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
