// What Kubernetes' cel-go and the port are both asked: the expressions of corpus/, a file for each library, in them groups that share a schema and
// objects (without a schema `self` and `oldSelf` are dyn); and rules.json, whole schemas with x-kubernetes-validations and objects for them.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeJSON, isJSONObject, type JSONObject, type JSONValue } from "@annex/apimachinery";

const EXPRESSIONS = fileURLToPath(new URL("corpus/", import.meta.url));
const RULES = fileURLToPath(new URL("rules.json", import.meta.url));

/** What the program of test/controlplane/cel is asked about one expression; expression.go says what each member means. */
export interface ExpressionQuestion {
  readonly op: "expression";
  readonly schema?: JSONObject;
  readonly root?: boolean;
  readonly optionalOldSelf?: boolean;
  readonly self?: JSONValue;
  readonly oldSelf?: JSONValue;
  readonly costLimit?: number;
  readonly expression: string;
}

/** What it is asked about a schema with rules; rules.go says what each member means. */
export interface RulesQuestion {
  readonly op: "rules";
  readonly schema: JSONObject;
  readonly self?: JSONValue;
  readonly oldSelf?: JSONValue;
}

/** A question with a name that no other has. */
export interface Case<Question> {
  readonly name: string;
  readonly question: Question;
}

/** All expressions, `library/group: expression`, in the order of the files' names and of what stands in them. */
export async function readExpressions(): Promise<readonly Case<ExpressionQuestion>[]> {
  const cases: Case<ExpressionQuestion>[] = [];
  for (const file of (await readdir(EXPRESSIONS)).sort())
    for (const [group, members] of Object.entries(await readObject(join(EXPRESSIONS, file)))) {
      if (!isJSONObject(members) || !Array.isArray(members.expressions)) throw new Error(`${file}: ${group} has no list of expressions`);
      const { expressions, ...shared } = members;
      for (const expression of expressions as readonly string[])
        cases.push({ name: `${file.replace(/\.json$/, "")}/${group}: ${expression}`, question: { op: "expression", ...shared, expression } });
    }
  return cases;
}

/** All schemas with each of their objects: `rules/schema: number of the object`. */
export async function readRules(): Promise<readonly Case<RulesQuestion>[]> {
  return Object.entries(await readObject(RULES)).flatMap(([group, members]) => {
    if (!isJSONObject(members) || !isJSONObject(members.schema) || !Array.isArray(members.objects))
      throw new Error(`${group} is no schema with objects`);
    const { schema } = members;
    return (members.objects as readonly JSONObject[]).map((object, index) => ({
      name: `rules/${group}: ${index}`,
      question: { op: "rules" as const, schema, ...object },
    }));
  });
}

async function readObject(path: string): Promise<JSONObject> {
  const value = decodeJSON(await readFile(path));
  if (!isJSONObject(value)) throw new Error(`${path}: no object`);
  return value;
}
