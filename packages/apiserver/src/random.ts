/** Where chance comes from. Tests put in one that repeats itself. */
export interface Random {
  uuid(): string;
  /** So many bytes that nobody can guess. */
  bytes(length: number): Uint8Array;
}

/** The runtime's own cryptographic source. */
export const cryptoRandom: Random = {
  uuid: () => crypto.randomUUID(),
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};
