import { parseFieldSelector, parseLabelSelector } from "@annex/apimachinery";
import type { ObjectView } from "@annex/apiserver";
import type { ControllerServices } from "@annex/apiserver-node";
import { TOKEN_GROUP } from "./ranchertoken.ts";

/** The kinds of tokens, by their plural. */
export const TOKEN_RESOURCES = ["ranchertokens", "clusterranchertokens"] as const;

const EVERYTHING = { namespace: "", labelSelector: parseLabelSelector(""), fieldSelector: parseFieldSelector("", new Set()) };
const PAGE = 500;

/** All tokens of a kind, of all namespaces, a page at a time. */
export async function* listTokens(
  resource: (typeof TOKEN_RESOURCES)[number],
  { verbsOf, context }: Pick<ControllerServices, "verbsOf" | "context">,
  signal: AbortSignal,
): AsyncGenerator<ObjectView> {
  let next = "";
  do {
    const options = { ...EVERYTHING, limit: PAGE, continue: next, consistency: { type: "Any" } } as const;
    const page = await verbsOf(TOKEN_GROUP, resource).list?.(options, context(signal));
    yield* page?.items ?? [];
    next = page?.continue ?? "";
  } while (next !== "");
}
