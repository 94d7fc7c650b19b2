import { STATIC_ESTIMATED_CRD_COST_LIMIT } from "../cel/index.ts";
import { type FieldError, fieldError } from "../meta/index.ts";

/** How many of the dearest rules are named. */
const MAX_NAMED = 4;
const MAX_TOTAL = 2n ** 64n - 1n;

/** Adds up what the rules of a schema may cost. Source: apiextensions validation, TotalCost. */
export class CostAccount {
  #total = 0n;
  #dearest: { readonly path: string; readonly cost: bigint }[] = [];

  observe(path: string, cost: bigint): void {
    const total = this.#total + cost;
    this.#total = total > MAX_TOTAL ? MAX_TOTAL : total;
    if (cost < STATIC_ESTIMATED_CRD_COST_LIMIT / 100n) return;
    this.#dearest.push({ path, cost });
    this.#dearest.sort((one, other) => (one.cost > other.cost ? -1 : one.cost < other.cost ? 1 : 0));
    this.#dearest = this.#dearest.slice(0, MAX_NAMED);
  }

  /** @param path of the whole schema. */
  faults(path: string): FieldError[] {
    if (this.#total <= STATIC_ESTIMATED_CRD_COST_LIMIT) return [];
    const why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
    const sentence = tooDear(
      "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema",
      this.#total,
      STATIC_ESTIMATED_CRD_COST_LIMIT,
    );
    return [...this.#dearest.map((one) => fieldError.forbidden(one.path, why)), fieldError.forbidden(path, sentence)];
  }
}

/** Says by how much a cost exceeds its limit, and what helps. Source: apiextensions validation, getCostErrorMessage. */
export function tooDear(what: string, cost: bigint, limit: bigint): string {
  const factor = Number(cost) / Number(limit);
  const text = factor > 100 ? "more than 100x" : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  const hint = "try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared";
  return `${what} exceeds budget by factor of ${text} (${hint})`;
}
