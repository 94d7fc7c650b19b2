// h2load cannot show a client certificate. It speaks plain HTTP/2 to a Unix socket here, and this process carries the bytes over TLS, with the certificate. It stands
// before both servers alike, and its work is the load generator's, not the server's: the bytes of many streams travel together.
//
// node tunnel.js SOCKET PORT KUBECONFIG
import { createServer } from "node:net";
import { connect } from "node:tls";
import { readCredentials } from "./client.ts";

const [path = "", port = "0", kubeconfig = ""] = process.argv.slice(2);
const credentials = await readCredentials(kubeconfig);
const server = createServer((plain) => {
  const encrypted = connect({ ...credentials, host: "127.0.0.1", port: Number(port), ALPNProtocols: ["h2"] });
  plain.pipe(encrypted).pipe(plain);
  plain.on("error", () => encrypted.destroy());
  encrypted.on("error", () => plain.destroy());
});
server.listen(path, () => process.stdout.write("Serving\n"));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(0));
