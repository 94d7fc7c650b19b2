import { systemClock } from "@annex/apiserver-node";
import { expect, test } from "vitest";
import { answerJSON, startFakeCluster } from "../testing/fake-cluster.ts";
import { createClusterClient } from "./cluster-client.ts";
import { listCollection } from "./pages.ts";
import { AnswerTooLargeError } from "./unavailable.ts";

const never = new AbortController().signal;

/** Lists so many objects of a kilobyte, out of answers that may have so many bytes. */
async function listing(objects: number, maxAnswerBytes: number) {
  const names = Array.from({ length: objects }, (_, index) => `n${index}`);
  await using cluster = await startFakeCluster((request, response) => {
    const { searchParams } = new URL(`https://x${request.url}`);
    const start = Number(searchParams.get("continue") ?? "0");
    const end = start + Number(searchParams.get("limit"));
    const items = names.slice(start, end).map((name) => ({ metadata: { name }, padding: "x".repeat(1_000) }));
    answerJSON(response, 200, { metadata: { resourceVersion: "5", ...(end < objects ? { continue: String(end) } : {}) }, items });
  });
  await using client = createClusterClient(cluster.config, { clock: systemClock, maxAnswerBytes });
  const result = await listCollection(client, "/x", {}, never).catch((error: unknown) => error);
  return { names, result, limits: cluster.requests.map((request) => new URL(`https://x${request.split(" ")[1]}`).searchParams.get("limit")) };
}

test("a collection comes in pages", async () => {
  const { names, result, limits } = await listing(1_200, 1 << 20);
  expect(result).toMatchObject({ resourceVersion: "5", items: names.map((name) => ({ metadata: { name } })) });
  expect(limits).toEqual(["500", "500", "500"]);
});

test("of objects that are too large together, fewer are asked for from then on", async () => {
  const { names, result, limits } = await listing(200, 100_000);
  expect(result).toMatchObject({ items: names.map((name) => ({ metadata: { name } })) });
  expect(limits).toEqual(["500", "63", "63", "63", "63"]);
});

test("one that is too large by itself is too large", async () => {
  const { result, limits } = await listing(3, 500);
  expect(result).toBeInstanceOf(AnswerTooLargeError);
  expect(limits.at(-1)).toBe("1");
});
