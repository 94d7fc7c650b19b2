import { CelList } from "../value/list.ts";
import { CelMap } from "../value/map.ts";
import { CelOpaque } from "../value/opaque.ts";
import { utf8Length } from "../value/text.ts";
import { type CelType, INT } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";
import { work } from "../value/work.ts";
import { actualSize, matching, traversal } from "./actual.ts";
import { CostPath } from "./cost-path.ts";
import type { CallEstimate, CostModel, CostNode, EstimatedCall, FunctionCost } from "./model.ts";
import { match, traverse } from "./overload-estimate.ts";
import { add, fixed, MAX_UINT64, multiply, ONE, type Range, saturated, scale, ZERO } from "./range.ts";
import { LIST_COST, REGEX_FACTOR, STRUCT_COST, TRAVERSAL_FACTOR } from "./unit.ts";

/** What every call costs that only looks at a field: 1. */
const nominal: FunctionCost = { estimate: () => ({ cost: ONE }) };

/** Of going through the first argument, or through the target. @param keepsSize whether the result is as long as the text. */
const traversing = (keepsSize: boolean, times = 1): FunctionCost => ({
  actual: ([text]) => traversal(actualSize(text), times),
  estimate: ({ target, args: [argument], sizeOf }) => {
    const node = target ?? argument;
    if (node === undefined) return undefined;
    const size = sizeOf(node);
    return { cost: traverse(size, times), resultSize: keepsSize ? size : undefined };
  },
});

/** Of going through a list, or a text. */
const traversingAll: FunctionCost = {
  actual: ([value]) => (value === undefined ? 0 : traversalCost(value)),
  estimate: ({ target, sizeOf }) => {
    if (target === undefined) return undefined;
    const element = elementNode(target);
    if (element === undefined) return { cost: traverse(sizeOf(target)) };
    const isText = element.type.kind === "string" || element.type.kind === "bytes";
    return { cost: multiply(sizeOf(target), isText ? add(ONE, traverse(sizeOf(element))) : ONE) };
  },
};

/** Of going through a value with all that is in it. Texts count by their bytes. Source: traversalCost. */
function traversalCost(value: CelValue): number {
  work(1);
  if (typeof value === "string") return Math.trunc(utf8Length(value) * TRAVERSAL_FACTOR);
  if (value instanceof Uint8Array) return Math.trunc(value.length * TRAVERSAL_FACTOR);
  let cost = 0;
  if (value instanceof CelList) {
    for (let index = 0; index < value.size; index++) cost += traversalCost(value.at(index));
    return cost;
  }
  if (!(value instanceof CelMap)) return 1;
  for (const key of value.keys()) cost += traversalCost(key) + traversalCost(value.get(key));
  return cost;
}

/** The elements of a list as a node; undefined of a text. */
function elementNode({ type, path }: CostNode): CostNode | undefined {
  const [element] = type.parameters;
  if (element === undefined) return undefined;
  // Kubernetes copies the path before it adds to it.
  const steps = path.steps();
  const itemPath =
    steps.length === 0
      ? CostPath.EMPTY
      : steps
          .slice(1)
          .reduce((whole, step) => whole.append(step), CostPath.of(steps[0] ?? ""))
          .append("@items");
  return { type: element, path: itemPath, expression: undefined, size: undefined };
}

const finding: FunctionCost = {
  actual: ([text, pattern]) => (pattern === undefined ? undefined : matching(actualSize(text), actualSize(pattern))),
  estimate: ({ target, args: [pattern], sizeOf }) => {
    if (target === undefined || pattern === undefined) return undefined;
    const size = sizeOf(target);
    return { cost: match(size, sizeOf(pattern)), resultSize: { min: 0n, max: size.max } };
  },
};

const splitting: FunctionCost = {
  actual: ([text]) => traversal(actualSize(text), 2),
  estimate: ({ target, args: [, limit], sizeOf }) => {
    if (target === undefined) return undefined;
    const size = sizeOf(target);
    const literal = limit?.expression?.kind === "literal" ? limit.expression.value : undefined;
    const max = typeof literal === "number" || typeof literal === "bigint" ? BigInt.asUintN(64, BigInt(literal)) : size.max;
    return { cost: traverse(size, 2), resultSize: { min: 0n, max } };
  },
};

