import { decodeContinue, encodeContinue, type ListOptions, type ListResult, type ObjectView, requireRevision } from "@annex/apiserver";
import type { SecretSelection } from "@annex/storage-secrets";
import { listStateOf, type SecretRequests } from "./secret-requests.ts";
import { secretView } from "./secret-resource.ts";

type List = Omit<ListResult, "remainingItemCount">;

/**
 * Lists Secrets as the kube-apiserver has them now: a quorum read, or one of the revision that is asked for.
 *
 * What the kube-apiserver can select, it selects, and pages are its own, with its tokens. What it cannot (a filter) is left out here: then pages are filled up from its next ones, and the tokens
 * are of our own making. For its tokens name the last Secret that it looked at, which the client perhaps is not to know of.
 */
export function listSecrets(requests: SecretRequests, options: SecretSelection<ListOptions>, signal: AbortSignal): Promise<List> {
  const { filter, secretType } = options;
  const isSelectedThere = filter === undefined || (filter.isCounted && secretType !== undefined);
  return isSelectedThere ? listSelected(requests, options, signal) : listFiltered(requests, options, signal);
}

async function listSelected(requests: SecretRequests, options: SecretSelection<ListOptions>, signal: AbortSignal): Promise<List> {
  const { limit, filter } = options;
  const pages = requests.pages(options);
  const items: ObjectView[] = [];
  for (let token = options.continue; ; ) {
    const page = await pages.read(token, limit === 0 ? 0 : limit - items.length, signal, listStateOf(options.consistency));
    for (const view of page.items.map(secretView)) if (filter === undefined || filter.matches(view)) items.push(view);
    token = page.continue;
    if (token === "" || (limit > 0 && items.length >= limit)) return { items, resourceVersion: page.resourceVersion, continue: token };
  }
}

/**
 * A page of what a filter lets through. It begins again at the first Secret of the list's revision, however far the client has come: where the kube-apiserver could go on is told by its tokens alone,
 * which must not go out.
 */
async function listFiltered(requests: SecretRequests, options: SecretSelection<ListOptions>, signal: AbortSignal): Promise<List> {
  const { limit, filter, namespace } = options;
  const prefix = namespace === "" ? PREFIX : `${PREFIX}${namespace}/`;
  const position = options.continue === "" ? undefined : decodeContinue(options.continue, prefix);
  const pages = requests.pages(options);
  const items: ObjectView[] = [];
  for (let token = ""; ; ) {
    const page = await pages.read(token, 0, signal, position === undefined ? listStateOf(options.consistency) : stateAt(position.revision));
    const { resourceVersion } = page;
    for (const view of page.items.map(secretView)) {
      const key = `${PREFIX}${view.namespace}/${view.name}`;
      if ((position !== undefined && key < position.start) || filter?.matches(view) === false) continue;
      if (limit > 0 && items.length === limit) {
        return { items, resourceVersion, continue: encodeContinue({ revision: requireRevision(resourceVersion), start: key }, prefix) };
      }
      items.push(view);
    }
    token = page.continue;
    if (token === "") return { items, resourceVersion, continue: "" };
  }
}

/** What our own tokens name Secrets by. */
const PREFIX = "/core/secrets/";

function stateAt(revision: number | undefined): ReturnType<typeof listStateOf> {
  return revision === undefined ? {} : listStateOf({ type: "Exact", resourceVersion: String(revision) });
}
