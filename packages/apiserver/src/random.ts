/** Where chance comes from. Tests put in one that repeats itself. */
export interface Random {
  uuid(): string;
  /** So many bytes that nobody can guess. */
  bytes(length: number): Uint8Array;
}

/** How many bytes are asked of the system at a time: each call of it costs as much as many bytes. */
const POOL_BYTES = 4_096;

/** The runtime's own cryptographic source. */
export const cryptoRandom: Random = {
  uuid: () => crypto.randomUUID(),
  bytes(length) {
    if (length > POOL_BYTES / 16) return crypto.getRandomValues(new Uint8Array(length));
    if (used + length > pool.length) {
      pool = crypto.getRandomValues(new Uint8Array(POOL_BYTES));
      used = 0;
    }
    const bytes = pool.slice(used, used + length);
    // What was handed out is nobody else's to find.
    pool.fill(0, used, used + length);
    used += length;
    return bytes;
  },
};

let pool = new Uint8Array(0);
let used = 0;
