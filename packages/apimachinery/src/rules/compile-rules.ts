import { compileRules, type DeclType, declTypeOf, escapeFieldName, type RuleCompilation, type ValueAdapter, valueAdapter } from "../cel/index.ts";
import type { FieldError } from "../meta/index.ts";
import { compileNode, type Node } from "../schema/compile.ts";
import { findFieldPath } from "../schema/field-path.ts";
import type { Schema, ValidationRule } from "../schema/schema.ts";
import { CostAccount } from "./cost-account.ts";
import { explainRules, multiplied } from "./explain-rules.ts";

/** A rule that can be tried. */
export interface Rule {
  readonly rule: ValidationRule;
  readonly compiled: RuleCompilation & { readonly program: NonNullable<RuleCompilation["program"]> };
  /** Where its fault is told, below the value; empty for the value itself. */
  readonly fieldPath: string;
}

/** A schema that has rules, in it or below. */
export interface RuleNode {
  readonly type: string;
  readonly rules: readonly Rule[];
  readonly usesOldSelf: boolean;
  readonly adapt: ValueAdapter;
  readonly properties: ReadonlyMap<string, RuleNode>;
  readonly additional: RuleNode | undefined;
  readonly items: RuleNode | undefined;
  /** Of a list of type map, what tells elements apart; else empty. */
  readonly listMapKeys: readonly string[];
}

/** The rules of a schema, ready to be tried. */
export interface CompiledRules {
  readonly root: RuleNode;
  /** The schema, for telling what of an object is unchanged. */
  readonly node: Node;
}

interface Compilation {
  /** Of rules that cannot be used; without any the rules can be. */
  readonly faults: readonly FieldError[];
  /** Undefined where the schema has no rules, or other faults. */
  readonly rules: CompiledRules | undefined;
}

/**
 * Compiles the rules of a schema, and says what is wrong with them: which ones are no expressions of type bool, which could cost too much, alone or together, which
 * are about a change where nothing tells what stood there before.
 *
 * @param schema of whole objects; one that has structure by `checkStructural`, and that `checkDefaults` has nothing against.
 * @param path of the schema, which begins that of each fault.
 * @param faulty the paths of schemas with other faults: their rules, and those of the schemas around them, are not compiled. Default: none.
 * Source: apiextensions-apiserver pkg/apis/apiextensions/validation, ValidateCustomResourceDefinitionOpenAPISchema; pkg/apiserver/schema/cel, NewValidator.
 */
export function compileSchemaRules(schema: Schema, path: string, faulty: ReadonlySet<string> = new Set()): Compilation {
  if (!hasRules(schema)) return { faults: [], rules: undefined };
  const account = new CostAccount();
  const faults: FieldError[] = [];
  const isAtFault = (at: string) => [...faulty].some((one) => one === at || one.startsWith(`${at}.`));
  const place: Place = { path, isResourceRoot: true, cardinality: 1n, types: undefined, isWithinRules: false, uncorrelatable: undefined, isAtFault };
  const root = compileTree(schema, place, account, faults);
  faults.push(...account.faults(path));
  return { faults, rules: faulty.size > 0 ? undefined : root && { root, node: compileNode(schema) } };
}

/** Whether a schema has rules, in it or below. */
export function hasRules({ properties = {}, additionalProperties, items, ...schema }: Schema): boolean {
  if ((schema["x-kubernetes-validations"] ?? []).length > 0 || (items !== undefined && hasRules(items))) return true;
  if (typeof additionalProperties === "object" && hasRules(additionalProperties)) return true;
  return Object.values(properties).some(hasRules);
}

/** Where a schema stands within that of the object. */
interface Place {
  readonly path: string;
  readonly isResourceRoot: boolean;
  /** How many values of the schema one object may hold, as far as bounds around it say so. */
  readonly cardinality: bigint | undefined;
  /** As the schema around it has them; undefined where it cannot name this one. */
  readonly types: Types | undefined;
  /** Whether a schema around it has rules. */
  readonly isWithinRules: boolean;
  /** The outermost list or map around it whose parts have no former value. */
  readonly uncorrelatable: string | undefined;
  /** Whether the schema at a path has other faults, in it or below. */
  readonly isAtFault: (path: string) => boolean;
}

/** What expressions know of a schema, or why they can know nothing. */
type Types = { readonly declType: DeclType } | { readonly fault: string };

const UNTYPED: Types = {
  fault:
    "internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations",
};
const UNTYPED_ELEMENT: Types = { fault: "failed to convert to declType for CEL validation rules" };

