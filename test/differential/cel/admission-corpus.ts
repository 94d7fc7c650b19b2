// What the admission plugins of Kubernetes and the port are both asked: the groups of admission.json, each with the variables of a policy, the
// request that its expressions are evaluated for, and what the authorizer answers.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { decodeJSON, isJSONObject, type JSONObject } from "@annex/apimachinery";
import type { Case } from "./corpus.ts";

const CORPUS = fileURLToPath(new URL("admission.json", import.meta.url));

/** What the program of test/controlplane/cel is asked about expressions of a policy; admission.go says what each member means. */
export interface AdmissionQuestion {
  readonly op: "admission";
  readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  readonly params?: boolean;
  readonly authorizer?: boolean;
  readonly patchTypes?: boolean;
  readonly returns?: readonly string[];
  readonly input: RequestInput;
  readonly answers?: readonly CheckAnswer[];
  readonly budget?: number;
  readonly expressions: readonly string[];
}

/** The request, with what it is about. */
export interface RequestInput {
  readonly object?: JSONObject;
  readonly oldObject?: JSONObject;
  readonly params?: JSONObject;
  readonly namespaceObject?: JSONObject;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly resource: { readonly group: string; readonly version: string; readonly resource: string };
  readonly requestKind: RequestInput["kind"];
  readonly requestResource: RequestInput["resource"];
  readonly subResource?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly user: {
    readonly name: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly dryRun?: boolean;
  readonly options?: JSONObject;
}

/** What the authorizer answers to the checks that it is about; authorizer.go says what each member means. */
export interface CheckAnswer {
  readonly user?: string;
  readonly verb?: string;
  readonly path?: string;
  readonly resource?: string;
  readonly decision: "Allow" | "Deny" | "NoOpinion";
  readonly reason?: string;
  readonly error?: string;
}

/** What it is asked about an expression and the schemas of kinds; typecheck.go says what each member means. */
export interface TypecheckQuestion {
  readonly op: "typecheck";
  readonly objectSchema: JSONObject;
  readonly hasParams?: boolean;
  readonly paramsSchema?: JSONObject;
  readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  readonly expression: string;
}

/** All cases, `admission/group: expression`. Expressions that stand in a list are evaluated one after the other, with one budget. */
export async function readAdmission(): Promise<readonly Case<AdmissionQuestion>[]> {
  const { inputs, groups } = await readCorpus();
  return Object.entries(groups).flatMap(([group, members]) => {
    if (!isJSONObject(members) || typeof members.input !== "string") throw new Error(`${group} names no input`);
    const { input, expressions, ...shared } = members;
    return (expressions as readonly (string | readonly string[])[]).map((asked) => {
      const list = typeof asked === "string" ? [asked] : asked;
      const question = { op: "admission", ...shared, input: inputs[input], expressions: list } as unknown as AdmissionQuestion; // the file beside this one
      return { name: `admission/${group}: ${list.join("; ")}`, question };
    });
  });
}

/** All cases, `typecheck/group: expression`. */
export async function readTypechecks(): Promise<readonly Case<TypecheckQuestion>[]> {
  const { typechecks } = await readCorpus();
  return Object.entries(typechecks).flatMap(([group, members]) => {
    if (!isJSONObject(members) || !Array.isArray(members.expressions)) throw new Error(`${group} has no list of expressions`);
    const { expressions, ...shared } = members;
    return (expressions as readonly string[]).map((expression) => ({
      name: `typecheck/${group}: ${expression}`,
      question: { op: "typecheck", ...shared, expression } as unknown as TypecheckQuestion, // the file beside this one
    }));
  });
}

async function readCorpus(): Promise<Readonly<Record<"inputs" | "groups" | "typechecks", JSONObject>>> {
  const corpus = decodeJSON(await readFile(CORPUS));
  if (!isJSONObject(corpus)) throw new Error("admission.json is no object");
  const { inputs, groups, typechecks } = corpus;
  if (!isJSONObject(inputs) || !isJSONObject(groups) || !isJSONObject(typechecks))
    throw new Error("admission.json has no inputs, groups or typechecks");
  return { inputs, groups, typechecks };
}
