/** How many objects of a resource lie in storage in one version. */
export interface StoredVersion {
  readonly apiVersion: string;
  readonly objects: number;
  /** How many of them would be written otherwise now; the next write of each does so, and so does a migration. */
  readonly stale: number;
}

/** Counts objects by the version that they are stored in. */
export class StoredVersions {
  readonly #counts = new Map<string, { objects: number; stale: number }>();

  add(object: CountedObject): void {
    this.#change(object, 1);
  }

  remove(object: CountedObject): void {
    this.#change(object, -1);
  }

  /** Those that there are, by name. */
  counts(): readonly StoredVersion[] {
    const present = [...this.#counts].filter(([, { objects }]) => objects > 0);
    return present.map(([apiVersion, count]) => ({ apiVersion, ...count })).sort((left, right) => (left.apiVersion < right.apiVersion ? -1 : 1));
  }

  #change({ storedVersion, isStale }: CountedObject, by: number): void {
    let count = this.#counts.get(storedVersion);
    if (count === undefined) {
      count = { objects: 0, stale: 0 };
      this.#counts.set(storedVersion, count);
    }
    count.objects += by;
    if (isStale) count.stale += by;
  }
}

interface CountedObject {
  readonly storedVersion: string;
  readonly isStale: boolean;
}
