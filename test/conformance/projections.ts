// The parts of an answer that a step compares. FORMAT.md, "Projections".
import { isArray, isObject, isSameJSON, type JSONObject, type JSONValue, parseJSON } from "./json.ts";
import { sortedBy } from "./normaliser.ts";
import { projectOpenAPI } from "./openapi-shape.ts";
import { valuesAt } from "./paths.ts";
import { ScenarioError } from "./placeholders.ts";
import { Fields } from "./scenario.ts";

/**
 * Takes a part of an answer.
 *
 * @param text the body as it came, gzip undone.
 * @param body the body, normalised.
 * @throws {ScenarioError} for a kind that there is not.
 */
export function project(spec: JSONObject, text: string, body: JSONValue): JSONValue {
  const fields = new Fields(spec, "project");
  const kind = fields.required("kind");
  switch (kind) {
    case "keys":
      return isObject(body) ? Object.keys(body).sort() : null;
    case "select":
      return Object.fromEntries(fields.strings("paths").map((path) => [path, select(body, path)]));
    case "find":
      return find(body, fields.required("path"), fields.required("field"), fields.value("value") ?? null);
    case "lines":
      return typeof body === "string" ? sortedBy(linesOf(body), (line) => line) : body;
    case "textMatches":
      return Object.fromEntries(fields.strings("patterns").map((pattern) => [pattern, multilinePattern(pattern).test(text)]));
    case "openapiIndex":
      return openAPIIndex(documentOf(text), fields.string("match") ?? "");
    case "openapi":
      return projectOpenAPI(documentOf(text), fields.string("pathPrefix") ?? "/", fields.strings("groups"));
    default:
      throw new ScenarioError(`unknown projection ${kind}`);
  }
}

function select(body: JSONValue, path: string): JSONValue {
  const found = valuesAt(body, path);
  return path.includes("*") ? found : (found[0] ?? null);
}

function find(body: JSONValue, path: string, field: string, value: JSONValue): JSONValue {
  const [list] = valuesAt(body, path);
  if (list === undefined) return null;
  return isArray(list) ? list.filter((item) => isSameJSON(valuesAt(item, field)[0] ?? null, value)) : null;
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** `\A`, the beginning of the text, is the one thing of the recordings' patterns that JavaScript has no word for. */
function multilinePattern(pattern: string): RegExp {
  return new RegExp(pattern.replaceAll("\\A", "(?<![^])"), "m");
}

/** The JSON document of an answer, whatever its content type says. */
function documentOf(text: string): JSONObject {
  const document = parseJSON(text);
  return isObject(document) ? document : {};
}

function openAPIIndex({ paths }: JSONObject, match: string): JSONValue {
  const wanted = new RegExp(match);
  const found = Object.entries(isObject(paths) ? paths : {}).filter(([path]) => wanted.test(path));
  return Object.fromEntries(found.map(([path, item]) => [path, maskedURL(isObject(item) ? item.serverRelativeURL : undefined)]));
}

function maskedURL(url: JSONValue | undefined): string {
  return typeof url === "string" ? url.replace(/hash=[0-9A-Fa-f]+/g, "hash=<hash>") : "";
}
