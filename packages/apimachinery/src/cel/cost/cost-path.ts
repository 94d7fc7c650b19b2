/**
 * The way from a variable through fields, `@items`, `@keys`, `@indices` and `@values`.
 *
 * cel-go keeps it as a Go slice, which it extends from several places: where there is room behind it, one extension writes over another, and a path
 * that was kept then leads elsewhere. Which rules a CustomResourceDefinition may have depends on it, so it is so here.
 *
 * Source: cel-go checker/cost.go, `append` in addPath and in pushIter….
 */
export class CostPath {
  static readonly EMPTY = new CostPath([], 0, 0);

  static of(variable: string): CostPath {
    return new CostPath([variable], 1, 1);
  }

  /** Shared with the paths that were extended in place. */
  readonly #steps: string[];
  readonly #length: number;
  readonly #capacity: number;

  private constructor(steps: string[], length: number, capacity: number) {
    this.#steps = steps;
    this.#length = length;
    this.#capacity = capacity;
  }

  get first(): string | undefined {
    return this.#length === 0 ? undefined : this.#steps[0];
  }

  /** The steps as they are now. */
  steps(): readonly string[] {
    return this.#steps.slice(0, this.#length);
  }

  append(step: string): CostPath {
    const hasRoom = this.#length < this.#capacity;
    const steps = hasRoom ? this.#steps : this.#steps.slice(0, this.#length);
    steps[this.#length] = step;
    return new CostPath(steps, this.#length + 1, hasRoom ? this.#capacity : Math.max(1, 2 * this.#capacity));
  }
}
