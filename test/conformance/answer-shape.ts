// A recorded answer is the server's after normalisation, projection, and what a step leaves out, in this order.
import { gunzipSync } from "node:zlib";
import type { Answer } from "./client.ts";
import { formatJSON, isArray, isObject, type JSONObject, type JSONValue, parseJSON } from "./json.ts";
import { type Normaliser, sortedBy } from "./normaliser.ts";
import { changeAt } from "./paths.ts";
import { project } from "./projections.ts";
import type { AnswerView } from "./scenario.ts";

const IGNORED = "<ignored>";
const LOOSE = "<loose>";

/** The body of an answer: as text, gzip undone, and as JSON where the content type says so. */
export interface ReadBody {
  readonly text: string;
  /** Undefined for what is no JSON. */
  readonly json: JSONValue | undefined;
}

export function readBody({ headers, body }: Answer): ReadBody {
  const header = (name: string) => headers.find(([key]) => key === name)?.[1];
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(header("content-encoding") === "gzip" ? gunzipSync(body) : body);
  const json = header("content-type")?.includes("json") === true ? parseJSON(text) : undefined;
  return { text, json: json ?? undefined };
}

/** What is compared of an answer. */
export function answerShape(answer: Answer, { text, json }: ReadBody, view: AnswerView, normaliser: Normaliser): JSONObject {
  const headers = normaliser.headers(answer, view.ignoreHeaders);
  let body = json === undefined ? normaliser.text(text) : normaliser.body(json, view.relateListRv);
  const isFailure = isObject(body) && body.kind === "Status" && body.status === "Failure";
  if (view.project !== undefined && !isFailure) body = project(view.project, text, body);
  if (view.messageLoose) body = loosened(body);
  if (view.unordered) body = unordered(body);
  body = withoutPaths(body, view.ignore);
  return { status: answer.status, ...(headers === undefined ? {} : { headers }), ...(body === "" ? {} : { body }) };
}

/** A copy in which the values at some paths are not compared. */
export function withoutPaths(value: JSONValue, paths: readonly string[], mark = IGNORED): JSONValue {
  return paths.reduce((result, path) => changeAt(result, path, () => mark), value);
}

/** `messageLoose`: a Status without the texts of its messages. */
export function loosened(body: JSONValue): JSONValue {
  if (!isObject(body) || body.kind !== "Status") return body;
  return withoutPaths(body, ["message", "details.causes.*.message"], LOOSE);
}

/** `unordered`: the causes of a Status sorted, and the list in its message that repeats them. */
export function unordered(body: JSONValue): JSONValue {
  if (!isObject(body) || body.kind !== "Status" || !isObject(body.details) || !isArray(body.details.causes)) return body;
  const causes = sortedBy(body.details.causes, (cause) => formatJSON(cause, { sorted: true, ascii: true }));
  const { message } = body;
  return { ...body, ...(typeof message === "string" ? { message: unorderedMessage(message, causes) } : {}), details: { ...body.details, causes } };
}

function unorderedMessage(message: string, causes: readonly JSONValue[]): string {
  const start = message.indexOf(": [");
  if (start === -1 || !message.endsWith("]")) return message.split("\n").sort().join("\n");
  const inner = message.slice(start + 3, -1);
  const parts = new Set(causes.map((cause) => (isObject(cause) ? `${cause.field}: ${cause.message}` : "")));
  // The longest first: one may be the beginning of another.
  let rest = inner;
  for (const part of [...parts].sort((a, b) => b.length - a.length)) rest = rest.replace(part, () => "");
  const list = /^[, ]*$/.test(rest) ? [...parts] : inner.split(", ");
  return `${message.slice(0, start)}: [${list.sort().join(", ")}]`;
}