const joining: FunctionCost = {
  actualOfResult: (result) => traversal(actualSize(result), 2),
  estimate: ({ target, args: [separator], sizeOf }) => {
    if (target === undefined) return undefined;
    const size = sizeOf(target);
    const element = elementNode(target);
    let resultSize = element === undefined ? ZERO : multiply(size, sizeOf(element));
    if (separator !== undefined) {
      const separators = { min: size.min > 0n ? size.min - 1n : 0n, max: size.max > 0n ? size.max - 1n : 0n };
      resultSize = add(resultSize, multiply(sizeOf(separator), separators));
    }
    return { cost: traverse(resultSize), resultSize };
  },
};

const replacing: FunctionCost = {
  actual: ([text]) => traversal(actualSize(text), 2),
  estimate: ({ target, args: [part, by], sizeOf }) => {
    if (target === undefined || part === undefined || by === undefined) return undefined;
    const size = sizeOf(target);
    return { cost: traverse(size, 2), resultSize: replacedSize(size, sizeOf(part), sizeOf(by)) };
  },
};

/** How long a text may be in which parts are replaced. An empty part is found around every character. */
function replacedSize(text: Range, part: Range, by: Range): Range {
  let most = 0n;
  let keptMost = 0n;
  if (part.min === 0n) {
    most = saturated(text.max + 1n);
    keptMost = text.max;
  } else if (by.max <= part.min) keptMost = text.max;
  else most = quotient(text.max, part.min);
  let fewest = 0n;
  let keptFewest = 0n;
  if (part.max === 0n) {
    fewest = saturated(text.min + 1n);
    keptFewest = text.min;
  } else if (part.max <= by.min) keptFewest = text.min;
  else fewest = quotient(text.min, part.max);
  return add(multiply({ min: fewest, max: most }, by), { min: keptFewest, max: keptMost });
}

/** As doubles, rounded up. */
function quotient(dividend: bigint, divisor: bigint): bigint {
  const result = Math.ceil(Number(dividend) / Number(divisor));
  // Go's conversion of 2^64 to uint64 yields 2^63 on amd64.
  return result >= 2 ** 64 ? 2n ** 63n : BigInt(result);
}

/** An address has 4 or 16 bytes. */
const ADDRESS: Range = { min: 4n, max: 16n };

const isText = (id: string): boolean => id.endsWith("_string");

const containingIP: FunctionCost = {
  actual: ([cidr, other], id) => {
    if (other === undefined) return undefined;
    return traversal(actualSize(cidr), 2) + (isText(id) ? traversal(actualSize(other)) : 0);
  },
  estimate: ({ overloadId, args: [other], sizeOf }) => {
    if (other === undefined) return undefined;
    const cost = traverse(add(ADDRESS, ADDRESS));
    return { cost: isText(overloadId) ? add(cost, traverse(sizeOf(other))) : cost };
  },
};

const containingCIDR: FunctionCost = {
  actual: ([cidr, other], id) => {
    if (other === undefined) return undefined;
    const size = actualSize(cidr);
    return traversal(size, 2) + traversal(size) + 1 + (isText(id) ? traversal(actualSize(other)) : 0);
  },
  estimate: ({ overloadId, args: [other], sizeOf }) => {
    if (other === undefined) return undefined;
    const cost = add(add(traverse(add(ADDRESS, ADDRESS)), traverse(ADDRESS)), ONE);
    return { cost: isText(overloadId) ? add(cost, traverse(sizeOf(other))) : cost };
  },
};

/** `ip` is a conversion of texts, and a method of networks. */
const addressOf: FunctionCost = {
  actual: ([text], id) => (id === "cidr_ip" ? 1 : traversal(actualSize(text))),
  estimate: (call) => (call.overloadId === "cidr_ip" ? { cost: ONE } : traversing(false).estimate({ ...call, target: undefined })),
};

/** Source: cel.MaxFormatSize, cel.MaxNameFormatRegexSize. */
const MAX_FORMAT_SIZE = 64n;
const MAX_FORMAT_REGEX_SIZE = 128;

/** A value that says how long the pattern is that it matches texts against. */
export abstract class PatternedValue extends CelOpaque {
  abstract readonly maxRegexSize: number;
}

