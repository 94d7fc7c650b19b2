import { gunzipSync } from "node:zlib";
import { decodeYAML } from "@annex/apimachinery";
import type { Outcome } from "./connections.ts";
import { type HostileRequest, headerOf, isBeyondHeaderList, isBeyondHTTP2 } from "./request.ts";

const HEADER_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;
const PATH_TEXT = /^\/[\x21-\x7e]*$/;
const strictUTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Says what is wrong with an answer, whatever was asked.
 *
 * @returns undefined for one that is as it has to be.
 */
export function faultOf(request: HostileRequest, outcome: Outcome): string | undefined {
  if (outcome.type === "unsendable") return undefined;
  if (outcome.type === "late") return `late: ${outcome.why}`;
  if (outcome.type === "reset") return mayBeReset(request) ? undefined : `reset: ${outcome.why}`;
  const { status } = outcome;
  if (status >= 500 && !(status === 504 && mayTimeOut(request))) return `status ${status}: ${preview(outcome.body)}`;
  if (status === 429) return "status 429, though there was room";
  try {
    checkAnswer(request, outcome);
    return undefined;
  } catch (error) {
    return `status ${status}, ${outcome.headers["content-type"] ?? "no type"}: ${error instanceof Error ? error.message : error}: ${preview(outcome.body)}`;
  }
}

/** Who sets a limit, or waits for what is yet to come (three seconds, as of Kubernetes), is told when the time is over. */
function mayTimeOut({ query }: HostileRequest): boolean {
  const parameters = new URLSearchParams(query);
  return parameters.has("timeout") || parameters.getAll("resourceVersion").some((text) => Number(text) > 1e6) || parameters.has("continue");
}

/** What is no HTTP: the protocol ends its stream, or the connection, without an answer. */
function mayBeReset(request: HostileRequest): boolean {
  const declared = headerOf(request, "content-length");
  if (declared !== undefined && declared !== String(request.body?.length ?? 0)) return true;
  if (isBeyondHTTP2(request) || isBeyondHeaderList(request)) return true;
  return !PATH_TEXT.test(request.path) || !PATH_TEXT.test(`/${request.query}`) || request.headers.some(([, value]) => !HEADER_TEXT.test(value));
}

function checkAnswer(request: HostileRequest, { status, headers, body, isCut }: Extract<Outcome, { type: "answer" }>): void {
  if (request.method === "HEAD" || status === 304 || status === 204) {
    if (body.length > 0) throw new Error("a body where there may be none");
    return;
  }
  const plain = headers["content-encoding"] === "gzip" && !isCut ? gunzipSync(body) : body;
  const type = headers["content-type"] ?? "";
  if (status >= 300 && status < 400) return;
  if (status < 400) {
    if (type === "application/json") checkJSON(plain, headers["content-length"] === undefined, isCut);
    return;
  }
  // As of Go's net/http: what is expected and unknown is refused before anybody reads the request.
  if (status === 417 && headerOf(request, "expect") !== undefined) return;
  checkFailure(request, status, type, plain);
}

/** One document, or the events of a watch: one a line, all of them whole unless we cut it. */
function checkJSON(body: Uint8Array, isStream: boolean, isCut: boolean): void {
  const text = strictUTF8.decode(body, { stream: isCut });
  if (!isStream) {
    JSON.parse(text);
    return;
  }
  const lines = text.split("\n");
  const rest = lines.pop() ?? "";
  if (rest !== "" && !isCut) throw new Error("the last event has no end");
  for (const line of lines) {
    const { type } = JSON.parse(line) as { readonly type?: unknown };
    if (!["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"].includes(String(type))) throw new Error(`an event of type ${String(type)}`);
  }
}

function checkFailure({ path }: HostileRequest, status: number, type: string, body: Uint8Array): void {
  // kube-apiserver's answer to an OpenAPI document that there is not.
  if (status === 404 && body.length === 0 && decodeURIComponent(path).startsWith("/openapi/v3")) return;
  const value = type.startsWith("application/yaml") ? decodeYAML(body).value : JSON.parse(strictUTF8.decode(body));
  if (typeof value !== "object" || value === null) throw new Error("no object");
  // The index of paths is what a path outside of the API answers.
  if (status === 404 && "paths" in value && Array.isArray(value.paths)) return;
  if (Reflect.get(value, "kind") !== "Status") throw new Error("no Status");
  if (Reflect.get(value, "status") !== "Failure") throw new Error("a Status that is no failure");
  const code: unknown = Reflect.get(value, "code");
  if (Number(code) !== status) throw new Error(`a Status of code ${String(code)}`);
  const message: unknown = Reflect.get(value, "message");
  if (typeof message !== "string" || message === "") throw new Error("a Status without a message");
  if (/\n\s+at |TypeError|RangeError|node:internal|undefined is not|Cannot read prop/.test(message))
    throw new Error("a Status that shows the inside");
}

function preview(body: Uint8Array): string {
  return Buffer.from(body.subarray(0, 500)).toString("utf8");
}
