import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadServiceAccountKeys } from "./signing-keys.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "keys-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const load = (signingKeyFile?: string, keyFiles: readonly string[] = []) => loadServiceAccountKeys({ dataDir, signingKeyFile, keyFiles });
async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(dataDir, name);
  await writeFile(path, content);
  return path;
}
const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve });
const rsa = (modulusLength: number) => generateKeyPairSync("rsa", { modulusLength });

describe("keys of service account tokens", () => {
  test("one is made, for its owner alone, and is the same the next time", async () => {
    const first = await load();
    expect(first.signing.algorithm).toBe("ES256");
    expect((await stat(join(dataDir, "sa.key"))).mode & 0o777).toBe(0o600);
    const again = await load();
    expect(again.signing.keyID).toBe(first.signing.keyID);
    expect(again.verification.map(({ keyID }) => keyID)).toEqual([first.signing.keyID]);
    expect(again.verification[0]?.publicKey.type).toBe("public");
  });

  test.each([
    { name: "RSA, PKCS#1", pem: () => rsa(2048).privateKey.export({ type: "pkcs1", format: "pem" }), want: "RS256" },
    { name: "RSA, PKCS#8", pem: () => rsa(2048).privateKey.export({ type: "pkcs8", format: "pem" }), want: "RS256" },
    { name: "P-256, SEC 1", pem: () => ec("prime256v1").privateKey.export({ type: "sec1", format: "pem" }), want: "ES256" },
    { name: "P-384", pem: () => ec("secp384r1").privateKey.export({ type: "pkcs8", format: "pem" }), want: "ES384" },
    { name: "P-521", pem: () => ec("secp521r1").privateKey.export({ type: "pkcs8", format: "pem" }), want: "ES512" },
  ])("$name signs as $want", async ({ pem, want }) => {
    const path = await file("own.key", pem());
    expect((await load(path)).signing.algorithm).toBe(want);
    await expect(readFile(join(dataDir, "sa.key"))).rejects.toThrow("ENOENT");
  });

  test("key files may hold several, public or private, each counts once and the signing key first", async () => {
    const [one, two] = [ec("prime256v1"), rsa(2048)];
    const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    const several =
      parameters + String(one.privateKey.export({ type: "sec1", format: "pem" })) + String(two.publicKey.export({ type: "spki", format: "pem" }));
    const { signing, verification } = await load(undefined, [await file("a.pem", several), await file("b.pem", several)]);
    expect(verification.map(({ algorithm }) => algorithm)).toEqual(["ES256", "ES256", "RS256"]);
    expect(verification[0]?.keyID).toBe(signing.keyID);
    expect(verification.every(({ publicKey }) => publicKey.type === "public")).toBe(true);
  });

  test.each([
    { name: "a file that is not there", content: undefined, want: /cannot read .*: there is no such file or folder$/ },
    { name: "no key", content: "hello", want: /has no private key in PEM$/ },
    { name: "a public key", content: () => ec("prime256v1").publicKey.export({ type: "spki", format: "pem" }), want: /has no private key in PEM$/ },
    {
      name: "Ed25519",
      content: () => generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }),
      want: /neither RSA nor ECDSA/,
    },
    { name: "another curve", content: () => ec("secp256k1").privateKey.export({ type: "pkcs8", format: "pem" }), want: /neither RSA nor ECDSA/ },
    { name: "a short RSA key", content: () => rsa(1024).privateKey.export({ type: "pkcs8", format: "pem" }), want: /less than 2048 bits$/ },
  ])("refuses $name in one line", async ({ content, want }) => {
    const path = join(dataDir, "bad.key");
    if (content !== undefined) await file("bad.key", typeof content === "string" ? content : content());
    await expect(load(path)).rejects.toThrow(expect.objectContaining({ name: "OperatorFileError", message: expect.stringMatching(want) }));
  });

  test.each([
    { content: "hello", want: /has no key in PEM$/ },
    { content: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", want: /has a key that cannot be read$/ },
  ])("refuses a key file of $content", async ({ content, want }) => {
    await expect(load(undefined, [await file("keys.pem", content)])).rejects.toThrow(want);
  });
});
