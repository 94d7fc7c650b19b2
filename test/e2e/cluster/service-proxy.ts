// What a Service is to its clients: one port, where each new connection goes to one of the servers that are ready. Connections that are open stay where they are.
import { request } from "node:https";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const PROBE_MS = 100;
const PROBE_LIMIT_MS = 1_000;

export interface ServiceProxy extends AsyncDisposable {
  /** Has a server of 127.0.0.1 get connections from when it is ready. @returns when it is. */
  add(port: number): Promise<void>;
  /** How many connections went to a server. */
  connectionsTo(port: number): number;
}

/** @param port of 127.0.0.1. */
export async function serviceProxy(port: number): Promise<ServiceProxy> {
  const backends = new Map<number, { isReady: boolean; connections: number }>();
  const sockets = new Set<Socket>();
  const stopping = new AbortController();
  const hold = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    hold(client);
    const ready = [...backends].filter(([, { isReady }]) => isReady).sort(([, left], [, right]) => left.connections - right.connections);
    const [backend, counted] = ready[0] ?? [];
    if (backend === undefined || counted === undefined) {
      client.resetAndDestroy();
      return;
    }
    counted.connections++;
    const upstream = connect({ port: backend, host: "127.0.0.1", allowHalfOpen: true });
    hold(upstream);
    client.pipe(upstream).pipe(client);
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  const probing = probe(backends, stopping.signal);
  return {
    async add(backend) {
      backends.set(backend, { isReady: false, connections: 0 });
      while (backends.get(backend)?.isReady === false) await sleep(PROBE_MS);
    },
    connectionsTo: (backend) => backends.get(backend)?.connections ?? 0,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await probing;
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function probe(backends: ReadonlyMap<number, { isReady: boolean }>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await Promise.all([...backends].map(async ([port, backend]) => Object.assign(backend, { isReady: await isReady(port) })));
    await sleep(PROBE_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** As the kubelet asks: whatever the certificate. */
function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probing = request({ port, host: "127.0.0.1", path: "/readyz", rejectUnauthorized: false, agent: false, timeout: PROBE_LIMIT_MS });
    probing
      .on("response", (response) => {
        resolve(response.statusCode === 200);
        response.resume();
      })
      .on("timeout", () => probing.destroy())
      .on("error", () => resolve(false))
      .end();
  });
}
