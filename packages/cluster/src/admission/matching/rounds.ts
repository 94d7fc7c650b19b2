import { jsonEquals, type KubernetesObject } from "@annex/apimachinery";
import { asJSON } from "./patched-object.ts";

/** What the first round of mutation leaves for the second, of a plugin. Source: k8s.io/apiserver webhook/mutating/reinvocationcontext.go. */
export class MutationRounds {
  /** What came out of the round before. */
  output: KubernetesObject | undefined;
  /** Those that were asked, and want to be asked again when somebody changes the object after them. */
  readonly #asked = new Set<string>();
  /** Those of them after whom somebody did. */
  readonly #again = new Set<string>();

  /** Begins the second round: everybody is asked again if others changed the object since. */
  begin(object: KubernetesObject): void {
    if (!jsonEquals(asJSON(this.output), asJSON(object))) this.changed();
  }

  /** One was asked that wants to be asked again. */
  asked(key: string): void {
    this.#asked.add(key);
  }

  /** Somebody changed the object. */
  changed(): void {
    for (const key of this.#asked) this.#again.add(key);
    this.#asked.clear();
  }

  isAskedAgain(key: string): boolean {
    return this.#again.has(key);
  }
}
