import { describe, expect, test } from "vitest";
import { startAccountServer } from "../testing/account-server.ts";
import { RBAC_V1, roleRefOf, startRBACServer } from "../testing/rbac-server.ts";

const metadata = { name: "one", generateName: "A/b", labels: { "a b": "c" }, finalizers: ["x"] };
/** Of an update of any kind: the generateName as a segment of a path; labels by themselves, and in an update. */
const COMMON = ["metadata.generateName", "metadata.labels", "metadata.labels"];
const BY_ITSELF = ["metadata.generateName", "metadata.labels", "metadata.finalizers[0]"];
const IN_UPDATE = ["metadata.labels", "metadata.finalizers[0]"];
const rules = [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }];
const FAULTY_RULE = ["rules[0].verbs", "rules[0].apiGroups", "rules[0].resources"];

// As kube-apiserver 1.36 answers: each kind has its own order.
describe("faults of metadata are told by the check of every kind, and by the kind's own", () => {
  test.each<{ path: string; good?: object; bad: object; subresource?: string; fields: string[] }>([
    { path: "/api/v1/namespaces/default/secrets", bad: { type: "other" }, fields: [...COMMON, ...IN_UPDATE, "type", ...BY_ITSELF] },
    { path: "/api/v1/namespaces/default/serviceaccounts", bad: {}, fields: [...COMMON, ...IN_UPDATE, ...BY_ITSELF] },
    { path: "/api/v1/namespaces", bad: { spec: { finalizers: ["y"] } }, fields: [...COMMON, ...BY_ITSELF, ...IN_UPDATE] },
    {
      path: "/api/v1/namespaces",
      subresource: "/finalize",
      bad: { spec: { finalizers: ["y"] } },
      fields: [...COMMON, ...IN_UPDATE, "spec.finalizers[0]"],
    },
    ...["namespaces/default/roles", "clusterroles"].map((resource) => ({
      path: `${RBAC_V1}/${resource}`,
      good: { rules },
      bad: { rules: [{}] },
      fields: [...COMMON, ...BY_ITSELF, ...FAULTY_RULE, ...IN_UPDATE],
    })),
    ...["namespaces/default/rolebindings", "clusterrolebindings"].map((resource) => ({
      path: `${RBAC_V1}/${resource}`,
      good: { roleRef: roleRefOf("ClusterRole", "x") },
      bad: { roleRef: roleRefOf("ClusterRole", "y"), subjects: [{ kind: "User" }] },
      fields: [...COMMON, ...BY_ITSELF, "subjects[0].name", ...IN_UPDATE, "roleRef"],
    })),
  ])("$path$subresource", async ({ path, good = {}, bad, subresource = "", fields }) => {
    await using server = await (path.endsWith("serviceaccounts") ? startAccountServer() : startRBACServer());
    expect((await server.request("POST", path, { body: { metadata: { name: "one" }, ...good } })).status).toBe(201);
    const refused = await server.request("PUT", `${path}/one${subresource}`, { body: { metadata, ...good, ...bad } });
    expect(refused.status).toBe(422);
    expect(refused.json().details.causes.map(({ field }: { field: string }) => field)).toEqual(fields);
  });

  test.each(["secrets", "serviceaccounts"])("a generateName of %s that is no prefix of a name is refused in an update", async (resource) => {
    await using server = await startAccountServer();
    const path = `/api/v1/namespaces/default/${resource}`;
    await server.request("POST", path, { body: { metadata: { name: "one" } } });
    const refused = (await server.request("PUT", `${path}/one`, { body: { metadata: { name: "one", generateName: "A_b" } } })).json();
    expect(refused).toMatchObject({ code: 422, details: { causes: [{ field: "metadata.generateName" }] } });
  });
});
