// What happens to the objects of any kind. For packages that keep objects elsewhere, or do a server's own work on them; endpoints know only the verbs.

export type * from "../object-view.ts";
export { admissionWriteOptions } from "./admission-options.ts";
export { failedWatch } from "./cached-reads.ts";
export { type ContinuePosition, decodeContinue, encodeContinue } from "./continue-token.ts";
export { FollowedObjects, type FollowedObjectsOptions } from "./followed-objects.ts";
export { formatTime } from "./metadata.ts";
export { type MigrationOptions, type MigrationResult, migrate } from "./migrate.ts";
export type * from "./object-store.ts";
export { type RegistryOptions, registryVerbs } from "./registry.ts";
export { loopbackContext } from "./request-context.ts";
export { parseRevision, requireRevision, tooLargeResourceVersion } from "./resource-version.ts";
export { isCounted, matcherOf } from "./selection.ts";
export { readStoredObjects } from "./stored-objects.ts";
export { ValueView } from "./value-view.ts";
export type * from "./verbs.ts";
