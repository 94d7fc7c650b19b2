// The port's answers about whole schemas with rules, in the form of those that the Go program gives.
import { type FieldError, type JSONObject, RUNTIME_COST_BUDGET, tryRules } from "@annex/apimachinery";
import { CRDError, type ParsedCRD, parseCRD } from "@annex/apiserver";
import type { RulesQuestion } from "./corpus.ts";
import type { Fault, RulesAnswer } from "./recording.ts";

const SCHEMA_PATH = "spec.versions[0].schema.openAPIV3Schema";

/** As rules.go answers it. */
export function answerRules({ schema, self, oldSelf }: RulesQuestion): RulesAnswer {
  let parsed: ParsedCRD;
  try {
    parsed = parseCRD(definitionOf(schema));
  } catch (error) {
    if (!(error instanceof CRDError)) throw error;
    return { definition: sorted(error.faults.map(relative)) };
  }
  const [rules] = parsed.rules;
  if (self === undefined) return {};
  if (rules === undefined) return { remaining: RUNTIME_COST_BUDGET };
  const { faults, warnings, budget } = tryRules(rules, self, oldSelf, true);
  return {
    ...(faults.length > 0 ? { errors: sorted(faults.map(relative)) } : {}),
    ...(warnings.length > 0 ? { warnings: warnings.map(({ field, message }) => `${field}: ${message}`).sort() } : {}),
    remaining: budget,
  };
}

function definitionOf(schema: JSONObject): JSONObject {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "things.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "things", singular: "thing", kind: "Thing", listKind: "ThingList" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
}

/** With paths relative to the schema. */
function relative({ reason, field, message }: FieldError): Fault {
  return { path: field.replace(SCHEMA_PATH, "").replace(/^\./, ""), reason, message: message.replaceAll(`${SCHEMA_PATH}.`, "") };
}

/** Go has no order of its own for the members of an object, and the program sorts them so. */
function sorted(faults: readonly Fault[]): readonly Fault[] {
  const keyOf = ({ path, reason, message }: Fault) => Buffer.from(`{${path} ${reason} ${message}}`);
  return faults.slice().sort((a, b) => Buffer.compare(keyOf(a), keyOf(b)));
}
