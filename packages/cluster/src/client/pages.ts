import type { JSONValue, KubernetesObject } from "@annex/apimachinery";
import type { ClusterClient, ClusterRequest } from "./cluster-client.ts";
import { AnswerTooLargeError } from "./unavailable.ts";

/** A part of a collection, as it was at one revision. */
export interface CollectionPage {
  readonly items: readonly KubernetesObject[];
  readonly resourceVersion: string;
  /** The token of the next page; empty on the last one. */
  readonly continue: string;
}

/** How many objects are asked for at a time. Source: client-go tools/pager, defaultPageSize. */
const PAGE = 500;

/** Reads a collection page by page. Pages whose objects are so large that the client takes no answer of so many are made smaller, from then on. */
export class CollectionPages {
  readonly #client: ClusterClient;
  readonly #path: string;
  readonly #query: ClusterRequest["query"];
  #size = PAGE;

  /** @param query selectors. */
  constructor(client: ClusterClient, path: string, query: ClusterRequest["query"]) {
    this.#client = client;
    this.#path = path;
    this.#query = query;
  }

  /**
   * One page.
   *
   * @param token of the page before; empty for the first one.
   * @param limit how many are wanted at most; 0 for as many as there are. Fewer may come, though there are more.
   * @param state `resourceVersion` and `resourceVersionMatch` of the first page.
   * @throws as {@link ClusterClient.request}.
   */
  async read(token: string, limit: number, signal: AbortSignal, state: ClusterRequest["query"] = {}): Promise<CollectionPage> {
    for (;;) {
      const size = limit === 0 ? this.#size : Math.min(limit, this.#size);
      const place = token === "" ? state : { continue: token };
      try {
        return asPage(
          await this.#client.request({ method: "GET", path: this.#path, query: { ...this.#query, limit: String(size), ...place } }, signal),
        );
      } catch (error) {
        if (!(error instanceof AnswerTooLargeError) || size === 1) throw error;
        this.#size = Math.ceil(size / 8);
      }
    }
  }
}

/** All objects of a collection at one revision, the newest, page by page. @throws as {@link ClusterClient.request}. */
export async function listCollection(
  client: ClusterClient,
  path: string,
  query: ClusterRequest["query"],
  signal: AbortSignal,
): Promise<{ readonly items: readonly KubernetesObject[]; readonly resourceVersion: string }> {
  const pages = new CollectionPages(client, path, query);
  const items: KubernetesObject[] = [];
  for (let token = ""; ; ) {
    const page = await pages.read(token, 0, signal);
    for (const item of page.items) items.push(item);
    token = page.continue;
    if (token === "") return { items, resourceVersion: page.resourceVersion };
  }
}

/** A list of the server's own. Its items have no type. */
function asPage(value: JSONValue): CollectionPage {
  const { items, metadata } = value as unknown as {
    readonly items?: readonly KubernetesObject[] | null;
    readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  };
  return { items: items ?? [], resourceVersion: metadata.resourceVersion ?? "", continue: metadata.continue ?? "" };
}
