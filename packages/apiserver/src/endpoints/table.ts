import { type IncludeObject, type ListMeta, type MetaVersion, makeTable, parseIncludeObject, type Table } from "@annex/apimachinery";
import type { ObjectView } from "../object-view.ts";
import type { RequestState } from "./request-state.ts";
import type { Target } from "./target.ts";

export interface TableRequest {
  readonly version: MetaVersion;
  readonly include: IncludeObject;
  readonly includeColumns: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly listMeta: ListMeta;
}

/** How much of each object a table's rows carry, as the query says. @throws {APIError} `BadRequest`. */
export function includeObject(state: RequestState): IncludeObject {
  return parseIncludeObject(state.query.get("includeObject"));
}

/** The table of some objects of a kind, with the columns of the version asked for. */
export function tableOf({ version }: Target, views: readonly ObjectView[], { include, ...request }: TableRequest): Table {
  return makeTable({ ...request, printer: version.printer, objects: views.map((view) => view.in(version.name)), includeObject: include });
}
