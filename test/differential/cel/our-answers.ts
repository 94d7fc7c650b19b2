// The port's answers, in the form of those that the Go program gives.
import {
  type CelEnvironment,
  type CelValue,
  celTypes,
  compileExpression,
  declTypeOf,
  encodeJSONText,
  type JSONValue,
  jsonValue,
  KUBERNETES_ENVIRONMENT,
  namedType,
  OPTIONAL_NONE,
  optionalOf,
  type Schema,
  type SizeEstimator,
  sizeEstimator,
  valueAdapter,
} from "@annex/apimachinery";
import { canonicalValue } from "./canonical-value.ts";
import type { ExpressionQuestion } from "./corpus.ts";
import type { ExpressionAnswer } from "./recording.ts";

/** What an expression may speak of, and how the values come into it. */
interface Scope {
  readonly environment: CelEnvironment;
  readonly sizes: SizeEstimator | undefined;
  readonly adapt: (value: JSONValue) => CelValue;
}

/** By what of a question decides it. */
const scopes = new Map<string, Scope>();

/** As expression.go answers it. */
export function answerExpression(question: ExpressionQuestion): ExpressionAnswer {
  const { environment, sizes, adapt } = scopeOf(question);
  const { expression, costLimit, self, oldSelf, optionalOldSelf = false } = question;
  const { program, fault } = compileExpression(environment, expression, {
    ...(sizes === undefined ? {} : { sizes }),
    ...(costLimit === undefined ? {} : { costLimit }),
  });
  if (program === undefined) return { compile: fault.replace(/^compilation failed: /, "") };
  const old = oldSelf === undefined ? undefined : adapt(oldSelf);
  const bindings: Record<string, CelValue> = {
    ...(self === undefined ? {} : { self: adapt(self) }),
    ...(old === undefined ? {} : { oldSelf: optionalOldSelf ? optionalOf(old) : old }),
    ...(old === undefined && optionalOldSelf ? { oldSelf: OPTIONAL_NONE } : {}),
  };
  const { cost, error, value } = program.evaluate(bindings);
  return {
    type: celTypes.typeText(program.resultType),
    estimate: [program.minCost.toString(), program.maxCost.toString()],
    ...(error === undefined ? { value: canonicalValue(value) } : { error }),
    cost,
  };
}

function scopeOf(question: ExpressionQuestion): Scope {
  const { schema, root = false, optionalOldSelf = false } = question;
  const key = encodeJSONText({ schema, root, optionalOldSelf });
  let scope = scopes.get(key);
  if (scope === undefined) {
    scope = schema === undefined ? untypedScope(optionalOldSelf) : typedScope(schema as Schema, root, optionalOldSelf); // the schemas of the corpus are Schemas
    scopes.set(key, scope);
  }
  return scope;
}

function untypedScope(isOptional: boolean): Scope {
  const variables = { self: celTypes.DYN, oldSelf: isOptional ? celTypes.optionalType(celTypes.DYN) : celTypes.DYN };
  return { environment: KUBERNETES_ENVIRONMENT.extend({ variables }), sizes: undefined, adapt: jsonValue };
}

function typedScope(schema: Schema, isResourceRoot: boolean, isOptional: boolean): Scope {
  const declType = declTypeOf(schema, { isResourceRoot });
  if (declType === undefined) throw new Error("a schema that expressions cannot see");
  const { type, structs } = namedType(declType, "selfType");
  const variables = { self: type, oldSelf: isOptional ? celTypes.optionalType(type) : type };
  return {
    environment: KUBERNETES_ENVIRONMENT.extend({ structs, variables }),
    sizes: sizeEstimator(declType),
    adapt: valueAdapter(schema, { isResourceRoot }),
  };
}
