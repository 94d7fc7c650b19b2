import { connect, createServer, type Server, type Socket } from "node:net";
import type { RequestHandler } from "@annex/apiserver";
import { createHTTPServer, generateCA, generateKey, generateServingCertificate } from "@annex/apiserver-node";
import type { ClusterConfig } from "../client/index.ts";

const HOUR_MS = 3_600_000;
const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

/** Another server, in the place of a kube-apiserver, and the network before it. */
export interface TLSServer extends AsyncDisposable {
  /** Its bearer token is `Bearer one`. */
  readonly config: ClusterConfig;
  readonly network: Network;
}

/** Serves a handler over TLS on 127.0.0.1. */
export async function startTLSServer(handler: RequestHandler): Promise<TLSServer> {
  const key = await generateKey();
  const validity = { notBeforeMs: Date.now() - HOUR_MS, notAfterMs: Date.now() + HOUR_MS };
  const ca = { key, cert: await generateCA("annex", key, validity) };
  const serving = await generateServingCertificate(ca, ["127.0.0.1"], validity);
  const server = createHTTPServer({ handler, tls: { ...serving, clientCAs: [] }, log: silent });
  const { port } = await server.listen(0, "127.0.0.1");
  const network = await startNetwork(port);
  return {
    network,
    config: {
      server: `https://127.0.0.1:${network.port}`,
      namespace: "default",
      tls: { ca: ca.cert },
      authorization: () => Promise.resolve("Bearer one"),
      forgetCredentials: () => undefined,
    },
    async [Symbol.asyncDispose]() {
      await network[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A port of 127.0.0.1 that leads to another one, while the network is there. */
export interface Network extends AsyncDisposable {
  readonly port: number;
  /** Ends all connections, and takes no new ones. */
  cut(): Promise<void>;
  /** Takes connections again. */
  mend(): Promise<void>;
}

export async function startNetwork(targetPort: number): Promise<Network> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
    return socket;
  };
  const server: Server = createServer((inner) => {
    const outer = keep(connect(targetPort, "127.0.0.1"));
    keep(inner).pipe(outer).pipe(inner);
    inner.on("close", () => outer.destroy());
    outer.on("close", () => inner.destroy());
  });
  const listen = (port: number) =>
    new Promise<number>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", reject);
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  const cut = async () => {
    const closed = new Promise<void>((resolve) => (server.listening ? server.close(() => resolve()) : resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const port = await listen(0);
  return { port, cut, mend: async () => void (await listen(port)), [Symbol.asyncDispose]: cut };
}
