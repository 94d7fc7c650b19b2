import type { Revision } from "../storage/index.ts";
import type { ListResult, Selection } from "./verbs.ts";

/** How many lists of one revision are remembered: one for each namespace and filter that somebody asks for. */
const MAX_LISTS = 256;

/**
 * The lists of one resource at its newest revision, for as long as somebody still holds them: a thousand clients that list anew at once share one list,
 * and what was encoded for it. Nothing is kept alive by being here.
 */
export class SharedLists {
  #revision = 0 as Revision;
  #count = 0;
  #lists = new Map<Selection["filter"], Map<string, WeakRef<ListResult>>>();

  /**
   * @param filter compared by identity: a kind that is made of another one brings the same value each time.
   * @param prefix of the keys.
   * @param read makes the list of this revision, if nobody holds it.
   */
  get(filter: Selection["filter"], prefix: string, revision: Revision, read: () => ListResult): ListResult {
    if (revision !== this.#revision || this.#count >= MAX_LISTS) {
      this.#revision = revision;
      this.#count = 0;
      this.#lists = new Map();
    }
    const lists = this.#lists.get(filter) ?? new Map<string, WeakRef<ListResult>>();
    this.#lists.set(filter, lists);
    const known = lists.get(prefix);
    const held = known?.deref();
    if (held !== undefined) return held;
    if (known === undefined) this.#count++;
    const list = read();
    lists.set(prefix, new WeakRef(list));
    return list;
  }
}
