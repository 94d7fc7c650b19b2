// The adapter between Node's sockets and a request handler: TLS, HTTP/2, HTTP/1.1, limits, drain. It knows nothing of Kubernetes but
// the Status in which it refuses. Imported by `serve` and by apps.
export { createHTTPServer, type HTTPServer, type HTTPServerOptions, type TLSMaterial } from "./http-server.ts";
export { DEFAULT_LIMITS, type HTTPLimits } from "./limits.ts";
export { ListenError } from "./node-error.ts";
