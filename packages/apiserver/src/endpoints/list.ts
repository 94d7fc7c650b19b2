import { LIST_OFFERS, methodNotAllowed } from "@annex/apimachinery";
import type { APIResponse } from "./http.ts";
import { listConsistency, parseListQuery } from "./options.ts";
import { negotiate, respondList } from "./represent.ts";
import type { RequestState } from "./request-state.ts";
import type { Target } from "./target.ts";

/** GET of a collection. */
export async function serveList(state: RequestState, target: Target): Promise<APIResponse> {
  const { verbs, namespace } = target;
  if (verbs.list === undefined) throw methodNotAllowed();
  const negotiated = negotiate(state, target, LIST_OFFERS);
  const query = parseListQuery(state.query, target, false);
  const list = await verbs.list(
    {
      namespace,
      labelSelector: query.labelSelector,
      fieldSelector: query.fieldSelector,
      limit: query.limit,
      continue: query.continue,
      consistency: listConsistency(query, target),
    },
    state,
  );
  return respondList(state, target, negotiated, list);
}
