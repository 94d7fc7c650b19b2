import {
  APIError,
  badRequest,
  encodeJSON,
  encodeWatchFrame,
  escapeFieldValue,
  type FieldSelector,
  internalError,
  LIST_OFFERS,
  methodNotAllowed,
  negotiateResponse,
  parseFieldSelector,
  WATCH_OFFERS,
} from "@annex/apimachinery";
import type { Clock } from "../clock.ts";
import { emptyFields } from "../definition/resource.ts";
import { withZeroValues } from "../definition/typed-kind.ts";
import type { Logger } from "../logger.ts";
import { encodeObject } from "../object-json.ts";
import type { WatchBatch, WatchEvent } from "../object-view.ts";
import type { APIResponse, ByteSink } from "./http.ts";
import { parseListQuery } from "./options.ts";
import { type EventForm, eventForm, negotiate } from "./represent.ts";
import type { RequestState } from "./request-state.ts";
import { NO_CACHE } from "./respond.ts";
import type { Target } from "./target.ts";

export interface WatchServices {
  readonly clock: Clock;
  readonly log: Logger;
  /** The least time a watch without `timeoutSeconds` lasts; each lasts between it and its double, so that they do not all end at once. */
  readonly minWatchMs: number;
  /** Between 0 and 1. */
  readonly chance: () => number;
}

/** The longest that a client may ask for: a day. */
const MAX_WATCH_MS = 24 * 3600 * 1000;

/** How much of a batch is written at once. */
const CHUNK_BYTES = 64 * 1024;

const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

/** GET with `watch`: a stream of events, one JSON object a line. */
export async function serveWatch(state: RequestState, target: Target, services: WatchServices): Promise<APIResponse> {
  const { verbs, namespace, info } = target;
  if (verbs.watch === undefined || info.subresource !== "") throw methodNotAllowed();
  negotiate(state, target, LIST_OFFERS);
  const query = parseListQuery(state.query, target, true);
  // Only now it matters that this is a stream. Source: k8s.io/apiserver endpoints/handlers, ListResource.
  const form = eventForm(state, target, negotiateResponse(state.request.headers.accept, WATCH_OFFERS, !target.parent.isCustomResource), () =>
    services.clock.now(),
  );
  const stop = new AbortController();
  const signal = AbortSignal.any([state.signal, stop.signal]);
  const lifetimeMs = query.timeoutSeconds ? Math.min(query.timeoutSeconds * 1000, MAX_WATCH_MS) : services.minWatchMs * (1 + services.chance());
  const batches = await verbs.watch(
    {
      namespace,
      labelSelector: query.labelSelector,
      fieldSelector: info.name === "" ? query.fieldSelector : selectorOf(info.name, query.fieldSelector),
      resourceVersion: query.resourceVersion === "" ? undefined : query.resourceVersion,
      sendInitialEvents: query.sendInitialEvents,
      endsAt: services.clock.now() + lifetimeMs,
    },
    { user: state.user, now: state.now, authorizer: state.authorizer, warn: state.warn, signal },
  );
  const stream = new WatchStream(target, form, query.allowWatchBookmarks, services.log, state);
  return {
    status: 200,
    headers: { "cache-control": NO_CACHE, "content-type": "application/json" },
    async body(sink, closing) {
      const over = new AbortController();
      const end = () => stop.abort();
      closing.addEventListener("abort", end, { once: true });
      if (closing.aborted) end();
      services.clock.sleep(lifetimeMs, over.signal).then(end, () => undefined);
      try {
        await stream.write(batches, sink, signal);
      } finally {
        over.abort();
        stop.abort();
        closing.removeEventListener("abort", end);
      }
    },
  };
}

/**
 * The selector of a watch on one object.
 *
 * @throws {APIError} `BadRequest` where the client's own asks for another one, or for any. Source: k8s.io/apiserver endpoints/handlers, ListResource.
 */
