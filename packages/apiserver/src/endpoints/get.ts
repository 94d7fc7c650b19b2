import { methodNotAllowed, OBJECT_OFFERS } from "@annex/apimachinery";
import type { APIResponse } from "./http.ts";
import { getConsistency } from "./options.ts";
import { negotiate, respondView } from "./represent.ts";
import type { RequestState } from "./request-state.ts";
import type { Target } from "./target.ts";

/** GET of an object, or of its status. */
export async function serveGet(state: RequestState, target: Target): Promise<APIResponse> {
  const { verbs, info, namespace } = target;
  if (verbs.get === undefined) throw methodNotAllowed();
  const negotiated = negotiate(state, target, OBJECT_OFFERS);
  const consistency = state.request.query === "" ? MOST_RECENT : getConsistency(state.query);
  const view = await verbs.get({ namespace, name: info.name }, consistency, state.context());
  return respondView(state, target, negotiated, view, 200);
}

const MOST_RECENT = { type: "MostRecent" } as const;
