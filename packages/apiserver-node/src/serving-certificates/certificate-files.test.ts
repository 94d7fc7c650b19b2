import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock, Logger } from "@annex/apiserver";
import { afterEach, beforeEach, expect, test } from "vitest";
import { generateCA, generateKey, generateServingCertificate, type KeyPairPEM } from "../pki/index.ts";
import { certificateFiles } from "./index.ts";

const validity = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000 };
let folder: string;
let ca: KeyPairPEM;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "certificate-files-"));
  const key = await generateKey();
  ca = { key, cert: await generateCA("test", key, validity) };
});
afterEach(() => rm(folder, { recursive: true }));

const path = (name: string) => join(folder, name);
const leaf = () => generateServingCertificate(ca, ["a.b.svc"], validity);
async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(path(name), text);
}

/** Sleeps until the test says that time is over. */
class TurnClock implements Clock {
  #wake: (() => void) | undefined;
  #asleep = () => {};
  now = () => Date.now();
  sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wake = resolve;
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.#asleep();
    });
  }
  /** Lets one sleep end, and waits for the next. */
  async turn(): Promise<void> {
    const again = new Promise<void>((resolve) => {
      this.#asleep = resolve;
    });
    this.#wake?.();
    await again;
  }
}

/** Looks at the files when told to; the lines of the log are its level and what it says of the problem. */
async function watching(
  use: (at: {
    readonly served: () => KeyPairPEM;
    readonly bundle: () => string | undefined;
    readonly look: () => Promise<void>;
    readonly lines: string[];
    readonly changes: () => number;
  }) => Promise<void>,
) {
  const lines: string[] = [];
  const note = (level: string) => (fields: Readonly<Record<string, unknown>>) =>
    void lines.push(`${level} ${fields.problem ?? JSON.stringify(fields)}`);
  const log: Logger = { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };
  const clock = new TurnClock();
  const source = await certificateFiles({ certFile: path("tls.crt"), keyFile: path("tls.key"), caFile: path("ca.crt") }, { clock, log });
  let changes = 0;
  source.onChange(() => {
    changes++;
  });
  const stopping = new AbortController();
  const running = source.run(stopping.signal);
  await use({ served: () => source.current(), bundle: () => source.caBundle(), look: () => clock.turn(), lines, changes: () => changes });
  stopping.abort();
  await running;
}

test("new files are served, and while they are replaced what they held before", async () => {
  const [first, second] = [await leaf(), await leaf()];
  await write({ "tls.crt": first.cert, "tls.key": first.key, "ca.crt": ca.cert });
  await watching(async ({ served, bundle, look, lines, changes }) => {
    await look();
    expect({ ...served(), lines: lines.length, changes: changes() }).toMatchObject({ ...first, lines: 0, changes: 0 });
    expect(bundle()).toBe(ca.cert);
    await write({ "tls.crt": second.cert });
    await look();
    await look();
    expect(served()).toMatchObject(first);
    expect(lines).toEqual([`error the key in ${path("tls.key")} is not that of the certificate in ${path("tls.crt")}`]);
    await write({ "tls.key": second.key });
    await look();
    expect(served()).toMatchObject(second);
    await rm(path("ca.crt"));
    await look();
    expect(served()).toMatchObject(second);
    expect(changes()).toBe(1);
    expect(lines.slice(1)).toEqual([
      'info {"certificate":true,"caBundle":false}',
      `error cannot read ${path("ca.crt")}: there is no such file or folder`,
    ]);
  });
});

test.each([
  { what: "no certificate", files: { "tls.crt": "none" }, message: "tls.crt has no certificate in PEM" },
  {
    what: "a broken certificate",
    files: { "tls.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
    message: "tls.crt has a certificate that cannot be read",
  },
  {
    what: "no key",
    files: { "tls.key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" },
    message: "tls.key has no private key in PEM",
  },
  { what: "no CA", files: { "ca.crt": "" }, message: "ca.crt has no certificate in PEM" },
])("$what ends the start", async ({ files, message }) => {
  const pair = await leaf();
  await write({ "tls.crt": pair.cert, "tls.key": pair.key, "ca.crt": ca.cert, ...(files as Record<string, string>) });
  await expect(watching(async () => undefined)).rejects.toThrow(`${folder}/${message}`);
});