function selectorOf(name: string, sent: FieldSelector): FieldSelector {
  if (sent.isEmpty) return parseFieldSelector(`metadata.name=${escapeFieldValue(name)}`, new Set(["metadata.name"]));
  if (sent.requiredValue("metadata.name") !== name) throw badRequest("fieldSelector metadata.name doesn't match requested name");
  return sent;
}

class WatchStream {
  readonly #target: Target;
  readonly #form: EventForm;
  readonly #allowsBookmarks: boolean;
  readonly #log: Logger;
  readonly #state: RequestState;
  #isFirst = true;

  constructor(target: Target, form: EventForm, allowsBookmarks: boolean, log: Logger, state: RequestState) {
    this.#target = target;
    this.#form = form;
    this.#allowsBookmarks = allowsBookmarks;
    this.#log = log;
    this.#state = state;
  }

  /** Writes until the batches or the signal end; waits while the peer is slow, and falls behind in the log meanwhile, not in memory. */
  async write(batches: AsyncIterable<WatchBatch>, sink: ByteSink, signal: AbortSignal): Promise<void> {
    try {
      for await (const batch of batches) {
        for (const chunk of this.#chunks(batch)) {
          if (!sink.write(chunk)) await sink.drained();
          if (signal.aborted) return;
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      sink.write(encodeWatchFrame("ERROR", encodeJSON(this.#statusOf(error))));
    }
  }

  /** A batch as lines, so many together that one write is worth it and no more: the initial state of a watch may be long. */
  *#chunks({ events, resourceVersion, isInitialEnd }: WatchBatch): Generator<Uint8Array, void, undefined> {
    let frames: Uint8Array[] = [];
    let length = 0;
    for (const event of events) {
      const frame = this.#frame(event);
      frames.push(frame);
      length += frame.length;
      if (length < CHUNK_BYTES) continue;
      yield joined(frames, length);
      frames = [];
      length = 0;
    }
    if (this.#allowsBookmarks && resourceVersion !== "" && (isInitialEnd || events.length === 0)) {
      const bookmark = this.#bookmark(resourceVersion, isInitialEnd);
      frames.push(bookmark);
      length += bookmark.length;
    }
    if (length > 0) yield joined(frames, length);
  }

  #frame({ type, view, shared }: WatchEvent): Uint8Array {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (isFirst && this.#form.hasOwnFirst) return encodeWatchFrame(type, this.#form.encode(view, true));
    if (shared === undefined) return encodeWatchFrame(type, this.#form.encode(view, false));
    const key = `${type} ${this.#form.key}`;
    const known = shared.get(key);
    if (known !== undefined) return known;
    const frame = encodeWatchFrame(type, this.#form.encode(view, false));
    shared.set(key, frame);
    return frame;
  }

  /** An empty object of the kind that tells how far the watch has come. Source: KEP-956, KEP-3157. */
  #bookmark(resourceVersion: string, isInitialEnd: boolean): Uint8Array {
    const { resource, version } = this.#target;
    const metadata = { resourceVersion, ...(isInitialEnd ? { annotations: { [INITIAL_EVENTS_END]: "true" } } : {}) };
    const type = { apiVersion: version.apiVersion, kind: resource.kind };
    const object = { ...(resource.isBuiltIn ? emptyFields(version) : {}), ...type, metadata };
    // The cells of a table are made by the author's functions, which count on what the schema says is there. Paths of a definition find nothing.
    const whole = resource.isCustomResource ? object : { ...withZeroValues(type, version.schema), ...type, metadata };
    const bytes = () => encodeObject(object, resource.isCustomResource);
    const view = { namespace: "", name: "", resourceVersion, isStale: false, object, in: () => whole, bytes };
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    return encodeWatchFrame("BOOKMARK", this.#form.encode(view, isFirst));
  }

  #statusOf(error: unknown) {
    if (APIError.is(error)) return error.toStatus();
    this.#log.error({ error, auditID: this.#state.auditID }, "a watch failed");
    return internalError("the watch failed").toStatus();
  }
}

function joined(frames: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = frames;
  if (first !== undefined && frames.length === 1) return first;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const frame of frames) {
    bytes.set(frame, offset);
    offset += frame.length;
  }
  return bytes;
}
