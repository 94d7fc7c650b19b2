import { expect, test } from "vitest";
import { type Client, createClient } from "./client.ts";
import { startServer, temporaryFolder } from "./server.ts";

/** How often the server is killed: 50 times in CI. */
const ROUNDS = Number(process.env.ANNEX_KILL_ROUNDS ?? 5);
const WRITERS = 8;
const SECRETS = "/api/v1/namespaces/default/secrets";

interface Acknowledged {
  readonly name: string;
  readonly resourceVersion: string;
}

/** Creates secrets, one after the other, until the server is gone. */
async function write(client: Client, prefix: string, acknowledged: Acknowledged[]): Promise<void> {
  for (let index = 0; ; index++) {
    const name = `${prefix}-${index}`;
    try {
      const { status, text } = await client.request("POST", SECRETS, { metadata: { name }, stringData: { value: name } });
      if (status !== 201) throw new Error(`${name}: ${status} ${text}`);
      acknowledged.push({ name, resourceVersion: JSON.parse(text).metadata.resourceVersion });
    } catch (error) {
      // A connection that broke off was no acknowledgement; an answer other than 201 is a fault.
      if (error instanceof Error && "code" in error) return;
      throw error;
    }
  }
}

test(`finds every acknowledged object after kill -9 under load, ${ROUNDS} times`, { timeout: ROUNDS * 20_000 }, async () => {
  const dataDir = await temporaryFolder();
  const acknowledged: Acknowledged[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startServer({ dataDir });
    const writers = Array.from({ length: WRITERS }, (_, index) => write(server.client(), `r${round}-w${index}`, acknowledged));
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 400));
    server.process.kill("SIGKILL");
    await Promise.all(writers);
    await server.process.finished;
  }
  const server = await startServer({ dataDir });
  const { text } = await createClient(server.url, server.access).request("GET", SECRETS);
  const found = new Map<string, string>(
    JSON.parse(text).items.map((item: { metadata: { name: string; resourceVersion: string } }) => [
      item.metadata.name,
      item.metadata.resourceVersion,
    ]),
  );
  expect(acknowledged.length).toBeGreaterThan(ROUNDS * 10);
  expect(acknowledged.filter(({ name, resourceVersion }) => found.get(name) !== resourceVersion)).toEqual([]);
  // An object at most for each writer and round was written and not acknowledged in time.
  expect(found.size - acknowledged.length).toBeLessThanOrEqual(ROUNDS * WRITERS);
  await server.stop();
});
