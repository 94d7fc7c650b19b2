import { Secret } from "@annex/standalone";
import { startHarness } from "@annex/testing";
import { expect, test } from "vitest";
import { mutableTokenSecrets } from "./mutable-secrets.ts";

const SECRETS = "/api/v1/namespaces/default/secrets";

test("the Secret of a token cannot be made immutable; others can", async () => {
  await using server = await startHarness([Secret], { admission: [mutableTokenSecrets] });
  const secret = (name: string, type: string) => ({ metadata: { name }, type, immutable: true });
  expect((await server.request("POST", SECRETS, { body: secret("a", "Opaque") })).status).toBe(201);
  for (const type of ["tomlebreux.com/token", "tomlebreux.com/cluster-token"]) {
    const refused = (await server.request("POST", SECRETS, { body: secret("b", type) })).json();
    expect(refused).toMatchObject({ code: 422, details: { causes: [{ field: "immutable", reason: "FieldValueForbidden" }] } });
  }
});
