import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CLUSTER_SECRETS, CLUSTER_TOKENS, plaintextOf, SECRETS, startTokenServer, TOKENS } from "./testing/token-server.ts";
import { hashPlaintext, makePlaintext, parsePlaintext } from "./token.ts";

const signal = new AbortController().signal;

describe("verify", () => {
  test("says whose token it is", async () => {
    await using server = await startTokenServer();
    const plaintext = plaintextOf(await server.create("a.b", { userID: "admin", clusterName: "c" }));
    expect(await server.verify(plaintext, signal)).toEqual({
      isValid: true,
      token: { namespace: "default", name: "a.b" },
      userID: "admin",
      clusterName: "c",
    });
    const cluster = (await server.request("POST", CLUSTER_TOKENS, { body: { metadata: { name: "a.b" } } })).json();
    expect(await server.verify(plaintextOf(cluster), signal)).toEqual({
      isValid: true,
      token: { namespace: "", name: "a.b" },
      userID: "admin",
      clusterName: "",
    });
  });

  test("goes by the clock, to the second the token ends, whatever is recorded", async () => {
    await using server = await startTokenServer();
    const plaintext = plaintextOf(await server.create("a", { userID: "admin", ttl: 90 }));
    await server.clock.step(89_999);
    expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: true });
    await server.clock.step(1);
    expect(await server.verify(plaintext, signal)).toEqual({ isValid: false, reason: "Expired" });
    expect((await server.read(`${TOKENS}/a`)).status).toMatchObject({ expired: false });
    await server.patch(`${TOKENS}/a`, { spec: { ttl: 120 } });
    expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: true });
    await server.patch(`${TOKENS}/a`, { spec: { ttl: "" } });
    await server.clock.step(3_600_000);
    expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: true });
  });

  test("every no has its reason", async () => {
    await using server = await startTokenServer();
    const plaintext = plaintextOf(await server.create("a", { userID: "admin" }, { finalizers: ["example.com/hold"] }));
    const reason = async (text = plaintext) => {
      const verification = await server.verify(text, signal);
      return verification.isValid ? "" : verification.reason;
    };
    for (const text of [
      "",
      "x",
      "ranchertoken",
      "ranchertoken..a.x",
      "ranchertoken.default.a.",
      "ranchertoken.default.a",
      "other.default.a.x",
      "x".repeat(600),
    ]) {
      expect(await reason(text), text).toBe("Malformed");
    }
    expect(await reason("ranchertoken.default.missing.x")).toBe("NotFound");
    expect(await reason("clusterranchertoken.a.x")).toBe("NotFound");
    expect(await reason("ranchertoken.elsewhere.a.x")).toBe("NotFound");
    expect(await reason(`${plaintext}x`)).toBe("WrongSecret");
    expect(await reason(plaintext.slice(0, -1))).toBe("WrongSecret");
    await server.patch(`${TOKENS}/a`, { spec: { enabled: false } });
    expect(await reason()).toBe("Disabled");
    await server.patch(`${TOKENS}/a`, { spec: { enabled: true } });
    expect(await reason()).toBe("");
    await server.editSecret(`${SECRETS}/a`, { userID: "root" });
    expect(await reason()).toBe("Unhealthy");
    await server.editSecret(`${SECRETS}/a`, { userID: "admin" });
    await server.request("DELETE", `${TOKENS}/a`);
    expect(await reason()).toBe("Deleting");
    expect(await reason("ranchertoken.default.a.x")).toBe("WrongSecret");
  });

  test("a Secret that is no token's is none, whatever is asked", async () => {
    await using server = await startTokenServer();
    const text = "ranchertoken.default.a.x";
    await server.request("POST", SECRETS, {
      body: { metadata: { name: "a" }, stringData: { hashedToken: hashPlaintext(text), enabled: "true", userID: "root" } },
    });
    await server.request("POST", CLUSTER_SECRETS, { body: { metadata: { name: "a" }, type: "tomlebreux.com/cluster-token" } });
    expect(await server.verify(text, signal)).toEqual({ isValid: false, reason: "NotFound" });
    // Without a hash nothing matches, not even nothing.
    expect(await server.verify("clusterranchertoken.a.x", signal)).toEqual({ isValid: false, reason: "WrongSecret" });
  });

  test("a store that cannot be asked is not a no", async () => {
    await using server = await startTokenServer();
    const plaintext = plaintextOf(await server.create("a"));
    const { createVerifier } = await import("./verify.ts");
    const unavailable = new Error("unavailable");
    const verify = createVerifier({
      verbsOf: () => ({ get: () => Promise.reject(unavailable) }),
      context: server.server.loopback,
      clock: server.clock,
    });
    await expect(verify(plaintext, signal)).rejects.toBe(unavailable);
  });
});

describe("the text of a token", () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));

  test("names its object, whichever dots are in the name", () => {
    fc.assert(
      fc.property(fc.option(label, { nil: "" }), name, (namespace, objectName) => {
        const token = { namespace, name: objectName };
        expect(parsePlaintext(makePlaintext(token))).toEqual(token);
      }),
    );
  });

  test("that was not made here is refused or names something, and never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `ranchertoken.${text}`),
        ),
        (text) => {
          const token = parsePlaintext(text);
          if (token !== undefined) expect(`${token.namespace}/${token.name}`).toMatch(/^[a-z0-9-]*\/[a-z0-9.-]+$/);
        },
      ),
    );
  });

  test.each(["ranchertoken.a/b.c.x", "ranchertoken.default.../x.y", "clusterranchertoken.A.x", "ranchertoken.default.a b.x"])(
    "%s names nothing",
    (text) => {
      expect(parsePlaintext(text)).toBeUndefined();
    },
  );
});