const validating: FunctionCost = {
  actual: ([format, text]) => (format instanceof PatternedValue ? matching(actualSize(text), format.maxRegexSize) : undefined),
  estimate: ({ args: [text], sizeOf }) =>
    text === undefined ? undefined : { cost: scale(traverse(sizeOf(text)), MAX_FORMAT_REGEX_SIZE * REGEX_FACTOR) },
};

/** An authorization check costs as much as a third of what one expression may. Source: cost.go CallCost. */
const CHECK_COST = 350_000;

const checking: FunctionCost = { actual: () => CHECK_COST, estimate: () => ({ cost: fixed(BigInt(CHECK_COST)) }) };

/** The shortest requirement of a selector is `k,`. */
const REQUIREMENTS_PER_CHARACTER = 0.5;

/** Of reading a selector into its requirements, each of which is a struct and a list. */
const selecting: FunctionCost = {
  actual: ([, selector]) =>
    LIST_COST + traversal(actualSize(selector)) + Math.ceil(actualSize(selector) * REQUIREMENTS_PER_CHARACTER) * (LIST_COST + STRUCT_COST),
  estimate: ({ args: [selector], sizeOf }) => {
    if (selector === undefined) return undefined;
    const size = sizeOf(selector);
    const requirements = scale(scale(size, REQUIREMENTS_PER_CHARACTER), LIST_COST + STRUCT_COST);
    return { cost: add(add(fixed(BigInt(LIST_COST)), traverse(size)), requirements) };
  },
};

const equality: FunctionCost = {
  actual: ([left]) => (left instanceof CelOpaque && KUBERNETES_TYPES.has(left.type.name) ? 1 : undefined),
  estimate: ({ args: [left, right] }) => {
    if (left === undefined || right === undefined || left.type.name !== right.type.name) return undefined;
    const cost = equalityCost(left.type, right.size);
    return cost === undefined ? undefined : { cost };
  },
};

const KUBERNETES_TYPES: ReadonlySet<string> = new Set([
  "net.IP",
  "net.CIDR",
  "kubernetes.Quantity",
  "kubernetes.NamedFormat",
  "kubernetes.URL",
  "kubernetes.Semver",
  "kubernetes.authorization.Authorizer",
  "kubernetes.authorization.PathCheck",
  "kubernetes.authorization.GroupCheck",
  "kubernetes.authorization.ResourceCheck",
  "kubernetes.authorization.Decision",
]);

function equalityCost({ name }: CelType, size: Range | undefined): Range | undefined {
  if (!KUBERNETES_TYPES.has(name)) return undefined;
  if (name === "kubernetes.NamedFormat") return traverse({ min: 1n, max: MAX_FORMAT_SIZE });
  return name === "kubernetes.URL" ? traverse({ min: 1n, max: size?.max ?? 1n }) : ONE;
}

const each = (names: string, cost: FunctionCost): [string, FunctionCost][] => names.split(" ").map((name) => [name, cost]);

/** What Kubernetes' functions cost, by name. Source: k8s.io/apiserver/pkg/cel/library/cost.go. */
const KUBERNETES: readonly [string, FunctionCost][] = [
  ["check", checking],
  ...each("serviceAccount path group resource subresource namespace name allowed reason error errored", nominal),
  ...each("fieldSelector labelSelector", selecting),
  ...each("isSorted sum max min indexOf lastIndexOf", traversingAll),
  ...each("jsonpatch.escapeKey url lowerAscii upperAscii substring trim", traversing(true)),
  ...each("cidr isIP isCIDR quantity isQuantity semver isSemver", traversing(false)),
  ["ip.isCanonical", traversing(false, 2)],
  ["ip", addressOf],
  ...each("find findAll", finding),
  ["replace", replacing],
  ["split", splitting],
  ["join", joining],
  ["containsIP", containingIP],
  ["containsCIDR", containingCIDR],
  ["validate", validating],
  ["_==_", equality],
  ...each("masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named", nominal),
  ...each("sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch", nominal),
  ...each("getScheme getHostname getHost getPort getEscapedPath getQuery", nominal),
];

/** Of a call that makes a list. */
const allocating = (size: Range, factor: number): CallEstimate => ({ cost: add(scale(size, factor), fixed(11n)), resultSize: size });
const allocated = (size: number, factor: number): number => Math.trunc(size * factor) + 1 + LIST_COST;

