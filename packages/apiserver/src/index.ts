// The framework of a Kubernetes API server, without sockets and files: a request value goes in, a response value comes out.
export * from "./endpoints/http.ts";
export * from "./storage/index.ts";
