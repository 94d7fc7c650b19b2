const encoder = new TextEncoder();

export type WatchEventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";

const HEADS = {
  ADDED: encoder.encode('{"type":"ADDED","object":'),
  MODIFIED: encoder.encode('{"type":"MODIFIED","object":'),
  DELETED: encoder.encode('{"type":"DELETED","object":'),
  BOOKMARK: encoder.encode('{"type":"BOOKMARK","object":'),
  ERROR: encoder.encode('{"type":"ERROR","object":'),
} as const satisfies Record<WatchEventType, Uint8Array>;

/**
 * One event of a watch as it goes over the wire: `{"type":"ADDED","object":…}` and a newline. JSON is the only form that a watch has here;
 * negotiation answers 406 to YAML, as Kubernetes does.
 *
 * @param objectJSON one JSON value, for ERROR a Status; copied as it is, in the one allocation made.
 *
 * Source: meta/v1 WatchEvent.
 */
export function encodeWatchFrame(type: WatchEventType, objectJSON: Uint8Array): Uint8Array {
  const head = HEADS[type];
  const frame = new Uint8Array(head.length + objectJSON.length + 2);
  frame.set(head);
  frame.set(objectJSON, head.length);
  frame[frame.length - 2] = 125; // }
  frame[frame.length - 1] = 10; // newline
  return frame;
}