/** An extension's costs are by overload: a call that may come to several of them has the ordinary one. */
const ofOverload = (cost: FunctionCost): FunctionCost => ({ ...cost, isOfOverload: true });

/** A count that is written down; another value when it is computed. */
function literalCount(node: CostNode | undefined, otherwise: bigint): bigint {
  if (node?.expression?.kind !== "literal" || node.type !== INT) return otherwise;
  const { value } = node.expression;
  if (typeof value !== "number" && typeof value !== "bigint") return otherwise;
  return value < 0 ? 0n : BigInt(value);
}

const slicing: FunctionCost = {
  actualOfResult: (result) => allocated(actualSize(result), 1),
  estimate: ({ target, args: [start, end], sizeOf }) => {
    if (target === undefined || start === undefined || end === undefined) return undefined;
    const size = BigInt.asUintN(64, literalCount(end, sizeOf(target).max) - literalCount(start, 0n));
    return allocating(fixed(size), 1);
  },
};

const flattening: FunctionCost = {
  actual: ([list, depth]) => allocated(actualSize(list), typeof depth === "number" ? depth : 1),
  estimate: ({ target, args: [depth], sizeOf }) => {
    if (target === undefined) return undefined;
    return allocating(sizeOf(target), depth === undefined ? 1 : Number(literalCount(depth, MAX_UINT64)));
  },
};

const ranging: FunctionCost = {
  actualOfResult: (result) => allocated(actualSize(result), 1),
  estimate: ({ args: [count] }) => allocating(fixed(literalCount(count, MAX_UINT64)), 1),
};

const reversing: FunctionCost = {
  actualOfResult: (result) => allocated(actualSize(result), 1),
  estimate: ({ target, sizeOf }) => (target === undefined ? undefined : allocating(sizeOf(target), 1)),
};

/** Of comparing the elements of a list with each other. */
function selfComparison(list: CelValue | undefined): number {
  const size = actualSize(list);
  const first = list instanceof CelList && list.size > 0 ? list.at(0) : undefined;
  const isTextual = typeof first === "string" || first instanceof Uint8Array;
  return allocated(size * size, isTextual ? 2 + TRAVERSAL_FACTOR : 2);
}

const selfComparing = (node: CostNode | undefined, overloadId: string, sizeOf: EstimatedCall["sizeOf"]): CallEstimate | undefined => {
  if (node === undefined) return undefined;
  const size = sizeOf(node);
  const isTextual = overloadId.startsWith("list_string_") || overloadId.startsWith("list_bytes_");
  return allocating(multiply(size, size), isTextual ? 2 + TRAVERSAL_FACTOR : 2);
};

const comparingSets = (factor: number): FunctionCost =>
  ofOverload({
    actual: ([left, right]) => 1 + Math.trunc(actualSize(left) * actualSize(right) * factor),
    estimate: ({ args: [left, right], sizeOf }) =>
      left === undefined || right === undefined ? undefined : { cost: add(scale(multiply(sizeOf(left), sizeOf(right)), factor), ONE) },
  });

/** What the functions of cel-go's extensions cost. Source: cel-go ext/lists.go, ext/sets.go. */
const EXTENSIONS: readonly [string, FunctionCost][] = [
  ["slice", ofOverload(slicing)],
  ["flatten", ofOverload(flattening)],
  ["lists.range", ofOverload(ranging)],
  ["reverse", ofOverload(reversing)],
  [
    "distinct",
    ofOverload({ actual: ([list]) => selfComparison(list), estimate: ({ target, overloadId, sizeOf }) => selfComparing(target, overloadId, sizeOf) }),
  ],
  [
    "sort",
    ofOverload({ actual: ([list]) => selfComparison(list), estimate: ({ target, overloadId, sizeOf }) => selfComparing(target, overloadId, sizeOf) }),
  ],
  [
    "@sortByAssociatedKeys",
    ofOverload({
      actual: ([, keys]) => selfComparison(keys),
      estimate: ({ args: [keys], overloadId, sizeOf }) => selfComparing(keys, overloadId, sizeOf),
    }),
  ],
  ["sets.contains", comparingSets(1)],
  ["sets.intersects", comparingSets(1)],
  ["sets.equivalent", comparingSets(2)],
];

export const KUBERNETES_COSTS: CostModel = new Map([...KUBERNETES, ...EXTENSIONS]);
