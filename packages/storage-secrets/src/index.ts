// Objects of other kinds kept in Secrets of the same name. Knows Secrets only through their verbs, so that they may be the server's own or a cluster's.
export { decodeSecret, encodeSecret, type PresentSecret, type SecretCodec } from "./secret-codec.ts";
export { decodeData, encodeData, type SecretObject } from "./secret-object.ts";
export { type SecretStoreOptions, secretStore } from "./secret-store.ts";
export type * from "./secret-verbs.ts";
