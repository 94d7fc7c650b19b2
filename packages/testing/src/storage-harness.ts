import type { Revision, Storage, StorageBatch, StorageEvent, StorageKey } from "@annex/apiserver";

/** A fresh, empty store and what its suite may do with it. */
export interface StorageHarness {
  readonly storage: Storage;
  /** Durable stores only: closes the store and opens another on the same data. */
  reopen?(): Promise<Storage>;
  /** Closes what is open and removes what was made. Called once, after each test. */
  dispose(): Promise<void>;
}

/** A key of the tests, as the registry would build it. */
export function storageKey(text: string): StorageKey {
  return text as StorageKey; // what the brand promises (ASCII, length) holds for the tests' own keys
}

/** A number as a revision: for those that tests compute. */
export function storageRevision(value: number): Revision {
  return value as Revision; // tests make up revisions on purpose, also wrong ones
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** An event in a form that reads well in a failed assertion. */
export function eventLine(event: StorageEvent): string {
  const previous = event.previous === undefined ? "" : ` was ${textOf(event.previous.value)}@${event.previous.revision}`;
  const value = event.type === "put" ? ` = ${textOf(event.value)}` : "";
  return `${event.revision} ${event.type} ${event.key}${value}${previous}`;
}

/** Reads a feed until it has come to a revision, and gives everything it delivered. */
export async function readUntil(feed: AsyncIterable<StorageBatch>, revision: Revision): Promise<StorageEvent[]> {
  const events: StorageEvent[] = [];
  for await (const batch of feed) {
    events.push(...batch.events);
    if (batch.revision >= revision) break;
  }
  return events;
}

/** What the store held under a prefix, from its own list: key to `value@revision`. */
export async function contentsOf(storage: Storage, prefix: string): Promise<Record<string, string>> {
  const list = await storage.list(prefix);
  return Object.fromEntries(list.values.map(({ key, value, revision }) => [key, `${textOf(value)}@${revision}`]));
}
