// How the cluster knows of this server: an APIService for each group version, kept and repaired, and taken back again. Whether the cluster reaches it is told, in plain words.
export {
  DEFAULT_PRIORITIES,
  type GroupVersions,
  groupVersionsOf,
  type RegistrationPriorities,
  type ServiceReference,
} from "./api-service.ts";
export { parseService, REGISTRATION_OPTIONS, type RegistrationOptionValues } from "./options.ts";
export { type Registration, type RegistrationOptions, registration } from "./registration.ts";
export { type UnregisterOptions, unregister } from "./unregister.ts";
