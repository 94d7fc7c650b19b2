// The walkthrough against `npm start`.
import { expect, test } from "vitest";
import { describeKubectl } from "./kubectl-suite.ts";
import { declareWalkthrough } from "./walkthrough.ts";

describeKubectl((context) => {
  declareWalkthrough(context, "kubernetes-admin");

  test("kinds that only a cluster has are told so", async () => {
    expect(await context.fails("get", "events")).toBe('error: the server doesn\'t have a resource type "events"\n');
  });
});
