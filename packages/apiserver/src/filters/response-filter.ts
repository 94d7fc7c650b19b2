import { type Awaitable, whenReady } from "../awaitable.ts";
import type { APIResponse } from "../endpoints/http.ts";
import type { RequestState } from "../endpoints/request-state.ts";
import type { Filter } from "./filter.ts";

/** Compresses an answer, fast rather than well. */
export type Compress = (bytes: Uint8Array) => Promise<Uint8Array>;

/** Answers shorter than this are not worth compressing, in bytes. Source: k8s.io/apiserver responsewriters, defaultGzipThresholdBytes. */
const MIN_COMPRESSED_BYTES = 128 * 1024;

/** What every answer carries: its audit id, the warnings that were gathered, and gzip where it is wanted and pays. */
export function responseFilter(compress: Compress | undefined): Filter {
  return (state, next) => whenReady(next(state), (response) => completed(response, state, compress));
}

function completed(response: APIResponse, state: RequestState, compress: Compress | undefined): Awaitable<APIResponse> {
  const { headers, body } = response;
  headers["audit-id"] = state.auditID;
  const { warnings } = state;
  if (warnings.length > 0) headers.warning = warnings;
  if (compress === undefined || !(body instanceof Uint8Array) || body.length < MIN_COMPRESSED_BYTES || headers["content-encoding"] !== undefined)
    return response;
  return acceptsGzip(state.request.headers["accept-encoding"]) ? compressed(response, body, compress) : response;
}

async function compressed({ headers, ...response }: APIResponse, body: Uint8Array, compress: Compress): Promise<APIResponse> {
  headers["content-encoding"] = "gzip";
  const vary = headers.vary === undefined ? "" : String(headers.vary);
  if (!vary.includes("Accept-Encoding")) headers.vary = vary === "" ? "Accept-Encoding" : `${vary}, Accept-Encoding`;
  return { ...response, headers, body: await compress(body) };
}

/** Only the bare word counts, without a quality. Source: responsewriters, negotiateContentEncoding. */
function acceptsGzip(header: string | undefined): boolean {
  return header?.split(",").some((token) => token.trim() === "gzip") ?? false;
}
