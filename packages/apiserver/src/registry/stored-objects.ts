import type { GroupResource, KubernetesObject } from "@annex/apimachinery";
import type { Storage, StorageKey } from "../storage/index.ts";
import { decodeStored } from "../watch-cache/object-codec.ts";
import { keyPrefix } from "./resource-keys.ts";

const PAGE = 1_000;

/** The objects of a resource in a store that nobody serves yet, as they were written: in their versions of then, without resourceVersions. */
export async function* readStoredObjects(storage: Storage, resource: GroupResource): AsyncGenerator<KubernetesObject> {
  const prefix = keyPrefix(resource);
  let start = prefix as StorageKey;
  for (let more = true; more; ) {
    const page = await storage.list(prefix, { start, limit: PAGE });
    for (const { key, value } of page.values) {
      yield decodeStored(value);
      start = `${key}\0` as StorageKey;
    }
    more = page.more;
  }
}
