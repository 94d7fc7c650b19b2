import { badRequest, methodNotAllowed, OBJECT_OFFERS } from "@annex/apimachinery";
import { type Awaitable, whenReady } from "../awaitable.ts";
import type { APIResponse } from "./http.ts";
import { booleanParameter, getConsistency } from "./options.ts";
import { negotiate, respondView } from "./represent.ts";
import type { RequestState } from "./request-state.ts";
import type { Target } from "./target.ts";

/** GET of an object, or of its status. */
export function serveGet(state: RequestState, target: Target): Awaitable<APIResponse> {
  const { verbs, info, namespace } = target;
  if (verbs.get === undefined) throw methodNotAllowed();
  const negotiated = negotiate(state, target, OBJECT_OFFERS);
  if (isExport(state)) throw badRequest("the export parameter, deprecated since v1.14, is no longer supported");
  const consistency = state.request.query === "" ? MOST_RECENT : getConsistency(state.query);
  return whenReady(verbs.get({ namespace, name: info.name }, consistency, state), (view) => respondView(state, target, negotiated, view, 200));
}

/** Source: k8s.io/apiserver endpoints/handlers, GetResource. */
function isExport(state: RequestState): boolean {
  return state.request.query !== "" && booleanParameter(state.query.get("export"));
}

const MOST_RECENT = { type: "MostRecent" } as const;
