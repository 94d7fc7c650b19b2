import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below the ports that the kernel gives to outgoing connections (from 32768 on Linux, 49152 elsewhere): so none of these takes a port between
 * the look and the use.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;
const ATTEMPTS = 200;

/**
 * Finds ports of 127.0.0.1 on which nobody listens, at random, so that several who look at the same time hardly find the same. Whoever uses one
 * has to be ready for the rare case that somebody else was faster.
 *
 * @throws {Error} if nearly all are taken.
 */
export async function findFreePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  for (let attempt = 0; found.size < count; attempt++) {
    if (attempt === ATTEMPTS) throw new Error(`found no ${count} free ports between ${FIRST_PORT} and ${LAST_PORT} in ${ATTEMPTS} attempts`);
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
