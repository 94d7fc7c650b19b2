// The port's answers to expressions of admission policies, in the form of those that the Go program gives.
import {
  AdmissionActivation,
  type AdmissionDeclarations,
  type AdmissionExpression,
  type AdmissionInput,
  AdmissionTypeChecker,
  AuthorizationAnswers,
  type AuthorizationCheck,
  applyConfigurationOf,
  type CelType,
  type CelValue,
  type CheckDecision,
  type CheckSelector,
  CompositedCompiler,
  celTypes,
  decodeJSON,
  encodeJSON,
  type JSONObject,
  type JSONPatchOperation,
  type JSONValue,
  jsonPatchOf,
  type PatchResult,
  RUNTIME_COST_BUDGET,
  type Schema,
} from "@annex/apimachinery";
import type { AdmissionQuestion, CheckAnswer, RequestInput, TypecheckQuestion } from "./admission-corpus.ts";
import { canonicalValue } from "./canonical-value.ts";
import type { AdmissionAnswer, AskedCheck, TypecheckAnswer } from "./recording.ts";

/** How the authorizer answers: at once, or after the expression was left and begun anew. */
export type Answering = "at once" | "later";

/** As admission.go answers it. */
export async function answerAdmission(question: AdmissionQuestion, answering: Answering): Promise<AdmissionAnswer> {
  const compiler = new CompositedCompiler();
  const declared: AdmissionDeclarations = { hasParams: question.params ?? false, hasAuthorizer: question.authorizer ?? false };
  for (const { name, expression } of question.variables ?? []) compiler.declareVariable(name, expression, declared);
  const returns = question.returns?.map(typeNamed);
  const expressions = question.expressions.map((text) =>
    compiler.compile(text, { ...declared, hasPatchTypes: question.patchTypes ?? false }, returns),
  );
  const checks: AskedCheck[] = [];
  const answers = new AuthorizationAnswers((check) => {
    const asked = askedCheck(check);
    checks.push(asked);
    const decision = decisionOn(asked, question.answers ?? []);
    return answering === "at once" ? decision : Promise.resolve(decision);
  });
  const input = inputOf(question.input, question.authorizer === true ? answers : undefined);
  const activation = new AdmissionActivation(input, compiler.variables, question.budget ?? RUNTIME_COST_BUDGET);
  const descriptions = expressions.map(described);
  const results: AdmissionAnswer["results"][number][] = [];
  for (const [index, expression] of expressions.entries()) {
    const { value, error, ...rest } = await activation.evaluate(expression);
    if ("isOutOfBudget" in rest && rest.isOutOfBudget) return { results: descriptions, stopped: error ?? "", ...asked(checks) };
    results.push({ ...descriptions[index], ...(error === undefined ? told(value, descriptions[index]?.type) : { error }) });
  }
  return { results, remaining: activation.budget, ...asked(checks) };
}

const asked = (checks: readonly AskedCheck[]): Pick<AdmissionAnswer, "checks"> => (checks.length > 0 ? { checks } : {});

/** As typecheck.go answers it. */
export function answerTypecheck({ objectSchema, hasParams, paramsSchema, variables = [], expression }: TypecheckQuestion): TypecheckAnswer {
  const object = objectSchema as Schema; // the schemas of the corpus are Schemas
  const checker = new AdmissionTypeChecker(hasParams === true ? { object, params: (paramsSchema as Schema | undefined) ?? null } : { object });
  for (const { name, expression: text } of variables) checker.declareVariable(name, text);
  const warning = checker.check(expression);
  return warning === undefined ? {} : { warning };
}

function told(value: CelValue, type: string | undefined): AdmissionAnswer["results"][number] {
  const patch = patchOf(value, type);
  return { value: canonicalValue(value), ...(patch === undefined ? {} : { patch }) };
}

function described({ compilation: { program } }: AdmissionExpression): AdmissionAnswer["results"][number] {
  if (program === undefined) return {};
  return { type: celTypes.typeText(program.resultType), estimate: [program.minCost.toString(), program.maxCost.toString()] };
}

/** As patch.go tells it. */
function patchOf(value: CelValue, type: string | undefined): JSONValue | undefined {
  if (type === "Object") return toldPatch(applyConfigurationOf(value));
  return type === "list(JSONPatch)" ? toldPatch(jsonPatchOf(value)) : undefined;
}

function toldPatch({ patch, error }: PatchResult<JSONObject | readonly JSONPatchOperation[]>): JSONValue {
  if (error === undefined) return decodeJSON(encodeJSON(patch));
  return error.startsWith(MISMATCH) ? MISMATCH + error.slice(MISMATCH.length).split("\n").sort().join("\n") : "not JSON";
}

const MISMATCH = "type mismatch: ";

const TYPES: Readonly<Record<string, CelType>> = {
  bool: celTypes.BOOL,
  string: celTypes.STRING,
  null_type: celTypes.NULL,
  Object: celTypes.structType("Object"),
  "list(JSONPatch)": celTypes.listType(celTypes.structType("JSONPatch")),
};

function typeNamed(name: string): CelType {
  const type = TYPES[name];
  if (type === undefined) throw new Error(`no type ${name}`);
  return type;
}

function inputOf(input: RequestInput, authorizer: AuthorizationAnswers | undefined): AdmissionInput {
  const { object = null, oldObject = null, params = null, namespaceObject = null, kind, resource, requestKind, requestResource, operation } = input;
  const { subResource = "", name = "", namespace = "", dryRun: isDryRun = false, options = null } = input;
  const user = { groups: [], extra: {}, ...input.user };
  const request = { kind, resource, requestKind, requestResource, operation, subResource, name, namespace, isDryRun, options, user };
  return { request, object, oldObject, params, namespaceObject, ...(authorizer === undefined ? {} : { authorizer }) };
}

function decisionOn(asked: AskedCheck, answers: readonly CheckAnswer[]): CheckDecision {
  const is = (want: string | undefined, have: string | undefined) => want === undefined || want === have;
  const answer = answers.find(
    ({ user, verb, path, resource }) => is(user, asked.user) && is(verb, asked.verb) && is(path, asked.path) && is(resource, asked.resource),
  );
  if (answer === undefined) return { decision: "NoOpinion", reason: "" };
  const { decision, reason = "", error } = answer;
  return { decision, reason, ...(error === undefined ? {} : { error }) };
}

/** What is empty is not told, as in authorizer.go. */
function askedCheck(check: AuthorizationCheck): AskedCheck {
  const { user, verb } = check;
  const more = { uid: user.uid ?? "", groups: user.groups, ...target(check) };
  const given = Object.entries(more).filter(([, value]) => value !== undefined && value.length !== 0);
  return { user: user.name, verb, isResource: check.type === "resource", ...Object.fromEntries(given) };
}

function target(check: AuthorizationCheck): Readonly<Record<string, string | readonly string[] | undefined>> {
  if (check.type === "path") return { path: check.path };
  const { group, version, resource, subresource, namespace, name, fieldSelector, labelSelector } = check;
  return {
    ...{ group, version, resource, subresource, namespace, name },
    ...{ fieldSelector: requirements(fieldSelector, ({ field, operator, value }) => field + operator + value), fieldError: fieldSelector?.error },
    ...{
      labelSelector: requirements(labelSelector, ({ key, operator, values }) => `${key} ${operator} ${values.join(",")}`),
      labelError: labelSelector?.error,
    },
  };
}

function requirements<Requirement>(
  selector: CheckSelector<Requirement> | undefined,
  format: (requirement: Requirement) => string,
): readonly string[] | undefined {
  return selector?.requirements?.map(format);
}
