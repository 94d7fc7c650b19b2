import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { recordedLog } from "../testing/recorded-log.ts";
import type { APIService } from "./api-service.ts";
import { AvailabilityReporter, adviceFor, KNOWN_REASONS } from "./availability.ts";

const service = { namespace: "ns", name: "api", port: 443 };
const withCondition = (status: string, reason: string, message = ""): APIService => ({
  apiVersion: "apiregistration.k8s.io/v1",
  kind: "APIService",
  metadata: { name: "v1.a.example.com" },
  spec: { group: "a.example.com", version: "v1", groupPriorityMinimum: 1, versionPriority: 1, service },
  ...(status === "" ? {} : { status: { conditions: [{ type: "Available", status, reason, message }] } }),
});

test("each reason is told once, with where to look and what to do", () => {
  const log = recordedLog();
  const reporter = new AvailabilityReporter(log, service);
  for (const object of [
    withCondition("", ""),
    withCondition("False", "ServiceNotFound", "service/api in ns is not present"),
    withCondition("False", "ServiceNotFound", "another sentence"),
    withCondition("False", "FailedDiscoveryCheck", "a"),
    withCondition("False", "FailedDiscoveryCheck", "b"),
    withCondition("True", "Passed"),
    withCondition("True", "Passed"),
    withCondition("Unknown", "SomethingNew", "what it is"),
  ])
    reporter.report(object);
  expect(log.lines.map((line) => line.replace(/ \{.*/, ""))).toEqual([
    "warn: the cluster does not reach this server",
    "warn: the cluster does not reach this server",
    "info: the cluster reaches this server",
    "warn: the cluster does not reach this server",
  ]);
  expect(log.lines[0]).toContain('"reason":"ServiceNotFound","message":"service/api in ns is not present","look":"kubectl get services -n ns"');
  expect(log.lines[3]).toContain('"reason":"SomethingNew","message":"what it is"}');
});

test.each(KNOWN_REASONS)("%s has a section in docs/troubleshooting.md, with the command of the log", async (reason) => {
  const text = await readFile(new URL("../../../../docs/troubleshooting.md", import.meta.url), "utf8");
  const section = text.split("\n### ").find((part) => part.startsWith(`${reason}\n`)) ?? "";
  const advice = adviceFor(reason, { namespace: "NAMESPACE", name: "NAME", port: 443 }, "VERSION.GROUP");
  for (const command of advice?.look.split("; ") ?? []) expect(section).toContain(command);
});