const typesOr = (declType: DeclType | undefined, otherwise: Types): Types => (declType === undefined ? otherwise : { declType });

/** @returns undefined where neither the schema nor one below it has rules. */
function compileTree(schema: Schema, place: Place, account: CostAccount, faults: FieldError[]): RuleNode | undefined {
  if (!hasRules(schema)) return undefined;
  const { properties = {}, additionalProperties, items, type = "" } = schema;
  const types = place.types ?? typesOr(declTypeOf(schema, place), UNTYPED);
  const declType = "declType" in types ? types.declType : undefined;
  const isWithinRules = place.isWithinRules || (schema["x-kubernetes-validations"] ?? []).length > 0;
  // What cannot be typed within rules keeps what is in it from being typed; elsewhere each schema is looked at by itself.
  const typesBelow = (own: DeclType | undefined, otherwise?: Types): Types | undefined =>
    own !== undefined ? { declType: own } : isWithinRules ? (declType === undefined ? types : otherwise) : undefined;
  const around = cardinalityWithin(schema, place.cardinality);
  const inner = (one: Schema, at: string, below: Types | undefined, uncorrelatable = place.uncorrelatable) => {
    const isResourceRoot = one["x-kubernetes-embedded-resource"] === true;
    const path = `${place.path}.${at}`;
    const { isAtFault } = place;
    return compileTree(one, { path, isResourceRoot, cardinality: around, types: below, isWithinRules, uncorrelatable, isAtFault }, account, faults);
  };
  const listType = schema["x-kubernetes-list-type"];
  const ofElements = typesBelow(declType?.elemType, UNTYPED_ELEMENT);
  // A list has no values but its elements: what else it says of some is looked at by itself, and never met.
  const ofValues = type === "array" && !isWithinRules ? undefined : ofElements;
  const additional = typeof additionalProperties === "object" ? inner(additionalProperties, "additionalProperties", ofValues) : undefined;
  const children = new Map<string, RuleNode>();
  for (const [name, property] of Object.entries(properties)) {
    const escaped = escapeFieldName(name);
    const child = inner(property, `properties[${name}]`, typesBelow(escaped === undefined ? undefined : declType?.fields?.get(escaped)));
    if (child !== undefined) children.set(name, child);
  }
  const lost = place.uncorrelatable ?? (listType === "map" ? undefined : place.path);
  const elements = items && inner(items, "items", ofElements, lost);
  const rules = compileOwn(schema, types, place, account, faults);
  return {
    type,
    rules,
    usesOldSelf: rules.some(({ compiled }) => compiled.usesOldSelf),
    adapt: valueAdapter(schema, place),
    properties: children,
    additional,
    items: elements,
    listMapKeys: listType === "map" ? (schema["x-kubernetes-list-map-keys"] ?? []) : [],
  };
}

function compileOwn(schema: Schema, types: Types, place: Place, account: CostAccount, faults: FieldError[]): readonly Rule[] {
  const written = schema["x-kubernetes-validations"] ?? [];
  if (written.length === 0 || place.isAtFault(place.path)) return [];
  const path = `${place.path}.x-kubernetes-validations`;
  if ("fault" in types) {
    faults.push({ reason: "InternalError", field: path, message: `Internal error: ${types.fault}` });
    return [];
  }
  const { declType } = types;
  const compilations = compileRules(written, declType);
  const { cardinality, uncorrelatable } = place;
  const { minSerializedSize } = declType;
  faults.push(...explainRules({ written, compilations, path, cardinality, minSerializedSize, uncorrelatable }, account));
  return written.flatMap((rule, index): Rule[] => {
    const { program, ...rest } = compilations[index] ?? { usesOldSelf: false, maxCost: 0n, maxMessageCost: 0n };
    if (program === undefined) return [];
    const found = rule.fieldPath === undefined || rule.fieldPath === "" ? undefined : findFieldPath(rule.fieldPath, schema);
    return [{ rule, compiled: { ...rest, program }, fieldPath: found === undefined || found.fault !== undefined ? "" : found.path }];
  });
}

/** How many values there may be within those of a schema. Source: apiextensions validation, extractMaxElements. */
function cardinalityWithin({ type, additionalProperties, maxProperties, maxItems }: Schema, outer: bigint | undefined): bigint | undefined {
  if (outer === undefined) return undefined;
  const bound = type === "array" ? maxItems : type === "object" && additionalProperties !== undefined ? maxProperties : 1;
  return bound === undefined ? undefined : multiplied(outer, BigInt(Math.max(0, bound)));
}
